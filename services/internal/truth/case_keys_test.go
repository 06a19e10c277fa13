package truth

import (
	"context"
	"fmt"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
)

// bookkeeping is a shop whose customers are deleted, and whose invoices stay ten years.
func bookkeeping(s *scene) *store {
	db := s.system(fmt.Sprintf(customers, "", "", "customer_id"), customersTable, "CREATE TABLE invoices(id INTEGER PRIMARY KEY, customer_id INTEGER, issued_on DATE)")
	db.row("customers", 1, "anna@example.com")
	db.row("customers", 2, "sam@example.com")
	db.row("invoices", 1, 1, "2024-01-01")
	db.row("invoices", 2, 2, "2024-01-01")
	return db
}

// passed lets time pass, with what happens by itself until then, and letters that are written.
func (s *scene) passed(until time.Time) {
	for range 2 { // what follows a letter, too
		for s.until(until); s.deliver(); {
		}
		for _, id := range s.ids {
			s.must(s.letters.Handle(s.ctx(), id))
		}
	}
}

// TestKeptGoesByItsKeyAlone: what had to stay goes when it may; and what the person has anew
// by then stays, whatever leads there.
func TestKeptGoesByItsKeyAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		db := bookkeeping(s)
		s.begin()
		s.numbers(s.completes(dsar.Erasure, "email anna@example.com"), "shop", "invoices", 1, 0, 1)
		s.passed(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
		db.row("customers", 3, "anna@example.com") // she buys again
		db.row("invoices", 3, 1, "2011-01-01")     // and an old bill is found
		db.row("invoices", 4, 3, "2030-01-01")
		s.passed(time.Date(2034, 2, 1, 0, 0, 0, 0, time.UTC))
		s.holds("shop", "SELECT id FROM invoices", "2", "3", "4")
		s.holds("shop", "SELECT id FROM customers", "2", "3")
	})
}

// TestLateAndKeptGoesByItsKey: what came after the plan and had to stay goes when it may.
func TestLateAndKeptGoesByItsKey(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		db := bookkeeping(s)
		s.begin()
		came := false
		s.before = func(_ string, action dsar.Action) {
			if action == dsar.Erase && !came {
				came = true
				db.row("invoices", 3, 1, "2025-01-01")
			}
		}
		s.numbers(s.completes(dsar.Erasure, "email anna@example.com"), "shop", "invoices", 2, 0, 2)
		s.passed(time.Date(2034, 2, 1, 0, 0, 0, 0, time.UTC))
		s.holds("shop", "SELECT id FROM invoices", "2", "3")
		s.passed(time.Date(2035, 2, 1, 0, 0, 0, 0, time.UTC))
		s.holds("shop", "SELECT id FROM invoices", "2")
	})
}

// TestNumberOfNobody: a number of an erased row that was given to one that is nobody's by what it
// says isn't erased by the plan's keys, though what came back beside it is; a person looks, and the
// letter says how many were left.
func TestNumberOfNobody(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet, s.proveAgain, s.eraseAgain = true, proveAgain, true
		db := s.system(`
system: shop
needs: [email, user_id]
finds: [user_id]
resolve: [{find: user_id, table: users, column: id, by: {email: email}}]
datasets:
- {name: users, columns: [id, email], subject: {email: email, user_id: id}, after: [visits]}
- {name: visits, columns: [id, ip], subject: {user_id: user_id}, technical: [user_id]}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE visits(id INTEGER PRIMARY KEY, user_id INTEGER, ip TEXT)")
		db.row("users", 1, "anna@example.com")
		db.row("users", 2, "sam@example.com")
		db.row("visits", 1, 2, "of sam")
		db.row("visits", 2, 1, "of anna")
		db.row("visits", 3, 1, "of anna too")
		s.begin()
		id := s.asks(dsar.Erasure, "email anna@example.com").Accepted.RequestID
		db.row("visits", 2, nil, "of a visitor")
		db.row("visits", 3, 1, "of anna too")
		s.passed(s.now.Add(proveAgain + 24*time.Hour))
		s.holds("shop", "SELECT ip FROM visits", "of sam", "of a visitor")
		state := s.stateOf(id)
		if state.Status != core.StatusNeedsAttention || state.Task("shop", dsar.Prove).End.Code != core.CodeLeftUnclaimed {
			t.Fatalf("%s: %s", state.Status, ends(state))
		}
		s.do(id, core.Attest{By: "lea", Reason: "a visitor's", System: "shop", Outcome: dsar.Incomplete, Now: s.now})
		s.passed(s.now.Add(time.Hour))
		state = s.stateOf(id)
		told := state.Addenda[len(state.Addenda)-1].Told
		if left, alone := told.Unclaimed(); left != 1 || !alone || told.Back() != 1 {
			t.Errorf("%d are left, and nothing else: %t; %d had come back", left, alone, told.Back())
		}
		s.holds("shop", "SELECT ip FROM visits", "of sam", "of a visitor")
	})
}

// idle does nothing in its first erasure, and says that it reached nothing.
type idle struct {
	*sqlsystem.System
	begun *bool
}

func (w *idle) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	if *w.begun {
		return w.System.Erase(ctx, jobs)
	}
	*w.begun = true
	for _, j := range jobs {
		j.Counts = []dsar.Counts{{Dataset: "notes", Uncovered: "the permission is missing"}}
	}
	return nil
}

// plain is a worker that can't say which records of a plan are still there.
type plain struct {
	worker.Gatherer
	worker.Eraser
	worker.Resolver
}

// TestBegunAnewGoesByTheFirstPlanToo: an erasure that is begun anew finds by its key what
// was planned, wasn't come to, and is led to by nothing any more.
func TestBegunAnewGoesByTheFirstPlanToo(t *testing.T) {
	t.Parallel()
	for _, checks := range []bool{true, false} {
		onBoth(t, func(s *scene) {
			s.quiet = true
			db := s.system(`
system: account
datasets: [{name: users, columns: [id, email], subject: {email: email}}]
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE notes(id INTEGER PRIMARY KEY, user_id INTEGER)")
			crm := ordinary(s, `
system: crm
erase_after: [account]
datasets: [{name: notes, columns: [id], via: [{table: users, on: {user_id: id}}], subject: {email: users.email}, technical: [user_id]}]
`)
			db.row("users", 1, "anna@example.com")
			db.row("users", 2, "sam@example.com")
			db.row("notes", 1, 1)
			db.row("notes", 2, 2)
			own, err := sqlsystem.Open(s.ctx(), crm, db.source)
			s.must(err)
			s.Cleanup(func() { own.Close() })
			s.stores["crm"] = db
			var impl any = &idle{own, new(bool)}
			if !checks {
				impl = plain{own, &idle{own, new(bool)}, own}
			}
			s.served(crm, impl)
			s.begin()
			state := s.asks(dsar.Erasure, "email anna@example.com")
			s.stops(state, "crm", "not covered", "notes")
			s.holds("crm", "SELECT id FROM users", "2")
			a := s.completed(s.do(state.Accepted.RequestID, core.Retry{By: "lea", Now: s.now}))
			s.holds("crm", "SELECT id FROM notes", "2")
			s.numbers(a, "crm", "notes", 1, 1, 0)
		})
	}
}
