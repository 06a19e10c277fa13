package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// TakeUp notes what a restored journal had lost of a request, and has it go on from there,
// its systems being asked again; or end, where an answer had gone out. What is known already decides nothing.
type TakeUp struct {
	By, Reason string
	From       TakenFrom
	// Facts is how many facts are appended before, in the same append.
	Facts   int
	Letters []LetterTaken
	Answer  *dsar.Object
	// Lost is how many later facts there were that nobody has any more.
	Lost int
	Now  time.Time
}

func (c TakeUp) now() time.Time { return c.Now }

func (c TakeUp) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if e := c.fact(d.State); e.Facts > 0 || len(e.Letters) > 0 || e.Ends() || e.Lost > 0 || e.From == TakenFromRequests {
		d.record(e)
		d.askRestored()
	}
	return nil
}

// askRestored sends what is out once more: reports of it may have been heard by the journal
// that is lost, and its lease may be long.
func (d *decider) askRestored() {
	if d.Status.Ended() || d.stands() {
		return
	}
	for _, t := range d.Tasks {
		if t.Status == TaskIsSent {
			d.send(t.System, t.Action, SentRestored)
		}
	}
}

// fact returns what is new to a state.
func (c TakeUp) fact(s State) TakenUp {
	e := TakenUp{Act: Act{By: c.By, Reason: c.Reason, At: c.Now}, From: c.From, Facts: c.Facts}
	for _, l := range c.Letters {
		if !s.wrote(l.Letter, l.Cause) {
			e.Letters = append(e.Letters, l)
		}
	}
	if c.Lost > s.FactsLost {
		e.Lost = c.Lost
	}
	known := s.Bundle.Name != "" || !s.AnsweredAt.IsZero() // that answer is the one that lies there
	if s.Status.Ended() || known {
		return e
	}
	e.Answer = c.Answer
	e.Refused = e.Answer == nil && slices.ContainsFunc(e.Letters, func(l LetterTaken) bool { return l.Letter == LetterRefusal })
	return e
}

// takeUp notes what is known of a request that a restored journal takes in again: before
// anything follows from it.
func (d *decider) takeUp(c *TakeUp) {
	if c != nil {
		d.record(c.fact(d.State))
	}
}
