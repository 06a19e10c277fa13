package core

import (
	"time"

	"habeas.dev/pkg/dsar"
)

// grievanceFacts are the facts of what a person decides.
var grievanceFacts = []factType{
	fact[GrievanceDecided]("grievance.decided"),
	fact[Reopened]("request.reopened"),
}

// About is the earlier request that another is about: an appeal, a complaint.
type About struct {
	RequestID string     `json:"request_id"`
	Right     dsar.Right `json:"right"`
	// DecidedBy are who refused it: none of them decides again.
	DecidedBy []string `json:"decided_by,omitempty"`
}

// GrievanceDecided ends a request that a person decides: somebody has looked at it.
type GrievanceDecided struct {
	ReasonedAct
	Finding Finding `json:"finding"`
	// Reopened tells that the earlier request was taken up again.
	Reopened bool `json:"reopened,omitempty"`
}

func (e GrievanceDecided) evolve(s State) State {
	s.Decision, s.AnsweredAt = e, e.At
	return s.end(StatusCompleted, e.At)
}

// Reopened says that a refused request goes on, since a grievance about it was upheld.
type Reopened struct {
	Act
	Grievance string `json:"grievance"`
}

func (e Reopened) evolve(s State) State {
	s.ReopenedBy = append(append([]string(nil), s.ReopenedBy...), e.Grievance)
	s.Refusal, s.EndedAt, s.Receipted = Refused{}, time.Time{}, false
	s.Status = s.goingOn()
	return s
}
