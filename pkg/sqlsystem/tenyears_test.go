package sqlsystem

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
)

// TestTenYears runs the retention clock over ten years on a real database: the
// core says when, the manifest says what, and every row that had to stay goes on
// its day, once, by the same count, erasure and proof as all others. Nobody
// else's row goes at all.
func TestTenYears(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		rng := rand.New(rand.NewPCG(10, 10))
		start := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
		date := func(at time.Time) string { return at.Format(time.DateOnly) }
		goes := map[string]string{} // order → the day on which it may go; "" at once
		d.person(t, 1, "ann@example.com", nil)
		d.person(t, 2, "bob@example.com", nil)
		for i := range 40 {
			// Days that every February has.
			placed := time.Date(2013+rng.IntN(13), time.Month(1+rng.IntN(12)), 1+rng.IntN(28), 0, 0, 0, 0, time.UTC)
			if placed.After(start) {
				placed = start
			}
			end := placed.AddDate(10, 0, 0)
			var disputed any
			if rng.IntN(4) == 0 {
				quarrel := time.Date(2025, time.Month(6+rng.IntN(7)), 1+rng.IntN(28), 12, 0, 0, 0, time.UTC)
				disputed = quarrel.Format(time.RFC3339)
				if e := quarrel.AddDate(1, 6, 0).Truncate(24 * time.Hour); e.After(end) {
					end = e
				}
			}
			number := fmt.Sprintf("ann-%02d", i)
			if goes[number] = date(end); !end.After(start) {
				goes[number] = ""
			}
			d.insert(t, "orders", number, 1, date(placed), disputed)
			d.insert(t, "orders", fmt.Sprintf("bob-%02d", i), 2, date(placed), disputed)
		}
		now := start
		m := shop(t)
		s, err := Open(t.Context(), m, d.source, WithClock(func() time.Time { return now }))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var state dsar.State
		do := func(c dsar.Command) {
			t.Helper()
			facts, err := dsar.Decide(state, c)
			if err != nil {
				t.Fatalf("%T: %v", c, err)
			}
			for _, f := range facts {
				state = dsar.Evolve(state, f)
			}
		}
		def := m.Definition()
		def.Abilities = []dsar.Action{dsar.Erase}
		do(dsar.Submit{Accepted: dsar.Accepted{RequestID: "r", Right: dsar.Erasure, ReceivedAt: now, AcceptedAt: now, DueAt: now.AddDate(0, 1, 0), Digest: "d", Systems: []dsar.System{def},
			Identifiers: []dsar.Identifier{{Type: "customer", Fingerprint: "fp"}}}})
		orders := func(who string) []string {
			return slices.DeleteFunc(slices.Sorted(slices.Values(d.column(t, "SELECT number FROM orders"))), func(n string) bool { return n[:3] != who })
		}
		for round := 0; ; round++ {
			before := orders("ann")
			for state.Status != dsar.StatusCompleted {
				do(answerTask(t, s, state, now))
			}
			left := orders("ann")
			for _, number := range before {
				day := goes[number]
				gone := !slices.Contains(left, number)
				switch {
				case round == 0 && gone != (day == ""):
					t.Errorf("%s may go %q, and is gone at once: %v", number, day, gone)
				case round > 0 && gone && day != date(now):
					t.Errorf("%s may go on %s, and went on %s", number, day, date(now))
				case round > 0 && !gone && day <= date(now):
					t.Errorf("%s may go on %s, and is there on %s", number, day, date(now))
				}
			}
			wake := dsar.Wake(state)
			if wake.IsZero() {
				if len(left) > 0 {
					t.Errorf("nothing wakes for %v", left)
				}
				break
			}
			if round > len(goes) || !wake.After(now) {
				t.Fatalf("round %d wakes at %s", round, wake)
			}
			now = wake
			do(dsar.Tick{Now: now})
		}
		if days := len(slices.Compact(slices.Sorted(maps.Values(goes)))); days < 20 {
			t.Errorf("only %d days: nothing much was tried", days)
		}
		if got := orders("bob"); len(got) != 40 {
			t.Errorf("%d of Bob's 40 orders are left", len(got))
		}
	})
}

// answerTask does the first task that was sent, and reports it.
func answerTask(t *testing.T, s *System, state dsar.State, now time.Time) dsar.Command {
	t.Helper()
	for _, task := range state.Tasks {
		if task.Status != dsar.TaskIsSent {
			continue
		}
		r := dsar.Report{System: task.System, Action: task.Action, Attempt: task.Attempt, Kind: dsar.ReportEnded}
		if task.System == dsar.Aggregator {
			r.Outcome, r.Objects = dsar.Assembled, []dsar.Object{{Name: "certificate"}}
			return dsar.Heard{Report: r, Now: now}
		}
		jobs := countJobs(dsar.Erasure, ids("customer 1"))
		call := s.CountBatch
		if task.Action == dsar.Erase {
			call = s.EraseBatch
		}
		if err := call(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		r.Counts = jobs[0].Counts
		r.Outcome = map[dsar.Action]dsar.Outcome{dsar.Count: dsar.Found, dsar.Erase: dsar.Erased, dsar.Prove: dsar.Proven}[task.Action]
		return dsar.Heard{Report: r, Now: now}
	}
	t.Fatalf("nothing was sent: %s, %+v", state.Status, state.Tasks)
	return nil
}
