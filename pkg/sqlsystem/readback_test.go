package sqlsystem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// keeping makes a trigger that keeps what a column of users held. SQLite's triggers can't
// change a row on its way: it writes it anew.
func keeping(t *testing.T, d database, column string) {
	t.Helper()
	stmts := []string{fmt.Sprintf("CREATE TRIGGER keeps AFTER UPDATE ON users WHEN NEW.%[1]s IS NOT OLD.%[1]s BEGIN UPDATE users SET %[1]s = OLD.%[1]s WHERE id = NEW.id; END", column)}
	switch d.dialect {
	case PostgreSQL:
		stmts = []string{fmt.Sprintf("CREATE FUNCTION keeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.%[1]s := OLD.%[1]s; RETURN NEW; END $$", column), "CREATE TRIGGER keeps BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION keeps()"}
	case MariaDB:
		stmts = []string{fmt.Sprintf("CREATE TRIGGER keeps BEFORE UPDATE ON users FOR EACH ROW SET NEW.%[1]s = OLD.%[1]s", column)}
	}
	for _, stmt := range stmts {
		if _, err := d.Exec(stmt); err != nil {
			t.Fatal(err)
		}
	}
}

const keptUsers = `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100), name VARCHAR(100), locked INTEGER, placed DATE); INSERT INTO users VALUES (1, 'ann@example.com', 'Ann', 0, '2026-01-01')`

// TestWhatIsWrittenIsThere: what a trigger keeps as it was isn't told as made anonymous,
// restricted or corrected: the change is refused, and the trigger named. A flag that isn't
// set where something stays isn't told.
func TestWhatIsWrittenIsThere(t *testing.T) {
	t.Parallel()
	asked := ids("email ann@example.com")
	t.Run("erasure", func(t *testing.T) {
		t.Parallel()
		everyDatabase(t, keptUsers, func(t *testing.T, d database) {
			s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", `users | table: users, key: [id], subject: {email: email}, set: {email: "{random}@x.invalid", name: null} | id name`))
			plan := jobsOf(dsar.Erasure, asked)
			if err := s.eraseAll(t.Context(), plan); err != nil || plan[0].Err != nil {
				t.Fatal(err, plan[0].Err)
			}
			// The proof finds what came back, though the address is nobody's by now.
			if _, err := d.Exec("UPDATE users SET name = 'Ann'"); err != nil {
				t.Fatal(err)
			}
			plan[0].Counts = nil
			if err := s.countAll(t.Context(), plan); err != nil || foundIn(plan[0].Counts) != 1 {
				t.Errorf("the proof finds %s, %v", outcomes(plan[0].Counts), err)
			}
			if _, err := d.Exec("UPDATE users SET email = 'ann@example.com'"); err != nil {
				t.Fatal(err)
			}
			keeping(t, d, "name")
			jobs := jobsOf(dsar.Erasure, asked)
			err := s.eraseAll(t.Context(), jobs)
			refusedBy(t, cmp.Or[error](err, jobs[0].Err), "keeps")
			if left := d.column(t, "SELECT email FROM users"); !slices.Equal(left, []string{"ann@example.com"}) || len(jobs[0].Counts) > 0 {
				t.Errorf("left %v, told %+v", left, jobs[0].Counts)
			}
		})
	})
	t.Run("flags", func(t *testing.T) {
		t.Parallel()
		everyDatabase(t, keptUsers, func(t *testing.T, d database) {
			keeping(t, d, "locked")
			s := open(t, d, small(t, "abilities: [gather, erase, restrict, rectify]\nneeds: [email]\nsql: {}", `users | table: users, key: [id], subject: {email: email}, erase: delete, rectify: [name], restrict: [{column: locked, value: 1}] | id name placed:date | `+strings.ReplaceAll(tenYears, "issued_on", "placed")))
			jobs := jobsOf(dsar.Restriction, asked)
			err := s.restrictAll(t.Context(), jobs)
			refusedBy(t, cmp.Or[error](err, jobs[0].Err), "keeps")
			jobs = jobsOf(dsar.Erasure, asked)
			if err := s.eraseAll(t.Context(), jobs); d.dialect != SQLite && (err != nil || jobs[0].Err != nil || jobs[0].Counts[0].Kept() != 1 || jobs[0].Counts[0].Restricted != 0) {
				t.Errorf("told %+v, %v, %v", jobs[0].Counts, err, jobs[0].Err)
			}
		})
	})
	t.Run("correction", func(t *testing.T) {
		t.Parallel()
		everyDatabase(t, keptUsers, func(t *testing.T, d database) {
			s := open(t, d, small(t, "abilities: [gather, rectify]\nneeds: [email]\nsql: {}", `users | table: users, key: [id], subject: {email: email}, rectify: [name] | id name`))
			correct := func(to string) []*counted {
				jobs := jobsOf(dsar.Rectification, asked)
				jobs[0].Changes = []worker.Change{{Dataset: "users", Column: "name", Value: to}}
				if err := s.rectifyAll(t.Context(), jobs); err != nil {
					t.Fatal(err)
				}
				return jobs
			}
			for range 2 { // the second time it is as it is to be
				if jobs := correct("{random}"); jobs[0].Err != nil || jobs[0].Counts[0].Rectified != 1 {
					t.Errorf("told %+v, %v", jobs[0].Counts, jobs[0].Err)
				}
			}
			keeping(t, d, "name")
			jobs := jobsOf(dsar.Rectification, asked)
			jobs[0].Changes = []worker.Change{{Dataset: "users", Column: "name", Value: "Anna"}}
			err := s.rectifyAll(t.Context(), jobs)
			refusedBy(t, cmp.Or[error](err, jobs[0].Err), "keeps")
		})
	})
	t.Run("correction of what is empty", func(t *testing.T) {
		t.Parallel()
		everyDatabase(t, keptUsers+"; UPDATE users SET name = ''", func(t *testing.T, d database) {
			s := open(t, d, small(t, "abilities: [gather, rectify]\nneeds: [email]\nsql: {}", `users | table: users, key: [id], subject: {email: email}, rectify: [name] | id name`))
			keeping(t, d, "name")
			jobs := jobsOf(dsar.Rectification, asked)
			jobs[0].Changes = []worker.Change{{Dataset: "users", Column: "name", Value: "Anna"}}
			err := s.rectifyAll(t.Context(), jobs)
			refusedBy(t, cmp.Or[error](err, jobs[0].Err), "keeps")
		})
	})
}
