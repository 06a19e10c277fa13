package dsar

import (
	"fmt"
	"slices"
)

func (c Attest) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if d.Status.Ended() {
		return ErrEnded
	}
	var waiting []TaskState
	for _, t := range d.Tasks {
		if t.Status == TaskIsFailed && t.System == c.System && t.System != Aggregator && (c.Action == "" || c.Action == t.Action) {
			waiting = append(waiting, t)
		}
	}
	if len(waiting) != 1 {
		return ErrNothingToAttest
	}
	t := waiting[0]
	if allowed := t.Attestable(); !slices.Contains(allowed, c.Outcome) {
		return fmt.Errorf("%w: %s ends as one of %v", ErrNotAllowed, t.Action, allowed)
	}
	e := TaskEnded{System: t.System, Action: t.Action, Attempt: t.Attempt, Outcome: c.Outcome, Counts: c.Counts, Objects: c.Objects,
		Identifiers: c.Identifiers, Code: "by-hand", Reason: c.Reason, By: c.By, At: d.now}
	gathered := c.Outcome == Gathered && len(c.Objects) == 0
	switch {
	case c.Reason == "":
		return fmt.Errorf("%w: what was done must be said", ErrNotAllowed)
	case gathered && t.End.Code == CodeOthers:
		// What the worker gathered is what is disclosed.
		e.Objects, e.Counts, e.Code = t.End.Objects, t.End.Counts, CodeOthersRedacted
		if c.Release {
			e.Code = CodeOthersReleased
		}
	case gathered:
		return fmt.Errorf("%w: the records must be handed over", ErrNotAllowed)
	case t.End.Outcome == Incomplete:
		t.End.complete(&e)
	}
	d.record(e)
	return nil
}

// Attestable are the outcomes that a person can attest of the task.
func (t *TaskState) Attestable() []Outcome {
	outcomes := Attestable(t.Action)
	if t.End.Outcome == Incomplete { // first: it claims the least
		outcomes = slices.Insert(outcomes, 0, Incomplete)
	}
	return outcomes
}

// Attestable are the outcomes that a person can attest of an action.
func Attestable(a Action) []Outcome {
	//exhaustive:enforce
	switch a {
	case Resolve, Count:
		return []Outcome{Found, NothingFound}
	case Gather:
		return []Outcome{Gathered, NothingFound}
	case Erase:
		return []Outcome{Erased, Anonymised, Retained, NothingFound}
	case Prove:
		return []Outcome{Proven}
	case Rectify:
		return []Outcome{Rectified, NothingFound}
	case Restrict:
		return []Outcome{Restricted, NothingFound}
	case Assemble:
		return nil
	default:
		return nil
	}
}
