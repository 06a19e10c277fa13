package core

import "slices"

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
}

func (e HoldPlaced) evolve(s State) State {
	s.Holds = append(slices.Clip(s.Holds), Held{e.System, e.Dataset})
	if e.By != ByPolicy {
		s.Placed = append(slices.Clip(s.Placed), Held{e.System, e.Dataset})
	}
	return s
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
	s.Lifted = true
	s.Untold = append(slices.Clip(s.Untold), LiftedHold{Held{e.System, e.Dataset}, e.At})
	return s
}

// RetentionEnded says that records which an answered erasure had to keep may go
// now: the request is taken up again for these systems.
type RetentionEnded struct {
	Systems []string `json:"systems"`
	Moment
}

func (e RetentionEnded) evolve(s State) State { return s.takeUp(e.Systems) }
