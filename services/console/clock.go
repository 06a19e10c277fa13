package console

import (
	"time"

	"habeas.dev/services/internal/words"
)

// dueClock is a request's clock, drawn from when it was received to when the
// answer is due, or to now where that is later.
type dueClock struct {
	Spans []span // what has passed: running and standing
	Due   string
	Was   string // the due date before it was extended; empty: it wasn't
	Now   string // empty: it has ended
	Tone  string
}

// Clock returns the request's clock; nil where nothing is due.
func (b requestBody) Clock(now time.Time) *dueClock {
	if b.DueAt.IsZero() {
		return nil
	}
	until := now
	if !b.EndedAt.IsZero() {
		until = b.EndedAt
	}
	end := b.DueAt
	if until.After(end) {
		end = until
	}
	all := end.Sub(b.ReceivedAt).Seconds()
	if all <= 0 {
		return nil
	}
	at := func(t time.Time) float64 { return min(100, max(0, 100*t.Sub(b.ReceivedAt).Seconds()/all)) }
	c := &dueClock{Due: percent(at(b.DueAt)), Tone: "quiet"}
	if b.EndedAt.IsZero() {
		c.Now, c.Tone = percent(at(now)), locale{lang: words.English()}.due(b.DueAt, now).Tone
	}
	if !b.firstDue.IsZero() && !b.firstDue.Equal(b.DueAt) && b.Extended {
		c.Was = percent(at(b.firstDue))
	}
	stretch := func(from, to time.Time, tone string) {
		if x := at(from); at(to) > x {
			c.Spans = append(c.Spans, span{X: percent(x), Width: percent(at(to) - x), Tone: tone, From: from, Until: to})
		}
	}
	from := b.ReceivedAt
	for _, p := range b.standing(until) {
		stretch(from, p.From, "ran")
		stretch(p.From, p.Until, "stood")
		from = p.Until
	}
	stretch(from, until, "ran")
	return c
}

// standing returns the times for which the clock stood, up to one.
func (b requestBody) standing(until time.Time) []pause {
	var out []pause
	for _, p := range b.Pauses {
		out = append(out, pause{p.From, p.Until})
	}
	if b.Paused {
		out = append(out, pause{b.awaitedSince, until})
	}
	return out
}

// pause is a time for which the clock stood.
type pause struct{ From, Until time.Time }

// Stood returns the pauses that have ended; Since returns when the one that goes on
// began.
func (b requestBody) Stood() []pause { return b.standing(time.Time{})[:len(b.Pauses)] }

// Since returns when the clock was stopped; the zero time where it runs.
func (b requestBody) Since() time.Time {
	if !b.Paused {
		return time.Time{}
	}
	return b.awaitedSince
}
