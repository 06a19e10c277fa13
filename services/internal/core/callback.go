package core

import (
	"hash/fnv"
	"slices"
	"time"
)

// A caller that has an address for it is told of every change of its requests' status. What
// changed is recorded by the facts themselves; here is how far the caller has heard of it.

const (
	// A call that doesn't get through is made again after a minute, then twice as long each
	// time up to half a day, and MaxCalls times in all, which is more than a day; then the
	// changes so far are given up. A caller that rests isn't called, which is no try.
	callRetryFirst = time.Minute
	callRetryMost  = 12 * time.Hour
	MaxCalls       = 12
)

// Change is a change of a request's status.
type Change struct {
	Fact   int // the version of the fact that made it
	Status Status
	At     time.Time
}

// called returns the state in which nothing is owed to the caller up to a fact.
func (s State) called(through int) State {
	s.Changes = slices.DeleteFunc(slices.Clone(s.Changes), func(c Change) bool { return c.Fact <= through })
	s.CallUntil, s.CallsFailed, s.CallsRested = time.Time{}, 0, 0
	return s
}

// changed adds a change of the status, where the caller is told of those.
func (s State) changed(before State, e Event) State {
	if s.Accepted.CallsBack && s.Status != before.Status {
		s.Changes = append(slices.Clip(s.Changes), Change{s.Version, s.Status, e.When()})
	}
	return s
}

// callDue returns when the caller is to be told next; the zero time where nothing is owed.
func (s State) callDue() time.Time {
	switch {
	case len(s.Changes) == 0:
		return time.Time{}
	case !s.CallUntil.IsZero():
		return s.CallUntil
	default:
		return s.Changes[0].At
	}
}

// CodeCallerRests is the code of a caller that isn't called for a while, since calls of its
// other requests don't get through, or take long.
const CodeCallerRests = "caller-rests"

// TellCaller records that the caller was told of the changes up to a fact; or, with a code
// or Rests, that it wasn't told of what comes next. It decides nothing where no call is due.
type TellCaller struct {
	Through int
	Code    string
	// Passing tells that the same may get through later.
	Passing bool
	// Rests tells that the caller wasn't called at all: it is no try.
	Rests bool
	Now   time.Time
}

func (c TellCaller) now() time.Time { return c.Now }

func (c TellCaller) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if !slices.ContainsFunc(d.Changes, func(one Change) bool { return one.Fact == c.Through }) {
		return nil
	}
	if c.Code == "" && !c.Rests {
		d.record(CallerTold{Through: c.Through, Moment: Moment{At: d.now}})
		return nil
	}
	if d.now.Before(d.callDue()) {
		return nil // another process has called, too
	}
	if c.Rests {
		d.record(CallerNotTold{Through: c.Through, Code: CodeCallerRests, Until: d.now.Add(d.nextCall()), Moment: Moment{At: d.now}})
		return nil
	}
	f := CallerNotTold{Through: c.Through, Code: c.Code, Moment: Moment{At: d.now}}
	if c.Passing && d.CallsFailed+1 < MaxCalls {
		f.Until = d.now.Add(d.nextCall())
	} else {
		f.Through = d.Changes[len(d.Changes)-1].Fact
	}
	d.record(f)
	return nil
}

// nextCall returns in what time a caller is called again. A request's own number spreads
// those of one caller, so that each of them has its turn.
func (s State) nextCall() time.Duration {
	wait := callRetryMost
	if n := s.CallsFailed + s.CallsRested; n < MaxCalls {
		wait = min(callRetryFirst<<n, callRetryMost)
	}
	spread := fnv.New32a()
	_, _ = spread.Write([]byte(s.Accepted.RequestID)) // it never fails
	return wait + wait/4*time.Duration(spread.Sum32()%100)/100
}
