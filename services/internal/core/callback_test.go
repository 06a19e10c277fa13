package core_test

import (
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
)

// calledBack returns a request whose caller is told of changes.
func calledBack(t *testing.T) *desk {
	t.Helper()
	d := underLaw(t, dsar.Access, core.Terms{}, events)
	d.state.Accepted.CallsBack = true
	d.report(ended("events", dsar.Gather, dsar.Gathered))
	if n := len(d.state.Changes); n != 1 || d.state.Changes[0].Status != core.StatusAssembling || !slices.Contains(d.state.Duties(d.now), core.DutyCallBack) || core.Wake(d.state).After(d.now) {
		t.Fatalf("%+v, duties %v", d.state.Changes, d.state.Duties(d.now))
	}
	return d
}

// TestCallerHearsOfChanges: each change of the status is owed to the caller once, while the
// person is awaited too, and after the end.
func TestCallerHearsOfChanges(t *testing.T) {
	t.Parallel()
	d := calledBack(t)
	d.do(core.TellCaller{Through: d.state.Changes[0].Fact, Now: d.now})
	if len(d.state.Changes) > 0 || slices.Contains(d.state.Duties(d.now), core.DutyCallBack) {
		t.Errorf("%+v", d.state.Changes)
	}
	if facts := d.do(core.TellCaller{Through: 1, Now: d.now}); len(facts) > 0 {
		t.Errorf("told twice: %v", facts)
	}
	d.report(ended(dsar.Aggregator, dsar.Assemble, dsar.Assembled))
	if n := len(d.state.Changes); n != 1 || d.state.Changes[0].Status != core.StatusCompleted || !slices.Contains(d.state.Duties(d.now), core.DutyCallBack) {
		t.Errorf("%+v", d.state.Changes)
	}

	d = underLaw(t, dsar.Access, core.Terms{}, events)
	d.state.Accepted.CallsBack = true
	d.do(core.AskProof{By: "lea", Now: d.now})
	if core.Wake(d.state).After(d.now) || d.state.Changes[0].Status != core.StatusAwaitingProof {
		t.Errorf("wakes %s for %+v", core.Wake(d.state), d.state.Changes)
	}
}

// TestCallerIsAway: what doesn't get through is tried again, further and further apart, for
// more than a day; then it is given up, and a later change is told all the same.
func TestCallerIsAway(t *testing.T) {
	t.Parallel()
	d := calledBack(t)
	began, through := d.now, d.state.Changes[0].Fact
	var waits []time.Duration
	for len(d.state.Changes) > 0 {
		before := d.now
		d.do(core.TellCaller{Through: through, Code: "caller-away", Passing: true, Now: d.now})
		if len(d.state.Changes) == 0 {
			break
		}
		if facts, err := core.Decide(d.state, core.TellCaller{Through: through, Code: "caller-away", Passing: true, Now: d.now}); err != nil || len(facts) > 0 {
			t.Fatalf("before its time: %v, %v", facts, err)
		}
		d.now = d.state.CallUntil
		waits = append(waits, d.now.Sub(before))
	}
	if d.state.CallsGivenUp != through || len(waits) != core.MaxCalls-1 || !slices.IsSorted(waits) || d.now.Sub(began) < 24*time.Hour {
		t.Errorf("given up after %s: %v", d.now.Sub(began), waits)
	}
	d.report(ended(dsar.Aggregator, dsar.Assemble, dsar.Assembled))
	if len(d.state.Changes) != 1 || d.state.CallsFailed != 0 || !d.state.CallUntil.IsZero() {
		t.Errorf("%+v after %d failures", d.state.Changes, d.state.CallsFailed)
	}
	d.do(core.TellCaller{Through: d.state.Changes[0].Fact, Code: "caller-refuses", Now: d.now})
	if len(d.state.Changes) > 0 {
		t.Error("what is refused for good is tried again")
	}
}

// TestEveryChangeIsOwed: whatever happens to a request, what its caller is owed are the
// changes of its status since it was last told, in order.
func TestEveryChangeIsOwed(t *testing.T) {
	t.Parallel()
	seen := 0
	coretest.PlayAll(40, func(s core.State, facts []core.Event, _ time.Time) {
		for _, f := range facts {
			before := s
			if s = core.Evolve(s, f); !s.Accepted.CallsBack {
				if len(s.Changes) > 0 {
					t.Fatalf("nobody is called, and %+v is owed", s.Changes)
				}
				continue
			}
			grown := len(s.Changes) - len(before.Changes)
			if s.Status != before.Status {
				seen++
				if last := s.Changes[len(s.Changes)-1]; grown != 1 || last.Status != s.Status || last.Fact != s.Version {
					t.Fatalf("%s after %s: %+v", s.Status, before.Status, s.Changes)
				}
			} else if grown != 0 {
				t.Fatalf("%T changed nothing, and %+v is owed", f, s.Changes)
			}
		}
	})
	if seen == 0 {
		t.Error("nothing has changed: the test proves nothing")
	}
}

// TestRestIsNoTry: however often a caller wasn't called for its other requests' failures, it is
// called as many times before its changes are given up; and not often.
func TestRestIsNoTry(t *testing.T) {
	t.Parallel()
	d := calledBack(t)
	began, through := d.now, d.state.Changes[0].Fact
	rests := core.TellCaller{Through: through, Rests: true}
	n := 0
	for ; d.now.Sub(began) < 30*24*time.Hour; n++ {
		rests.Now = d.now
		d.do(rests)
		if d.now = d.state.CallUntil; len(d.state.Changes) == 0 {
			t.Fatalf("given up after %d times at which it wasn't called", n)
		}
	}
	if n > 80 {
		t.Errorf("%d facts in a month", n)
	}
	for tries := 1; tries < core.MaxCalls; tries++ {
		d.do(core.TellCaller{Through: through, Code: "caller-away", Passing: true, Now: d.now})
		if d.now = d.state.CallUntil; len(d.state.Changes) == 0 {
			t.Fatalf("given up after %d tries", tries)
		}
	}
	d.do(core.TellCaller{Through: through, Code: "caller-away", Passing: true, Now: d.now})
	if len(d.state.Changes) > 0 || !d.state.CallsGivenUpAt.Equal(d.now) {
		t.Errorf("%d tries, and it isn't given up", core.MaxCalls)
	}
}
