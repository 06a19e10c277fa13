package sqlsystem

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestWhatIsKeptIsBounded: a correction and a restriction change the person's rows and no
// others, whatever triggers and foreign keys do: what reaches further is refused with the way
// there, or undone. A trigger that sets the time of a row's change passes, and so does what the
// manifest lets, but for deleting what a dataset is of.
func TestWhatIsKeptIsBounded(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE people (id INTEGER PRIMARY KEY, user_id INTEGER, nick TEXT UNIQUE, frozen INTEGER, hh INTEGER, seen INTEGER); INSERT INTO people VALUES (1, 5, 'ann', 0, 1, 0), (2, 6, 'bob', 0, 1, 0);
		CREATE TABLE sessions (id INTEGER PRIMARY KEY, user_id INTEGER, note TEXT); INSERT INTO sessions VALUES (1, 5, 'a'), (2, 6, 'b'); CREATE TABLE log (n INTEGER, note TEXT); INSERT INTO log VALUES (1, 'x'), (2, 'y')`
	const all = "SELECT 'p' || id || nick || frozen || coalesce(seen, 0) FROM people UNION ALL SELECT 's' || id || note FROM sessions UNION ALL SELECT 'l' || n || note FROM log ORDER BY 1"
	const corrected, frozen = "p1annie00", "p1ann10"
	for _, c := range []struct {
		name, trigger, cascades string
		refused                 bool
		byTable                 bool   // refused where the database counts each table by itself
		names                   string // what the reason has
		more                    []string
	}{
		{name: "nothing"},
		{name: "deletes another's session", trigger: "DELETE FROM sessions WHERE user_id <> NEW.user_id!", refused: true},
		{name: "deletes the person's session", trigger: "DELETE FROM sessions WHERE user_id = NEW.user_id!", refused: true},
		{name: "deletes sessions, let", trigger: "DELETE FROM sessions WHERE user_id = NEW.user_id!", cascades: "sessions", refused: true},
		{name: "changes another's session", trigger: "UPDATE sessions SET note = 'z' WHERE user_id <> NEW.user_id!", refused: true},
		{name: "changes sessions, let", trigger: "UPDATE sessions SET note = 'z'!", cascades: "sessions", byTable: true, more: []string{"s1z", "s2z"}},
		{name: "writes a table of none", trigger: "INSERT INTO log VALUES (3, 'z')!", refused: true, names: "log"},
		{name: "writes a table of none, let", trigger: "INSERT INTO log VALUES (3, 'z')!", cascades: "log", more: []string{"l3z"}},
		{name: "deletes from a table of none", trigger: "DELETE FROM log WHERE n = 1!", refused: true, names: "log"},
		{name: "deletes from a table of none, let", trigger: "DELETE FROM log WHERE n = 1!", cascades: "log"},
	} {
		for _, action := range []string{"a correction", "a restriction"} {
			t.Run(c.name+", "+action, func(t *testing.T) {
				t.Parallel()
				everyDatabase(t, schema, func(t *testing.T, d database) {
					if c.trigger != "" {
						d.exec(t, "CREATE TRIGGER follows AFTER UPDATE ON people BEGIN "+c.trigger+" END")
					}
					s := open(t, d, small(t, "abilities: [gather, rectify, restrict]\nneeds: [user]\nsql: {}",
						"people | table: people, key: [id], subject: {user: user_id}, rectify: [nick], restrict: [{column: frozen, value: 1}], cascades: ["+c.cascades+"] | id nick",
						"sessions | table: sessions, key: [id], subject: {user: user_id}"))
					before := d.column(t, concatOf(d, all))
					jobs, own := jobsOf(dsar.Rectification, ids("user 5")), corrected
					act := s.rectifyAll
					if action == "a restriction" {
						jobs, own, act = jobsOf(dsar.Restriction, ids("user 5")), frozen, s.restrictAll
					}
					jobs[0].Changes = []worker.Change{{Dataset: "people", Column: "nick", Value: "annie"}}
					err := cmp.Or(act(t.Context(), jobs), jobs[0].Err)
					after := d.column(t, concatOf(d, all))
					if c.refused || c.byTable && d.dialect == PostgreSQL {
						refusedBy(t, err, cmp.Or(c.names, "sessions"))
						if !slices.Equal(before, after) || len(jobs[0].Counts) > 0 {
							t.Errorf("%v are left of %v, told %+v", after, before, jobs[0].Counts)
						}
						return
					}
					if err != nil || jobs[0].Counts[0].Rectified+jobs[0].Counts[0].Restricted != 1 {
						t.Fatalf("%v, %+v", err, jobs[0].Counts)
					}
					for _, row := range append(slices.Clone(c.more), own, "p2bob00") {
						if !slices.Contains(after, row) {
							t.Errorf("%s isn't among %v", row, after)
						}
					}
				})
			})
		}
	}
	t.Run("the newest wins", func(t *testing.T) {
		t.Parallel()
		d := postgresDB(t, schema)
		d.run(t, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEL' || 'ETE FROM people WHERE nick = $1 AND id <> $2' USING NEW.nick, NEW.id; RETURN NEW; END $$", "CREATE TRIGGER t BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION f()")
		s := open(t, d, small(t, "abilities: [gather, rectify]\nneeds: [user]\nsql: {}", "people | table: people, key: [id], subject: {user: user_id}, rectify: [nick] | id nick"))
		jobs := jobsOf(dsar.Rectification, ids("user 5"))
		jobs[0].Changes = []worker.Change{{Dataset: "people", Column: "nick", Value: "bob"}}
		refusedBy(t, cmp.Or(s.rectifyAll(t.Context(), jobs), jobs[0].Err), "undone")
		if left := d.column(t, "SELECT nick FROM people ORDER BY id"); !slices.Equal(left, []string{"ann", "bob"}) {
			t.Errorf("left %v", left)
		}
	})
	t.Run("the time of a row's change", func(t *testing.T) {
		t.Parallel()
		everyDatabase(t, schema, func(t *testing.T, d database) {
			switch d.dialect {
			case SQLite:
				d.exec(t, "CREATE TRIGGER seen AFTER UPDATE ON people BEGIN UPDATE people SET seen = 7 WHERE id = NEW.id! END")
			case PostgreSQL:
				d.run(t, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := 7; RETURN NEW; END $$", "CREATE TRIGGER seen BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION f()")
			default:
				d.run(t, "CREATE TRIGGER seen BEFORE UPDATE ON people FOR EACH ROW SET NEW.seen = 7")
			}
			s := open(t, d, small(t, "abilities: [gather, rectify, restrict]\nneeds: [user]\nsql: {}", "people | table: people, key: [id], subject: {user: user_id}, rectify: [nick], restrict: [{column: frozen, value: 1}] | id nick"))
			for _, right := range []dsar.Right{dsar.Rectification, dsar.Restriction} {
				jobs, act := jobsOf(right, ids("user 5"), ids("user 6")), s.restrictAll
				if right == dsar.Rectification {
					act = s.rectifyAll
					for i, name := range []string{"annie", "bobby"} {
						jobs[i].Changes = []worker.Change{{Dataset: "people", Column: "nick", Value: name}}
					}
				}
				if err := act(t.Context(), jobs); err != nil || jobs[0].Err != nil || jobs[1].Err != nil {
					t.Error(err, jobs[0].Err, jobs[1].Err)
				}
			}
			if left := d.column(t, concatOf(d, "SELECT nick || frozen || seen FROM people ORDER BY id")); !slices.Equal(left, []string{"annie17", "bobby17"}) {
				t.Errorf("left %v", left)
			}
		})
	})
}

// TestCorrectionsAreFollowed: rows that follow a corrected key (ON UPDATE CASCADE) are changed
// where the manifest lets them, and the person's are told as corrected, and not as left as they
// were; else it is refused, and so where what follows isn't the person's.
func TestCorrectionsAreFollowed(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, code TEXT UNIQUE); CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER, code TEXT, FOREIGN KEY (code) REFERENCES users (code) ON UPDATE CASCADE);
		INSERT INTO users VALUES (5, 'fam'), (6, 'bob'); INSERT INTO posts VALUES (1, 5, 'fam'), (2, %), (3, 5, NULL)`
	for _, c := range []struct{ name, another, unlinks, refused string }{
		{"not let", "6, 'bob'", "", "ON UPDATE CASCADE"},
		{"another's, not let", "6, 'fam'", "", "ON UPDATE CASCADE"},
		{"let", "6, 'bob'", "posts", ""},
		{"another's, let", "6, 'fam'", "posts", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, strings.Replace(bounded.Replace(strings.ReplaceAll(schema, "code TEXT,", "code VARCHAR(190),")), "%", c.another, 1), func(t *testing.T, d database) {
				s := open(t, d, small(t, "abilities: [gather, rectify]\nneeds: [user]\nsql: {}",
					"users | table: users, key: [id], subject: {user: id}, rectify: [code], unlinks: ["+c.unlinks+"] | id code",
					"posts | table: posts, key: [id], subject: {user: user_id} | id code"))
				jobs := jobsOf(dsar.Rectification, ids("user 5"))
				jobs[0].Changes = []worker.Change{{Dataset: "users", Column: "code", Value: "new"}, {Dataset: "posts", Column: "code", Value: "new"}}
				err := cmp.Or(s.rectifyAll(t.Context(), jobs), jobs[0].Err)
				if c.refused != "" {
					refusedBy(t, err, c.refused)
					if left := d.column(t, "SELECT code FROM users ORDER BY id"); !slices.Equal(left, []string{"fam", "bob"}) || len(jobs[0].Counts) > 0 {
						t.Errorf("left %v, told %+v", left, jobs[0].Counts)
					}
					return
				}
				if err != nil || len(jobs[0].Counts) != 2 {
					t.Fatalf("%v, %+v", err, jobs[0].Counts)
				}
				if n := jobs[0].Counts[1]; n.Dataset != "posts" || n.Found != 2 || n.Rectified != 1 || !slices.Equal(n.Changed, []string{"code"}) || !slices.Equal(n.Unchanged, []string{"code"}) {
					t.Errorf("told %+v", n)
				}
			})
		})
	}
}

// concatOf writes a query's || as the database has it.
func concatOf(d database, query string) string {
	if d.dialect != MariaDB {
		return query
	}
	parts := strings.Split(query, "SELECT ")
	for i, part := range parts[1:] {
		texts, rest, _ := strings.Cut(part, " FROM ")
		parts[i+1] = "CONCAT(" + strings.ReplaceAll(texts, "||", ",") + ") FROM " + rest
	}
	return strings.Join(parts, "SELECT ")
}
