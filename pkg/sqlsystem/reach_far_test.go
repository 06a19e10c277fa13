package sqlsystem

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// erasing erases one person by small manifests, and returns the job.
func erasing(t *testing.T, d database, head string, identifiers []worker.Identifier, datasets ...string) *counted {
	t.Helper()
	s := open(t, d, small(t, head, datasets...))
	jobs := jobsOf(dsar.Erasure, identifiers)
	jobs[0].Err = cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err)
	return jobs[0]
}

// exec runs statements, with what ! stands for in a trigger's body.
func (d database) exec(t *testing.T, text string) {
	t.Helper()
	for stmt := range strings.SplitSeq(text, ";") {
		if stmt = strings.ReplaceAll(strings.TrimSpace(stmt), "!", ";"); stmt == "" {
			continue
		}
		if head, body, is := strings.Cut(stmt, " BEGIN "); is && d.dialect == PostgreSQL && strings.HasPrefix(head, "CREATE TRIGGER ") {
			_, when, _ := strings.Cut(head, " AFTER ")
			d.run(t, plTrigger(when, strings.TrimSuffix(body, "; END"))...)
			continue
		}
		if _, err := d.Exec(d.trigger(stmt)); err != nil {
			t.Fatalf("%s: %v", stmt, err)
		}
	}
}

// TestTreesAreFollowed: what goes with rows of others that go over several levels of one table
// is looked for on each, and counted; rows that refer to themselves end it.
func TestTreesAreFollowed(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE messages (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES messages (id) ON DELETE CASCADE, author INTEGER);
		CREATE TABLE files (id INTEGER PRIMARY KEY, message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE, owner INTEGER);
		CREATE TABLE other (id INTEGER PRIMARY KEY, message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE);
		INSERT INTO messages VALUES (1, NULL, 1), (2, 1, 2), (3, 2, 3), (4, 3, 3), (5, 5, 1); INSERT INTO files VALUES (30, 3, 3), (31, 4, 3); INSERT INTO other VALUES (40, 4)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		erase := func(messages string) *counted {
			return erasing(t, d, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", ids("user 1"),
				"messages | table: messages, key: [id], subject: {user: author}, erase: delete, cascades: ["+messages+"]",
				"files | table: files, key: [id], subject: {user: owner}, erase: delete")
		}
		refusedBy(t, erase("messages").Err, "files")
		refusedBy(t, erase("messages, files").Err, "other")
		if left := d.column(t, "SELECT id FROM messages"); len(left) != 5 {
			t.Fatalf("messages are %v", left)
		}
		j := erase("messages, files, other")
		sums := map[string]int{}
		for of, n := range j.taken {
			sums[of.table] += n
		}
		if j.Err != nil || sums["messages"] != 3 || sums["files"] != 2 || sums["other"] != 1 {
			t.Errorf("%v, %v", j.Err, j.taken)
		}
		if left := d.column(t, "SELECT id FROM messages"); len(left) != 0 {
			t.Errorf("messages are %v", left)
		}
	})
}

// TestALetTriggerHidesNoOther: where the manifest lets a trigger write to a table, what another
// does to a dataset's is noticed all the same, and what foreign keys take excuses nothing.
func TestALetTriggerHidesNoOther(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE audit (id INTEGER); CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER, name TEXT);
		CREATE TABLE reblogs (id INTEGER PRIMARY KEY, of_user INTEGER REFERENCES users (id) ON DELETE CASCADE); INSERT INTO reblogs VALUES (10, 1), (11, 1), (12, 1);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO invoices VALUES (10, 2, 'Bob'), (11, 3, 'Cy')`
	ordered := strings.Replace(schema, "INSERT INTO reblogs VALUES (10, 1), (11, 1), (12, 1);", "", 1) + "; INSERT INTO reblogs VALUES (10, 1), (11, 1), (12, 1)"
	for name, triggers := range map[string]string{
		"two triggers": `CREATE TRIGGER a1 AFTER DELETE ON users BEGIN INSERT INTO audit VALUES (OLD.id)! END;
			CREATE TRIGGER a2 AFTER DELETE ON users BEGIN DELETE FROM invoices WHERE id = 10! END`,
		"beside a cascade": `CREATE TRIGGER a2 AFTER DELETE ON users BEGIN UPDATE invoices SET name = NULL! END`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, ordered, func(t *testing.T, d database) {
				if d.dialect == PostgreSQL {
					t.Skip("it counts by table: TestCascadesAreDeclared")
				}
				d.exec(t, triggers)
				j := erasing(t, d, "abilities: [gather, erase]\nneeds: [email, user]\nsql: {}", ids("email ann@example.com"),
					"users | table: users, key: [id], subject: {email: email, user: id}, erase: delete, cascades: [audit, reblogs]",
					"invoices | table: invoices, key: [id], subject: {user: user_id}, erase: delete")
				refusedBy(t, j.Err)
				if names := d.column(t, "SELECT coalesce(name, 'wiped') FROM invoices ORDER BY id"); !slices.Equal(names, []string{"Bob", "Cy"}) {
					t.Errorf("invoices are %v", names)
				}
			})
		})
	}
}

// TestAViewTakesNothingElse: what goes with the rows that a view is of is refused, also where
// the view reads that table itself.
func TestAViewTakesNothingElse(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE reblogs (id INTEGER PRIMARY KEY, of_user INTEGER REFERENCES users (id) ON DELETE CASCADE, by_user INTEGER);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO reblogs VALUES (10, 1, 2)`
	for name, reads := range map[string]string{"a view": "", "that reads it": ", (SELECT count(*) FROM reblogs r WHERE r.of_user = u.id) AS n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, schema, func(t *testing.T, d database) {
				if reads != "" && d.dialect == MariaDB {
					t.Skip("such a view can't be deleted from")
				}
				d.exec(t, "CREATE VIEW people AS SELECT id, email"+reads+" FROM users u")
				if d.dialect == SQLite {
					d.exec(t, "CREATE TRIGGER i INSTEAD OF DELETE ON people BEGIN DELETE FROM users WHERE id = OLD.id! END")
				}
				if d.dialect == SQLite && reads != "" { // the trigger may keep what the view reads besides
					m := small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], subject: {email: email}, erase: delete")
					if _, err := Open(t.Context(), m, d.source); err == nil || !strings.Contains(err.Error(), "the trigger i") {
						t.Errorf("the start says %v", err)
					}
					return
				}
				refusedBy(t, erasing(t, d, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", ids("email ann@example.com"),
					"people | table: people, key: [id], subject: {email: email}, erase: delete").Err)
				if left := d.column(t, "SELECT id FROM reblogs"); len(left) != 1 {
					t.Errorf("reblogs are %v", left)
				}
			})
		})
	}
}
