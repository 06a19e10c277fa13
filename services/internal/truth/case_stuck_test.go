package truth

import (
	"context"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// broken can't erase until it is mended: it fails for good, or says that it reached nothing.
type broken struct {
	*sqlsystem.System
	fails  bool
	mended *bool
}

func (w *broken) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	switch {
	case *w.mended:
		return w.System.Erase(ctx, jobs)
	case w.fails:
		return worker.Permanent("no-permission", "the database's user may not delete", nil)
	}
	for _, j := range jobs {
		j.Counts = []dsar.Counts{{Dataset: "tickets", Uncovered: "the database's user may not delete"}}
	}
	return nil
}

// desk has the tickets of people whom the accounts lead to, which are erased first; the
// erasure of the tickets is broken. Of Anna's two one must stay.
func desk(s *scene, fails bool) (mended *bool) {
	db := s.system(`
system: account
datasets: [{name: users, columns: [id, email], subject: {email: email}}]
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE tickets(id INTEGER PRIMARY KEY, user_id INTEGER, issued_on DATE)")
	m := ordinary(s, `
system: desk
erase_after: [account]
datasets: [{name: tickets, columns: [id, 'issued_on:date'], via: [{table: users, on: {user_id: id}}], subject: {email: users.email}, technical: [user_id], keep: P10Y}]
`)
	db.row("users", 1, "anna@example.com")
	db.row("users", 2, "sam@example.com")
	db.row("tickets", 1, 1, "2001-01-01")
	db.row("tickets", 2, 1, "2024-01-01")
	db.row("tickets", 3, 2, "2001-01-01")
	own, err := sqlsystem.Open(s.ctx(), m, db.source, sqlsystem.WithClock(func() time.Time { return s.now }))
	s.must(err)
	s.Cleanup(func() { own.Close() })
	s.stores["desk"] = db
	mended = new(bool)
	s.served(m, &broken{own, fails, mended})
	return mended
}

// says fails unless all of some kinds of statements are made of a system, and none of others.
func (s *scene) says(a answer, system string, all, none []statement.Kind) {
	s.Helper()
	var made []statement.Kind
	for _, said := range a.whole.Statements {
		if said.System == system {
			made = append(made, said.Kind)
		}
	}
	for _, k := range all {
		if !slices.Contains(made, k) {
			s.Errorf("%q isn't said of %q: %v", k, system, made)
		}
	}
	for _, k := range none {
		if slices.Contains(made, k) {
			s.Errorf("%q is said of %q", k, system)
		}
	}
}

// nothingThere are the statements by which nothing would be there, or nothing that needn't be.
var nothingThere = []statement.Kind{
	statement.NothingHeld, statement.NothingElseHeld, statement.NothingLeftOut, statement.EverythingGone, statement.OnlyKeptLeft,
	statement.HoldsNothing, statement.OnlyKeptEarlier, statement.AllErased, statement.AskedAgain, statement.AskedAgainKept,
}

// TestStuckBehindTheLead: an erasure took the row that led to another system's records, and
// is stuck there. Who asks meanwhile hears that something may be there, and another erasure
// doesn't say that all is gone. Once the system is mended, the first one erases by its plan's
// keys, and that is what is told from then on.
func TestStuckBehindTheLead(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{true, false} {
		onBoth(t, func(s *scene) {
			s.quiet = true
			mended := desk(s, fails)
			s.begin()
			first := s.asks(dsar.Erasure, "email anna@example.com")
			s.stops(first, "desk")
			s.holds("account", "SELECT id FROM users", "2")
			s.holds("desk", "SELECT id FROM tickets", "1", "2", "3")
			for _, right := range []dsar.Right{dsar.Access, dsar.Portability, dsar.Erasure} {
				a := s.completes(right, "email anna@example.com")
				s.says(a, "desk", []statement.Kind{statement.MayStillHold}, nothingThere)
				s.says(a, "", nil, nothingThere)
			}
			s.holds("desk", "SELECT id FROM tickets", "1", "2", "3")

			*mended = true
			a := s.completed(s.do(first.Accepted.RequestID, core.Retry{By: "lea", Now: s.now}))
			s.numbers(a, "desk", "tickets", 2, 1, 1)
			s.says(a, "desk", []statement.Kind{statement.PartlyKept, statement.AskedAgainKept}, nil)
			s.holds("desk", "SELECT id FROM tickets", "2", "3")
			a = s.completes(dsar.Access, "email anna@example.com")
			s.says(a, "desk", []statement.Kind{statement.OnlyKeptEarlier}, []statement.Kind{statement.MayStillHold})
			s.says(a, "", []statement.Kind{statement.NothingElseHeld}, []statement.Kind{statement.NothingHeld})
		})
	}
}

// TestErasureComesAfter: an erasure that is accepted while another request of the person is
// open, and gets stuck behind the lead, is known to that one before it is answered.
func TestErasureComesAfter(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet, s.proof = true, "always"
		desk(s, true)
		s.begin()
		r := mine("email anna@example.com")
		r.Right, r.Subject.Proven = dsar.Access, nil
		id := s.submit(r)
		if state := s.play(id); state.Awaited != core.RemindProof {
			s.Fatalf("it awaits %q", state.Awaited)
		}
		s.stops(s.asks(dsar.Erasure, "email anna@example.com"), "desk")
		a := s.completed(s.do(id, core.JudgeProof{By: "lea", Accepted: true, Calendar: s.kit.book, Now: s.now}))
		s.says(a, "desk", []statement.Kind{statement.MayStillHold}, nothingThere)
		s.says(a, "", nil, nothingThere)
	})
}

// TestLeftBehindTheLead: an erasure is stuck behind the lead, and a person leaves it at what was reached. That is what
// its certificate says, and who asks later hears that something may be there.
func TestLeftBehindTheLead(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		desk(s, false)
		s.begin()
		first := s.asks(dsar.Erasure, "email anna@example.com")
		id := first.Accepted.RequestID
		s.stops(first, "desk")
		state := s.do(id, core.Attest{By: "lea", Reason: "the desk is read-only for good", System: "desk", Outcome: dsar.Incomplete, Now: s.now})
		a := s.completed(state)
		s.says(a, "desk", []statement.Kind{statement.PartlyReached}, nothingThere)
		s.says(a, "", []statement.Kind{statement.NotAllGone}, nothingThere)
		s.holds("desk", "SELECT id FROM tickets", "1", "2", "3")
		for _, right := range []dsar.Right{dsar.Access, dsar.Portability, dsar.Erasure} {
			a := s.completes(right, "email anna@example.com")
			s.says(a, "desk", []statement.Kind{statement.MayStillHold}, nothingThere)
			s.says(a, "", nil, nothingThere)
		}
	})
}

// byHand can neither plan nor erase: a person does.
type byHand struct {
	*sqlsystem.System
	mended *bool
}

func (w *byHand) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	if *w.mended {
		return w.System.Plan(ctx, jobs)
	}
	return worker.Permanent("no-permission", "the database's user may not read", nil)
}

func (w *byHand) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	if *w.mended {
		return w.System.Erase(ctx, jobs)
	}
	return worker.Permanent("no-permission", "the database's user may not delete", nil)
}

// TestByHandWithoutKeys: a person did the first erasure by hand, without a plan. When what had
// to stay may go, no keys are known: the worker isn't asked, and what the person has anew
// stays, unless somebody decides.
func TestByHandWithoutKeys(t *testing.T) {
	t.Parallel()
	for _, decided := range []bool{false, true} {
		onBoth(t, func(s *scene) {
			s.quiet = true
			db := newStore(s, s.kind)
			db.exec("CREATE TABLE invoices(id INTEGER PRIMARY KEY, email TEXT, issued_on DATE)")
			m := ordinary(s, `
system: shop
datasets: [{name: invoices, columns: [id, 'issued_on:date'], subject: {email: email}, keep: P10Y}]
`)
			db.row("invoices", 1, "anna@example.com", "2001-01-01")
			db.row("invoices", 2, "anna@example.com", "2024-01-01")
			own, err := sqlsystem.Open(s.ctx(), m, db.source, sqlsystem.WithClock(func() time.Time { return s.now }))
			s.must(err)
			s.Cleanup(func() { own.Close() })
			s.stores["shop"] = db
			mended := new(bool)
			s.served(m, &byHand{own, mended})
			s.begin()
			first := s.asks(dsar.Erasure, "email anna@example.com")
			id := first.Accepted.RequestID
			s.stops(first, "shop", "may not read")
			s.stops(s.do(id, core.Attest{By: "lea", Reason: "looked by hand", System: "shop", Outcome: dsar.Found, Now: s.now}), "shop", "no worker's plan")
			db.exec("DELETE FROM invoices WHERE id = 1")
			a := s.completed(s.do(id, core.Attest{By: "lea", Reason: "done by hand", System: "shop", Outcome: dsar.Retained, Now: s.now}))
			s.says(a, "", nil, []statement.Kind{statement.EverythingGone})
			s.holds("shop", "SELECT id FROM invoices", "2")

			*mended = true
			db.row("invoices", 3, "anna@example.com", "2012-01-01") // she is a customer anew
			s.passed(time.Date(2034, 2, 1, 0, 0, 0, 0, time.UTC))
			s.holds("shop", "SELECT id FROM invoices", "2", "3")
			state, err := s.life.State(s.ctx(), id)
			s.must(err)
			s.stops(state, "shop", "no plan has the keys")
			if decided {
				s.completed(s.do(id, core.Retry{By: "lea", Now: s.now}))
				s.holds("shop", "SELECT id FROM invoices")
				return
			}
			for _, outcome := range []dsar.Outcome{dsar.Found, dsar.Erased, dsar.Proven} { // by hand again
				state = s.do(id, core.Attest{By: "lea", Reason: "done by hand", System: "shop", Outcome: outcome, Now: s.now})
			}
			s.completed(state)
			s.holds("shop", "SELECT id FROM invoices", "2", "3")
		})
	}
}
