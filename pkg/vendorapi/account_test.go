package vendorapi

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAccountHolds: whoever asks, whenever, in whatever order, and whoever dies
// in mid-call: the limits hold, and nothing is stuck for ever.
func TestAccountHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tt := &terms{
			vendor: "Acme", every: time.Duration(rapid.Int64Range(0, 2000).Draw(t, "every ms")) * time.Millisecond,
			burst: rapid.IntRange(1, 10).Draw(t, "burst"), places: rapid.IntRange(1, 4).Draw(t, "places"),
			lease: time.Minute, budget: rapid.Int64Range(0, 30).Draw(t, "budget"),
			renewal: func(now time.Time) time.Time { return now.Truncate(time.Hour).Add(time.Hour) },
		}
		begin := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
		now := begin
		state := []byte(nil)
		update := func(f func(s *shared)) {
			s := decodeState(state)
			f(s)
			state = s.encode()
		}
		out := map[string]time.Time{} // until its lease ends
		due := map[string]time.Time{} // reserved: may go from then on
		var went []time.Time
		perHour := map[time.Time]int64{}
		for step := range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 3000).Draw(t, "ms")) * time.Millisecond)
			for h, until := range out {
				if !now.Before(until) {
					delete(out, h)
				}
			}
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0: // one comes back
				for h := range out {
					update(func(s *shared) { s.leave(now, tt, h, result{}) })
					delete(out, h)
					break
				}
			case 1: // time passes, and leases end
				now = now.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(t, "long"))
			default:
				holder, reserved := fmt.Sprint(step), false
				for h, at := range due {
					if !now.Before(at) {
						holder, reserved = h, true
						delete(due, h)
						break
					}
				}
				var g grant
				update(func(s *shared) { g = s.take(now, tt, claim{holder, reserved, true}) })
				switch {
				case g.granted:
					out[holder] = now.Add(tt.lease)
					went = append(went, now)
					perHour[now.Truncate(time.Hour)]++
				case g.wait <= 0:
					t.Fatalf("neither granted nor told to wait: %+v", g)
				case g.reserved:
					due[holder] = now.Add(g.wait)
				}
			}
			for h, until := range out {
				if !now.Before(until) {
					delete(out, h)
				}
			}
			if len(out) > tt.places {
				t.Fatalf("%d at once of %d", len(out), tt.places)
			}
		}
		for hour, n := range perHour {
			if tt.budget > 0 && n > tt.budget {
				t.Fatalf("%d calls of %d in the hour of %v", n, tt.budget, hour)
			}
		}
		// Every stretch has at most a burst and what the rate gives; those that were
		// let through and came late are seen late, so that the stretch is from the
		// beginning.
		if tt.every > 0 {
			for i, at := range went {
				if most := tt.burst + int(at.Sub(begin)/tt.every) + 1; i+1 > most {
					t.Fatalf("%d calls in %v: at most %d", i+1, at.Sub(begin), most)
				}
			}
		}
		// When all is quiet, a call goes through.
		now = now.Add(24 * time.Hour)
		var g grant
		update(func(s *shared) { g = s.take(now, tt, claim{"last", false, true}) })
		if !g.granted {
			t.Fatalf("a day later: %+v", g)
		}
	})
}

// TestCircuitIsShared: what is down for one process is down for all; later one
// call at a time tries it.
func TestCircuitIsShared(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	tt := &terms{vendor: "Acme", burst: 1, places: 3, lease: time.Minute}
	s := decodeState(nil)
	take := func(holder string) grant { return s.take(now, tt, claim{holder, false, true}) }
	if !take("a").granted {
		t.Fatal("closed")
	}
	s.leave(now, tt, "a", result{health: sick})
	for range breakAfter - 1 {
		if !take("a").granted {
			t.Fatal("it opened too early")
		}
		s.leave(now, tt, "a", result{health: sick})
	}
	if g := take("b"); g.granted || g.code != codeDown || g.wait != breakFor || s.account("", now).Circuit != Open {
		t.Fatalf("open: %+v", g)
	}
	now = now.Add(breakFor)
	if s.account("", now).Circuit != HalfOpen || !take("b").granted || take("c").granted {
		t.Fatal("half open: one, and no second")
	}
	s.leave(now, tt, "b", result{health: sick})
	if take("c").granted {
		t.Fatal("it failed again")
	}
	now = now.Add(breakFor)
	take("c")
	s.leave(now, tt, "c", result{health: well})
	if !take("d").granted || !take("e").granted || s.account("", now).Circuit != Closed {
		t.Fatal("well again")
	}
}

// TestToldUsage: the vendor's own count of everybody's calls holds us back, for
// as long as it is fresh.
func TestToldUsage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	tt := &terms{vendor: "Acme", burst: 1, places: 9, lease: time.Minute, share: 0.9, stale: usageStale}
	s := decodeState(nil)
	s.take(now, tt, claim{"a", false, true})
	s.leave(now, tt, "a", result{usage: &usage{Used: 90, Limit: 100}})
	if g := s.take(now, tt, claim{"b", false, true}); g.granted || g.code != "quota" || g.wait != usageStale {
		t.Fatalf("%+v", g)
	}
	now = now.Add(usageStale)
	if !s.take(now, tt, claim{"b", false, true}).granted {
		t.Fatal("an old count holds us back for ever")
	}
}
