package sqlsystem

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/worker"
)

// TestTouchOf: a trigger is one that writes to its own row only where its text plainly says so.
func TestTouchOf(t *testing.T) {
	t.Parallel()
	after := func(body string) string { return "CREATE TRIGGER a AFTER UPDATE ON users BEGIN " + body + " END" }
	for text, want := range map[string]touch{
		after("UPDATE users SET seen = 1 WHERE id = NEW.id;"):                                                                                            {"id", false},
		after(`UPDATE "users" SET seen = 'x; y' WHERE "users"."id" = old."id";`):                                                                         {"id", false},
		after("update [Users] set seen = (select max(n) from t where t.id = new.id) where _rowid_ = NEW.ROWID;"):                                         {"rowid", false},
		after("UPDATE OR IGNORE users SET seen = CASE WHEN 1 THEN 2 ELSE 3 END WHERE id = NEW.id AND seen <> 1;"):                                        {"id", true},
		"CREATE TRIGGER a AFTER UPDATE OF name ON users BEGIN UPDATE users SET seen = 1 WHERE id = NEW.id; END":                                          {"id", true},
		"CREATE TRIGGER a AFTER UPDATE ON users WHEN NEW.seen = OLD.seen BEGIN /* WHERE 1 */ UPDATE users SET seen = 1 WHERE id = NEW.id; -- OR 1\nEND;": {"id", true},
		after("UPDATE users SET seen = 1;"):                                               {},
		after("UPDATE users SET seen = 1 WHERE id = NEW.parent;"):                         {},
		after("UPDATE users SET seen = 1 WHERE id = NEW.id OR 1;"):                        {},
		after("UPDATE users SET seen = 1 WHERE id = NEW.id AND 1 OR 1;"):                  {},
		after("UPDATE users SET seen = 1 WHERE id = NEW.id + 1;"):                         {},
		after("UPDATE users SET seen = (SELECT 1 FROM t WHERE id = NEW.id);"):             {},
		after("UPDATE others SET seen = 1 WHERE id = NEW.id;"):                            {},
		after("UPDATE users SET seen = 1 WHERE id = NEW.id; DELETE FROM users;"):          {},
		after("DELETE FROM users WHERE id = NEW.id;"):                                     {},
		after("INSERT INTO log VALUES (1); UPDATE users SET seen = 1 WHERE id = NEW.id;"): {},
		after("UPDATE users SET seen = 'a WHERE id = NEW.id; END' WHERE name = 'b'; "):    {},
	} {
		if got := touchOf("users", text); got != want {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// TestATriggerThatSetsTheTimeMay: triggers that write to the row only which sets them off don't
// stand in the way of what is made anonymous, and excuse nothing that others do; one
// that is refused is named, lint says so before, and cascades lets it.
func TestATriggerThatSetsTheTimeMay(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, name TEXT, seen INTEGER); CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER, name TEXT);
		INSERT INTO users VALUES (1, 'ann@example.com', 'Ann', 0), (2, 'ann@example.com', 'Ann B', 0), (3, 'bob@example.com', 'Bob', 0); INSERT INTO invoices VALUES (10, 3, 'Bob')`
	const sets = `CREATE TRIGGER seen AFTER UPDATE ON users BEGIN UPDATE users SET seen = seen + 1 WHERE id = NEW.id! END`
	for _, c := range []struct {
		name, triggers, cascades string
		refused                  []string // what the reason names; nil: it isn't refused
		constraint               string
		advised                  string // the trigger that lint names
	}{
		{"one", sets, "", nil, "", ""},
		{"two", sets + "; CREATE TRIGGER named AFTER UPDATE ON users BEGIN UPDATE users SET seen = 0 WHERE rowid = OLD.rowid! END", "", nil, "", ""},
		{"for some rows", `CREATE TRIGGER seen AFTER UPDATE ON users WHEN NEW.seen = OLD.seen BEGIN UPDATE users SET seen = 5 WHERE id = NEW.id! END`, "", nil, "", ""},
		{"of every row", `CREATE TRIGGER seen AFTER UPDATE ON users BEGIN UPDATE users SET seen = seen + 1! END`, "", []string{"the trigger seen", "name users in the cascades of users"}, "seen", "the trigger seen"},
		{"of every row, let", `CREATE TRIGGER seen AFTER UPDATE ON users BEGIN UPDATE users SET seen = seen + 1! END`, "users", nil, "", ""},
		{"beside another", sets + `; CREATE TRIGGER wipes AFTER UPDATE ON users BEGIN UPDATE invoices SET name = NULL! END`, "", []string{"the trigger wipes"}, "wipes", "the trigger wipes"},
		{"for some rows beside another", `CREATE TRIGGER seen AFTER UPDATE ON users WHEN NEW.id = 1 BEGIN UPDATE users SET seen = 5 WHERE id = NEW.id! END;
			CREATE TRIGGER wipes AFTER UPDATE ON users BEGIN UPDATE invoices SET name = NULL WHERE id = 10! END`, "", []string{"wipes"}, "wipes", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := sqliteDB(t, schema)
			d.exec(t, c.triggers)
			s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email, user]\nsql: {}",
				"users | table: users, key: [id], subject: {email: email}, erase: anonymise, anonymise: {email: null, name: gone}, cascades: ["+c.cascades+"]",
				"invoices | table: invoices, key: [id], subject: {user: user_id}, erase: delete"))
			advice, err := s.Reaches(t.Context())
			if said := slices.ContainsFunc(advice, func(a Advice) bool { return c.advised != "" && strings.Contains(a.What, c.advised) }); err != nil || said != (c.advised != "") || c.advised == "" && c.refused == nil && len(advice) > 0 {
				t.Errorf("lint says %v, %v", advice, err)
			}
			jobs := jobsOf("erasure", ids("email ann@example.com"))
			jobs[0].Err = cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err)
			names := d.column(t, "SELECT name FROM users ORDER BY id")
			if c.refused == nil {
				if jobs[0].Err != nil || !slices.Equal(names, []string{"gone", "gone", "Bob"}) || jobs[0].Counts[0].Anonymised != 2 {
					t.Errorf("%v, %+v; users are %v", jobs[0].Err, jobs[0].Counts, names)
				}
				return
			}
			var e *worker.Error
			if !errors.As(jobs[0].Err, &e) || e.Cause.Constraint != c.constraint {
				t.Fatalf("%v, %+v", jobs[0].Err, e)
			}
			for _, word := range c.refused {
				if !strings.Contains(e.Reason, word) {
					t.Errorf("the reason lacks %q: %s", word, e.Reason)
				}
			}
			if !slices.Equal(names, []string{"Ann", "Ann B", "Bob"}) {
				t.Errorf("users are %v", names)
			}
		})
	}
}
