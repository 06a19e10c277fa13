package sqlsystem

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
)

// twoPeoplesNotes are two people's notes.
const twoPeoplesNotes = "CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, body TEXT); INSERT INTO users VALUES (5), (6); INSERT INTO notes VALUES (1, 5, 'ann'), (2, 6, 'bob')"

var usersAndNotes = []string{
	"users | table: users, key: [id], subject: {user: id}, erase: delete",
	"notes | table: notes, key: [id], subject: {user: user_id}, erase: delete",
}

// TestCountsAreKept: where PostgreSQL doesn't count, or a trigger has it not count, what a trigger
// takes in secret, nothing is erased, and lint says so.
func TestCountsAreKept(t *testing.T) {
	t.Parallel()
	const takes = "CREATE TRIGGER t AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION f()"
	const secret = "EXECUTE 'DEL' || 'ETE FROM notes WHERE user_id = $1' USING OLD.id + 1; "
	for name, c := range map[string]struct {
		source string
		made   []string
		says   string
	}{
		"a session": {source: "&track_counts=off", says: "track_counts"},
		"a session and a trigger": {source: "&track_counts=off", says: "track_counts",
			made: []string{"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + secret + "RETURN NULL; END $$", takes}},
		"a function's own setting": {says: "the trigger t",
			made: []string{"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET track_counts = off AS $$ BEGIN DELETE FROM notes WHERE user_id = OLD.id + 1; RETURN NULL; END $$", takes}},
		"off and on again": {says: "the trigger t",
			made: []string{"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('track_counts', 'off', true); " + secret + "PERFORM set_config('track_counts', 'on', true); RETURN NULL; END $$", takes}},
		"one that it calls": {says: "the trigger t",
			made: []string{"CREATE FUNCTION quietly() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET LOCAL track_counts = off; END $$", "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM Quietly(); " + secret + "RETURN NULL; END $$", takes}},
		"at run time": {says: "track_counts",
			made: []string{"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('track_' || 'counts', 'off', true); " + secret + "RETURN NULL; END $$", takes}},
		"a replica": {source: "&session_replication_role=replica", says: "session_replication_role"},
		"a trigger as on a replica": {says: "the trigger t",
			made: []string{"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET session_replication_role = replica AS $$ BEGIN RETURN NULL; END $$", takes}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := postgresDB(t, twoPeoplesNotes)
			later := d
			later.source += c.source
			s := open(t, later, small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", usersAndNotes...))
			d.run(t, c.made...)
			refusedBy(t, eraseFive(t, s)[0].Err, c.says)
			if left := d.column(t, "SELECT id FROM notes ORDER BY id"); !slices.Equal(left, []string{"1", "2"}) {
				t.Errorf("notes are %v", left)
			}
			found, err := s.Reaches(t.Context())
			if name == "at run time" { // the end of the transaction only tells
				return
			}
			if err != nil || len(found) != 1 || !strings.Contains(found[0].What, "every erasure is refused") || !strings.Contains(found[0].What, c.says) {
				t.Errorf("lint says %v, %v", found, err)
			}
		})
	}
	t.Run("of another schema", func(t *testing.T) { // which erasing doesn't set off
		t.Parallel()
		d := postgresDB(t, twoPeoplesNotes+"; CREATE TABLE other (id INTEGER)")
		d.run(t, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET track_counts = off AS $$ BEGIN RETURN NULL; END $$", strings.Replace(takes, "users", "other", 1),
			"CREATE FUNCTION if_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM of_f(1) AS f; RETURN NULL; END $$", "CREATE FUNCTION of_f(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1'",
			"CREATE TRIGGER g AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION if_f()")
		if err := eraseFive(t, open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", usersAndNotes...)))[0].Err; err != nil {
			t.Error(err)
		}
	})
}

// TestForeignKeysAreRun: a connection that runs no foreign keys leaves what should go with the rows.
func TestForeignKeysAreRun(t *testing.T) {
	t.Parallel()
	everyDatabase(t, twoPeoplesNotes, func(t *testing.T, d database) {
		m := small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", usersAndNotes...)
		switch d.dialect {
		case PostgreSQL:
			t.Skip("TestCountsAreKept")
		case SQLite:
			db, err := sql.Open("sqlite", "file:"+d.source+"?_txlock=immediate&_pragma=foreign_keys(0)")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			s, err := New(t.Context(), m, db, SQLite)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			refusedBy(t, eraseFive(t, s)[0].Err, "foreign keys")
		default:
			s := open(t, d, m)
			d.run(t, "CREATE PROCEDURE unbound() BEGIN SET SESSION foreign_key_checks = 0; END", "CREATE TRIGGER t BEFORE DELETE ON notes FOR EACH ROW CALL unbound()")
			refusedBy(t, eraseFive(t, s)[0].Err, "foreign_key_checks", "the trigger t")
			if found, err := s.Reaches(t.Context()); err != nil || len(found) != 1 || found[0].Cure == "" {
				t.Errorf("lint says %v, %v", found, err)
			}
		}
		if left := d.column(t, "SELECT id FROM notes"); len(left) != 2 {
			t.Errorf("notes are %v", left)
		}
	})
}
