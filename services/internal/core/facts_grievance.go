package core

import (
	"slices"
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
	// DecidedBy are who had refused it, or a part of it, or decided it: none of them decides again.
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
	return s.refusedBy(e.By).end(StatusCompleted, e.At).toTell(e.At)
}

// Reopened says that a refused request goes on, since a grievance about it was upheld; or that
// parts which a copy was refused of are given, and the answer is written anew.
type Reopened struct {
	Act
	Grievance string `json:"grievance"`
	// Parts are the datasets that are given, as system/dataset; none of a request that was
	// refused as a whole.
	Parts []string `json:"parts,omitempty"`
}

func (e Reopened) evolve(s State) State {
	s.ReopenedBy = append(append([]string(nil), s.ReopenedBy...), e.Grievance)
	if len(e.Parts) > 0 {
		s.Parts = slices.DeleteFunc(slices.Clone(s.Parts), func(p RefusedPart) bool { return slices.Contains(e.Parts, p.Name()) })
		s.Status, s.Stage, s.EndedAt, s.Receipted = StatusAssembling, dsar.Assemble, time.Time{}, false
		return s.change(dsar.Aggregator, dsar.Assemble, func(t *TaskState) { t.Status, t.StaleThrough = TaskIsDue, t.Attempt })
	}
	s.Refusal, s.EndedAt, s.Receipted, s.ToTell = Refused{}, time.Time{}, false, 0
	s.Status = s.goingOn()
	return s
}

// refusedBy notes who refused something of the request; the policy is nobody.
func (s State) refusedBy(by string) State {
	if by != "" && by != ByPolicy && !slices.Contains(s.RefusedBy, by) {
		s.RefusedBy = append(slices.Clip(s.RefusedBy), by)
	}
	return s
}
