package sqlsystem

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestTriggerRewritesKept: a trigger that rewrites kept rows, and other people's, with
// those that go is refused, and they are as they were.
func TestTriggerRewritesKept(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER, name TEXT, issued_on DATE);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO invoices VALUES (10, 1, 'Ann', '2026-01-01'), (12, 2, 'Bob', '2026-01-01')`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		const touch = `UPDATE invoices SET name = NULL;`
		stmts := []string{`CREATE TRIGGER wipe AFTER DELETE ON users FOR EACH ROW BEGIN ` + touch + ` END`}
		if d.dialect == PostgreSQL {
			stmts = []string{`CREATE FUNCTION wipe() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ` + touch + ` RETURN OLD; END $$`, `CREATE TRIGGER wipe AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION wipe()`}
		}
		for _, stmt := range stmts {
			if _, err := d.Exec(stmt); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email, user]\nsql: {}",
			"users | table: users, key: [id], subject: {email: email, user: id}, erase: delete",
			`invoices | table: invoices, key: [id], subject: {user: user_id}, erase: delete | id issued_on:date | `+tenYears))
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com", "user 1"))
		err := s.eraseAll(t.Context(), jobs)
		refusedBy(t, cmp.Or[error](err, jobs[0].Err), "all of it was undone")
		if left := d.column(t, "SELECT name FROM invoices ORDER BY id"); !slices.Equal(left, []string{"Ann", "Bob"}) {
			t.Errorf("invoices' names are %q", left)
		}
		if left := d.column(t, "SELECT id FROM users ORDER BY id"); !slices.Equal(left, []string{"1", "2"}) {
			t.Errorf("users are %v", left)
		}
	})
}

// TestOnUpdate: a column that other rows refer to, and follow when it is changed, can't be
// set unless the manifest lets those change: the start fails, and where the foreign key
// came later, the plan, and an erasure by an older one.
func TestOnUpdate(t *testing.T) {
	t.Parallel()
	for _, does := range []string{"ON UPDATE SET NULL", "ON UPDATE CASCADE"} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			const people = `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100) UNIQUE);`
			invoices := func(does string) string {
				return `CREATE TABLE invoices (id INTEGER PRIMARY KEY, email VARCHAR(100), issued_on DATE, FOREIGN KEY (email) REFERENCES users (email)` + does + `)`
			}
			const rows = `; INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO invoices VALUES (10, 'ann@example.com', '2026-01-01'), (12, 'bob@example.com', '2026-01-01')`
			declared := func(t *testing.T, more string) []string {
				return []string{`users | table: users, key: [id], subject: {email: email}, set: {email: "{random}@x.invalid"}` + more, `invoices | table: invoices, key: [id], subject: {email: email}, erase: delete | id email issued_on:date | ` + tenYears}
			}
			const head = "abilities: [gather, erase]\nneeds: [email]\nsql: {}"
			t.Run("at start", func(t *testing.T) {
				t.Parallel()
				everyDatabase(t, people+invoices(" "+does)+rows, func(t *testing.T, d database) {
					s, err := Open(t.Context(), small(t, head, declared(t, "")...), d.source)
					if err == nil || !strings.Contains(err.Error(), does) || !strings.Contains(err.Error(), "unlinks") {
						t.Errorf("got %v, %v", s, err)
					}
					s = open(t, d, small(t, head, declared(t, ", unlinks: [invoices]")...))
					jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
					if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
						t.Errorf("as it is let: %v, %v", err, jobs[0].Err)
					}
				})
			})
			t.Run("later", func(t *testing.T) {
				t.Parallel()
				everyDatabase(t, people+invoices("")+rows, func(t *testing.T, d database) {
					s := open(t, d, small(t, head, declared(t, "")...))
					older := jobsOf(dsar.Erasure, ids("email ann@example.com"))
					if err := s.planAll(t.Context(), older); err != nil || older[0].Err != nil {
						t.Fatal(err, older[0].Err)
					}
					for _, stmt := range []string{"ALTER TABLE invoices RENAME TO old", invoices(" " + does), "INSERT INTO invoices SELECT * FROM old", "DROP TABLE old"} {
						if _, err := d.Exec(stmt); err != nil {
							t.Fatal(err)
						}
					}
					newer := jobsOf(dsar.Erasure, ids("email ann@example.com"))
					err := s.planAll(t.Context(), newer)
					refusedBy(t, cmp.Or[error](err, newer[0].Err), does)
					err = s.eraseByPlan(t.Context(), older)
					refusedBy(t, cmp.Or[error](err, older[0].Err), does)
					if left := d.column(t, "SELECT email FROM invoices ORDER BY id"); !slices.Equal(left, []string{"ann@example.com", "bob@example.com"}) {
						t.Errorf("invoices are %q", left)
					}
				})
			})
		})
	}
}

// TestTouchedAsItDetaches: a table's own trigger that writes to each row that is changed may
// do so for one, too, from which a foreign key takes its reference before it is erased; to
// others' rows it may not.
func TestTouchedAsItDetaches(t *testing.T) {
	t.Parallel()
	for which, refused := range map[string]bool{"WHERE id = NEW.id": false, "WHERE id IN (NEW.id, 3)": true} {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			d := postgresDB(t, `CREATE TABLE notes (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES notes (id) ON DELETE SET NULL, owner TEXT, editor TEXT, touched INTEGER NOT NULL DEFAULT 0);
				INSERT INTO notes VALUES (1, NULL, 'ann@example.com', NULL), (2, 1, NULL, 'ann@example.com'), (3, NULL, 'bob@example.com', NULL)`)
			d.run(t, `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE notes SET touched = touched + 1 `+which+`; RETURN NULL; END $$`,
				`CREATE TRIGGER touch AFTER UPDATE ON notes FOR EACH ROW WHEN (OLD.touched = NEW.touched) EXECUTE FUNCTION touch()`)
			s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "notes | table: notes, key: [id], ways: [{subject: {email: owner}, erase: delete}, {subject: {email: editor}, set: {editor: null}}]"))
			jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
			err := cmp.Or[error](s.eraseAll(t.Context(), jobs), jobs[0].Err)
			want := []string{"2 2", "3 0"}
			if refused {
				refusedBy(t, err, "touch")
				want = []string{"1 0", "2 0", "3 0"}
			} else if err != nil {
				t.Fatal(err)
			}
			if left := d.column(t, "SELECT id || ' ' || touched FROM notes ORDER BY id"); !slices.Equal(left, want) {
				t.Errorf("left %q, want %q", left, want)
			}
		})
	}
}
