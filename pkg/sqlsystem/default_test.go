package sqlsystem

import (
	"slices"
	"strings"
	"testing"
)

// TestNoDefaultMovesRows: rows whose reference to what is erased would become a default, and so
// another's, are refused, whatever cascades and unlinks let, also such as must stay; where the
// default is null they are unlinked, and rows that are erased themselves are no obstacle.
func TestNoDefaultMovesRows(t *testing.T) {
	t.Parallel()
	const users = "users | table: users, key: [id], subject: {user: id}, erase: delete, cascades: [notes, log], unlinks: [notes]"
	const kept = "notes | table: notes, key: [id], subject: {user: user_id}, erase: delete | id body made:date | "
	for _, c := range []struct {
		name, fallback, more string
		datasets             []string
		refused              bool
	}{
		{"nobody's", "DEFAULT 6", "", []string{users}, true},
		{"an expression", "DEFAULT (3 + 3)", "", []string{users}, true},
		{"kept", "DEFAULT 6", "", []string{strings.Replace(users, "notes, ", "", 1), kept + strings.ReplaceAll(tenYears, "issued_on", "made")}, true},
		{"their own", "DEFAULT 6", "", []string{users, kept}, false},
		{"null", "DEFAULT NULL", "", []string{users}, false},
		{"a null of brackets", "DEFAULT (NULL)", "", []string{users}, false},
		{"none", "", "", []string{users}, false},
		{"a trigger's", "DEFAULT 6", "CREATE TABLE log (id INTEGER PRIMARY KEY); INSERT INTO log VALUES (5); CREATE TABLE lines (id INTEGER PRIMARY KEY, log INTEGER DEFAULT 6 REFERENCES log (id) ON DELETE SET DEFAULT); DELETE FROM notes; CREATE TRIGGER logged AFTER DELETE ON users BEGIN DELETE FROM log WHERE id = OLD.id! END", []string{strings.Replace(users, "notes, log", "notes, log, lines", 1)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, "CREATE TABLE users (id INTEGER PRIMARY KEY); INSERT INTO users VALUES (5), (6)", func(t *testing.T, d database) {
				if d.dialect == MariaDB {
					t.Skip("InnoDB takes no SET DEFAULT")
				}
				d.exec(t, "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER "+c.fallback+" REFERENCES users (id) ON DELETE SET DEFAULT, body TEXT, made DATE); INSERT INTO notes VALUES (1, 5, 'ann', '2026-01-01'), (2, 6, 'bob', '2026-01-01'); "+c.more)
				j := erasing(t, d, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", ids("user 5"), c.datasets...)
				if !c.refused {
					if j.Err != nil {
						t.Error(j.Err)
					}
					if bobs := d.column(t, "SELECT id FROM notes WHERE user_id = 6"); !slices.Equal(bobs, []string{"2"}) {
						t.Errorf("Bob's notes are %v", bobs)
					}
					return
				}
				refusedBy(t, j.Err, "SET DEFAULT", "users ")
				if left := d.column(t, "SELECT id FROM users ORDER BY id"); len(left) != 2 {
					t.Errorf("users are %v", left)
				}
				s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", c.datasets...))
				if found, err := s.Reaches(t.Context()); err != nil || !slices.ContainsFunc(found, func(a Advice) bool {
					return strings.Contains(a.What, "SET DEFAULT") && !strings.Contains(a.Cure, "cascades")
				}) {
					t.Errorf("lint says %v, %v", found, err)
				}
			})
		})
	}
}

// TestADefaultThatComesLater: a worker that runs knows of a default that a column was given.
func TestADefaultThatComesLater(t *testing.T) {
	t.Parallel()
	d := postgresDB(t, "CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE SET DEFAULT); INSERT INTO users VALUES (5), (6); INSERT INTO notes VALUES (1, 5)")
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", "users | table: users, key: [id], subject: {user: id}, erase: delete, unlinks: [notes]"))
	d.run(t, "ALTER TABLE notes ALTER user_id SET DEFAULT 6")
	refusedBy(t, eraseFive(t, s)[0].Err, "SET DEFAULT")
	d.run(t, "ALTER TABLE notes ALTER user_id DROP DEFAULT")
	if err := eraseFive(t, s)[0].Err; err != nil {
		t.Error(err)
	}
}

// TestAValueSetThatMovesRows: nor does a value that an erasure sets hand those that follow it to
// another (ON UPDATE SET DEFAULT).
func TestAValueSetThatMovesRows(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE users (id INTEGER PRIMARY KEY, user_id INTEGER, nick VARCHAR(40) UNIQUE); INSERT INTO users VALUES (1, 5, 'ann'), (2, 6, 'bob')", func(t *testing.T, d database) {
		if d.dialect == MariaDB {
			t.Skip("InnoDB takes no SET DEFAULT")
		}
		d.exec(t, "CREATE TABLE notes (id INTEGER PRIMARY KEY, nick VARCHAR(40) DEFAULT 'bob' REFERENCES users (nick) ON UPDATE SET DEFAULT); INSERT INTO notes VALUES (1, 'ann')")
		_, err := Open(t.Context(), small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", `users | table: users, key: [id], subject: {user: user_id}, set: {user_id: null, nick: "gone-{random}"}, unlinks: [notes], cascades: [notes]`), d.source)
		if err == nil || !strings.Contains(err.Error(), "SET DEFAULT") {
			t.Errorf("the start says %v", err)
		}
	})
}
