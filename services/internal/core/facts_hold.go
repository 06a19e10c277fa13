package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// holdFacts are the facts of what must stay, and what may go.
var holdFacts = []factType{
	fact[HoldPlaced]("hold.placed"),
	fact[HoldLifted]("hold.lifted"),
	fact[HoldReleased]("hold.released"),
	fact[RetentionEnded]("retention.ended"),
}

// HoldPlaced says that records must not be erased until the hold is lifted.
type HoldPlaced struct {
	ReasonedAct
	System  string `json:"system,omitempty"`  // empty: every system
	Dataset string `json:"dataset,omitempty"` // empty: every dataset
	// Of is the other request of the person on which somebody put it; empty where it was put
	// on this one.
	Of string `json:"of,omitempty"`
}

func (e HoldPlaced) evolve(s State) State {
	h := Held{e.System, e.Dataset}
	if !slices.Contains(s.Holds, h) {
		s.Holds = append(slices.Clip(s.Holds), h)
	}
	s.Over = slices.DeleteFunc(slices.Clone(s.Over), func(over Held) bool { return over == h })
	if e.By != ByPolicy {
		s.Placed = append(slices.Clip(s.Placed), h)
	}
	if e.Of != "" {
		s.CameOver = append(slices.Clip(s.CameOver), CameOver{h, e.Of})
	}
	return s
}

// CameOver is a hold that is on in another request of the person, on which somebody put it.
type CameOver struct {
	Held
	Of string
}

// HoldsFor returns the holds that are on as they come over to another request of the person,
// each as of the request on which somebody put it. The reason names this one, where it is on:
// where it was put on it may be over.
func (s State) HoldsFor(at time.Time) []HoldPlaced {
	var out []HoldPlaced
	for _, h := range s.Holds {
		var of []string
		if slices.Contains(s.Placed, h) {
			of = append(of, s.Accepted.RequestID)
		}
		for _, c := range s.CameOver {
			if c.Held == h && !slices.Contains(of, c.Of) {
				of = append(of, c.Of)
			}
		}
		if of == nil { // it came over before that was written down
			of = append(of, s.Accepted.RequestID)
		}
		for _, id := range of {
			out = append(out, HoldPlaced{ReasonedAct: ReasonedAct{By: ByPolicy, Reason: "a hold is on in request " + s.Accepted.RequestID, At: at}, System: h.System, Dataset: h.Dataset, Of: id})
		}
	}
	return out
}

// HoldOver reports whether a hold that was on is lifted.
func (s State) HoldOver() bool { return len(s.Over) > 0 }

// GoesOnIn returns the holds that were lifted on this request and are on in another one of the
// person: each came over from there, to there, or to both from a third.
func (s State) GoesOnIn(other State) (holds []Held) {
	for _, h := range s.Over {
		if !slices.Contains(holds, h) && slices.Contains(other.Holds, h) && slices.ContainsFunc(other.origins(h), func(id string) bool { return slices.Contains(s.origins(h), id) }) {
			holds = append(holds, h)
		}
	}
	return holds
}

// origins returns the requests from which a hold may be that is, or was, on here: this one
// and those from which it came over.
func (s State) origins(h Held) []string {
	ids := []string{s.Accepted.RequestID}
	for _, c := range s.CameOver {
		if c.Held == h {
			ids = append(ids, c.Of)
		}
	}
	return ids
}

// comesOver records the holds that are on in other requests of the person.
func (d *decider) comesOver(holds []HoldPlaced) {
	for _, h := range holds {
		held := Held{h.System, h.Dataset}
		if !slices.Contains(d.Holds, held) || h.Of != "" && !slices.Contains(d.Placed, held) && !slices.Contains(d.CameOver, CameOver{held, h.Of}) {
			d.record(h)
		}
	}
}

// HoldLifted says that a hold of that reach is over.
type HoldLifted struct {
	Act
	System  string `json:"system,omitempty"`
	Dataset string `json:"dataset,omitempty"`
}

func (e HoldLifted) evolve(s State) State {
	over := func(h Held) bool { return h == Held{e.System, e.Dataset} }
	s.Holds, s.Placed = slices.DeleteFunc(slices.Clone(s.Holds), over), slices.DeleteFunc(slices.Clone(s.Placed), over)
	s.Over = append(slices.Clip(s.Over), Held{e.System, e.Dataset})
	s.Lifted = true
	s.Untold = append(slices.Clip(s.Untold), LiftedHold{Held{e.System, e.Dataset}, e.At})
	return s
}

// RetentionEnded says that records which an answered erasure had to keep may go
// now, as far as nothing else has them stay: the request is taken up again for these systems.
type RetentionEnded struct {
	Systems []string `json:"systems"`
	// Of is a later erasure of the person, where it is asked because of that ([EraseShared]).
	Of string `json:"of,omitempty"`
	Moment
}

func (e RetentionEnded) evolve(s State) State {
	return s.takeUp(e.Systems).changeEach(func(_ int, t *TaskState) {
		if t.Action == dsar.Plan && slices.Contains(e.Systems, t.System) {
			t.Done = len(t.Before)
		}
	})
}
