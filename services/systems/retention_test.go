package systems_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
)

// TestTenYears runs the retention clock over ten years on a real database: the
// core says when, the manifest says what, and every row that had to stay goes on
// its day, once, by the same plan, erasure and proof as all others. Nobody
// else's row goes at all.
func TestTenYears(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		rng := rand.New(rand.NewPCG(10, 10))
		start := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
		date := func(at time.Time) string { return at.Format(time.DateOnly) }
		goes := map[string]string{} // order → the day on which it may go; "" at once
		d.run(t, "INSERT INTO people (id, mail) VALUES (1, 'ann@example.com'), (2, 'bob@example.com')")
		order := func(number string, customer int, placed, disputed any) {
			t.Helper()
			d.run(t, "INSERT INTO orders VALUES (?, ?, ?, ?)", number, customer, placed, disputed)
		}
		for i := range 40 {
			// Days that every February has.
			placed := time.Date(2013+rng.IntN(13), time.Month(1+rng.IntN(12)), 1+rng.IntN(28), 0, 0, 0, 0, time.UTC)
			if placed.After(start) {
				placed = start
			}
			end := placed.AddDate(10, 0, 1)
			var disputed any
			if rng.IntN(4) == 0 {
				quarrel := time.Date(2025, time.Month(6+rng.IntN(7)), 1+rng.IntN(28), 12, 0, 0, 0, time.UTC)
				disputed = quarrel.Format(time.RFC3339)
				if e := quarrel.AddDate(1, 6, 1).Truncate(24 * time.Hour); e.After(end) {
					end = e
				}
			}
			number := fmt.Sprintf("ann-%02d", i)
			if goes[number] = date(end); !end.After(start) {
				goes[number] = ""
			}
			order(number, 1, date(placed), disputed)
			order(fmt.Sprintf("bob-%02d", i), 2, date(placed), disputed)
		}
		now := start
		clock := func() time.Time { return now }
		m := shop(t)
		p := play(t, open(t, m, d.source, clock), m, "1", clock)
		orders := func(who string) []string {
			return slices.DeleteFunc(d.column(t, "SELECT number FROM orders"), func(n string) bool { return !strings.HasPrefix(n, who) })
		}
		for round := 0; ; round++ {
			before := orders("ann")
			p.finish()
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
			wake := core.Wake(p.state)
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
			p.decide(core.Tick{Now: now})
		}
		if days := len(slices.Compact(slices.Sorted(maps.Values(goes)))); days < 20 {
			t.Errorf("only %d days: nothing much was tried", days)
		}
		if got := orders("bob"); len(got) != 40 {
			t.Errorf("%d of Bob's 40 orders are left", len(got))
		}
	})
}
