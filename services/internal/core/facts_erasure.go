package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// erasureFacts are the facts of an erasure's plan, and of what was asked after it was
// answered.
var erasureFacts = []factType{
	fact[PlanOpened]("plan.opened"),
	fact[AskedAgain]("erasure.asked-again"),
	fact[AddendumIssued]("addendum.issued"),
}

// PlanOpened says that somebody looked at the keys of the records that an erasure is to
// touch, or has touched, in some systems.
type PlanOpened struct {
	ReasonedAct
	Systems []string `json:"systems"`
}

func (e PlanOpened) evolve(s State) State { return s }

// AskedAgain says that systems are asked again, by the keys of their plans, whether
// anything of an answered erasure has come back.
type AskedAgain struct {
	Act
	Systems []string `json:"systems"`
	// Erase tells that what has come back is erased again without asking a person.
	Erase bool `json:"erase,omitempty"`
}

func (e AskedAgain) evolve(s State) State {
	s = s.askAgain(e.Systems)
	s.Again = &Again{Systems: slices.Clone(e.Systems), Erase: e.Erase, At: e.At, Fact: s.Version}
	if e.By == ByPolicy { // once after each answer
		s.AgainAt = time.Time{}
	}
	return s
}

// AddendumIssued ends the proof of an answered erasure that was made anew: what it found
// is in the outbox, beside the certificate, which stays as it was issued.
type AddendumIssued struct {
	Addendum dsar.Object `json:"addendum"`
	// Number counts the request's addenda, from 1.
	Number int `json:"number"`
	Moment
}

func (e AddendumIssued) evolve(s State) State {
	if s.Again == nil { // it was issued before; Decide never says so twice
		return s
	}
	s.Addenda = append(slices.Clip(s.Addenda), Addendum{Object: e.Addendum, Told: *s.again()})
	s.Status, s.EndedAt, s.Again, s.Receipted = StatusCompleted, e.At, nil, false
	s.RecordsForgotten = time.Time{} // there is an answer again
	s.KeptThen = s.keptNow()
	return s.toTell(e.At)
}
