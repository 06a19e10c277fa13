package sqlsystem

import (
	"errors"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestAPlanThatIsOvertaken: where far more has come than was planned, nothing of that person is
// erased, until it is planned anew; of others of the same batch all is, and what is a little more.
func TestAPlanThatIsOvertaken(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE notes (id INTEGER PRIMARY KEY, email VARCHAR(50))", func(t *testing.T, d database) {
		m := small(t, "abilities: [gather, erase]\nneeds: [email]\nmax_records: 5\nsql: {}", "notes | table: notes, key: [id], subject: {email: email}, erase: delete | id")
		s := open(t, d, m)
		n := 0
		come := func(email string, rows int) {
			for range rows {
				n++
				d.insert(t, "notes", n, email)
			}
		}
		come("ann@example.com", 4)
		come("bob@example.com", 4)
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"), ids("email bob@example.com"))
		if err := s.planAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		come("ann@example.com", 6)
		come("bob@example.com", 5)
		if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[1].Err != nil {
			t.Fatal(err, jobs[1].Err)
		}
		var e *worker.Error
		if !errors.As(jobs[0].Err, &e) || e.Code != dsar.CodePlanOvertaken || len(jobs[0].Counts) > 0 {
			t.Errorf("%v, %+v", jobs[0].Err, jobs[0].Counts)
		}
		if left := d.column(t, "SELECT id FROM notes WHERE email = 'ann@example.com'"); len(left) != 10 {
			t.Errorf("%d of hers are left", len(left))
		}
		if left := d.column(t, "SELECT id FROM notes WHERE email <> 'ann@example.com'"); len(left) > 0 {
			t.Errorf("%v of his are left", left)
		}
		again := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		if err := s.eraseAll(t.Context(), again); err != nil || again[0].Err != nil || again[0].Counts[0].Erased != 10 {
			t.Errorf("planned anew: %v %v %+v", err, again[0].Err, again[0].Counts)
		}
	})
}
