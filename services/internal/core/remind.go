package core

import "time"

const (
	// RemindBefore is how long before the due date a request shows as due soon:
	// half of the shortest period that a law gives (South Korea, 10 days).
	RemindBefore = 5 * 24 * time.Hour
	// RemindEvery is how often who is awaited, the person or an agent, is
	// reminded: there is no end to it, so that nothing is forgotten.
	RemindEvery = 7 * 24 * time.Hour
)

// reminder returns what is to be reminded of next, and when; the zero time where
// nothing waits.
func (s State) reminder() (ReminderOf, time.Time) {
	since := func(t time.Time) time.Time {
		if s.RemindedAt.After(t) {
			t = s.RemindedAt
		}
		return t.Add(RemindEvery)
	}
	switch {
	case s.Awaited != "":
		return s.Awaited, since(s.AwaitedSince)
	case s.refusing():
		return RemindAttention, since(s.Unjudged()[0].At)
	case s.Status == StatusReviewing:
		return RemindAttention, since(s.Accepted.AcceptedAt)
	case s.Status == StatusNeedsAttention:
		return RemindAttention, since(s.Attention.At)
	default:
		return RemindTell, s.tellDue()
	}
}

// remindDue returns when the request is to show as due soon; the zero time where it
// does already, or never will.
func (s State) remindDue() time.Time {
	if !s.running() || s.Status.Ended() || s.Overdue || s.RemindedDue {
		return time.Time{}
	}
	at := s.DueAt.Add(-RemindBefore)
	if at.Before(s.Accepted.AcceptedAt) {
		return time.Time{} // it was nearly due when it came
	}
	return at
}

// running reports whether the clock runs towards a due date.
func (s State) running() bool { return !s.DueAt.IsZero() && !s.Paused && s.AnsweredAt.IsZero() }

// remind records what is to be reminded of. Of a request that has ended that is only that
// nobody has told the person.
func (d *decider) remind() {
	if at := d.remindDue(); !at.IsZero() && !d.now.Before(at) {
		d.record(Reminded{About: RemindDue, Moment: Moment{At: d.now}})
	}
	if about, at := d.reminder(); !at.IsZero() && !d.now.Before(at) {
		d.record(Reminded{About: about, Moment: Moment{At: d.now}})
	}
}
