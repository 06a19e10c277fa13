package truth

import (
	"context"
	"fmt"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
)

// forgetful erases, and tells of one record less than it erased.
type forgetful struct{ *sqlsystem.System }

func (f *forgetful) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	err := f.System.Erase(ctx, jobs)
	for _, j := range jobs {
		for i := range j.Counts {
			if c := &j.Counts[i]; c.Erased > 0 {
				c.Erased--
				c.Found--
				break
			}
		}
	}
	return err
}

// TestPlanIsAccountedFor: an erasure that tells of fewer records than were planned waits
// for a person, whatever its proof finds.
func TestPlanIsAccountedFor(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system("system: desk\ndatasets:\n- {name: mails, columns: [id, email], subject: {email: email}}\n", "CREATE TABLE mails(id INTEGER PRIMARY KEY, email TEXT)")
		for id := range 3 {
			db.row("mails", id, "anna@example.com")
		}
		s.quiet = true
		if s.start(mutant{wrap: func(w *sqlsystem.System) any { return &forgetful{w} }}); s.refused != nil {
			s.Fatal(s.refused)
		}
		s.stops(s.asks(dsar.Erasure, "email anna@example.com"), "desk", "3 records were planned, the erasure accounts for 2")
	})
}

// TestProofFindsWhatStays: what had to stay and is gone when it is asked for again holds
// the request open.
func TestProofFindsWhatStays(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(fmt.Sprintf(customers, "", "", "customer_id"), customersTable, "CREATE TABLE invoices(id INTEGER PRIMARY KEY, customer_id INTEGER, issued_on DATE)")
		db.row("customers", 1, "anna@example.com")
		db.row("invoices", 1, 1, "2024-01-01")
		db.row("invoices", 2, 1, "2024-01-01")
		s.before = func(_ string, action dsar.Action) {
			if action == dsar.Prove {
				db.exec("DELETE FROM invoices WHERE id = 2")
			}
		}
		s.quiet = true
		s.begin()
		s.stops(s.asks(dsar.Erasure, "email anna@example.com"), "shop", "2 records must stay, and 1 are found")
	})
}
