package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// What a person has asked to see is kept until they have it, or have used up what they can do
// about a refusal, where the law says so (PIPEDA s. 8(8)): an erasure plans, and erases nothing
// while such a request of theirs is open. Nor does it while a restored journal is known to lack
// facts of one and nobody has looked (docs/adr/0056).

// RecourseEvery is how often an erasure that waits looks whether those requests have ended.
const RecourseEvery = 6 * time.Hour

// DutyRecourse is owed to an erasure that waits for other requests of its person
// ([AwaitEarlier]).
const DutyRecourse Duty = "recourse"

// AwaitEarlier says which of the requests that an erasure waits for are still open. It decides
// nothing where it waits for none.
type AwaitEarlier struct {
	Open []string
	Now  time.Time
}

func (c AwaitEarlier) now() time.Time { return c.Now }

func (c AwaitEarlier) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if d.waitsForRecourse() {
		d.record(EarlierAwaited{Open: c.Open, Moment: Moment{At: d.now}})
	}
	return nil
}

// EarlierAwaited says which requests of the person an erasure still waits for; none: it goes on.
type EarlierAwaited struct {
	Open []string `json:"open,omitempty"`
	Moment
}

func (e EarlierAwaited) evolve(s State) State {
	s.After, s.RecourseAt = slices.Clone(e.Open), e.At
	return s
}

// waitsForRecourse reports whether everything is planned, and nothing is erased while other
// requests of the person are open.
func (s State) waitsForRecourse() bool {
	return len(s.After) > 0 && s.Right == dsar.Erasure && s.Stage == dsar.Plan && !s.Status.Ended() && s.Awaited == "" && s.AnsweredAt.IsZero() && (&decider{State: s}).stageIsOver()
}

// waitsForLost reports whether an erasure that has planned waits until somebody has looked what
// a restored journal lacks of it: a hold may have been on.
func (s State) waitsForLost() bool {
	return s.FactsLost > 0 && s.Right == dsar.Erasure && s.Stage == dsar.Plan && !s.Status.Ended() && s.AnsweredAt.IsZero()
}

// HoldsUp reports whether erasures of the same person wait for a request: it is open, where the
// law has them wait, or facts of it are lost, among which may have been that a hold was put on.
func (s State) HoldsUp() bool { return s.Exists() && (!s.Status.Ended() || s.FactsLost > 0) }

// recourseDue returns when it is next to be looked whether they have ended; zero where the
// request waits for none.
func (s State) recourseDue() time.Time {
	switch {
	case !s.waitsForRecourse():
		return time.Time{}
	case s.RecourseAt.IsZero():
		return s.Accepted.AcceptedAt
	default:
		return s.RecourseAt.Add(RecourseEvery)
	}
}
