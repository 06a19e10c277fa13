package core

import (
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
)

func (c Attest) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if d.Status.Ended() {
		return ErrEnded
	}
	var waiting []*TaskState
	for _, t := range d.Tasks {
		if t.Status == TaskIsFailed && t.System == c.System && t.System != dsar.Aggregator && (c.Action == "" || c.Action == t.Action) {
			waiting = append(waiting, t)
		}
	}
	if len(waiting) != 1 {
		return ErrNothingToAttest
	}
	t := waiting[0]
	if allowed := t.attestable(); !slices.Contains(allowed, c.Outcome) {
		return fmt.Errorf("%w: %s ends as one of %v", ErrNotAllowed, t.Action, allowed)
	}
	e := TaskEnded{System: t.System, Action: t.Action, Attempt: t.Attempt, Outcome: c.Outcome, Counts: c.Counts, Objects: c.Objects,
		Identifiers: c.Identifiers, Code: "by-hand", Reason: c.Reason, By: c.By, Moment: Moment{At: d.now}}
	if len(t.Candidates) > 0 {
		var err error
		if e.Identifiers, err = d.accepted(t, c.Same); err != nil {
			return err
		}
	}
	e.Identifiers = slices.Clone(e.Identifiers)
	for i := range e.Identifiers {
		e.Identifiers[i].FoundBy, e.Identifiers[i].Assurance = t.System, dsar.AssuranceFound
	}
	gathered := c.Outcome == dsar.Gathered && len(c.Objects) == 0
	switch {
	case c.Reason == "":
		return fmt.Errorf("%w: what was done must be said", ErrNotAllowed)
	case c.Redacted != nil && (c.Outcome != dsar.Gathered || len(c.Objects) == 0 || t.End.Code != dsar.CodeOthers):
		return fmt.Errorf("%w: nothing waits for somebody to look at it", ErrNotAllowed)
	case c.Redacted != nil:
		// The copies lack single values, and are else what the worker gathered.
		e.Counts, e.Code, e.Redacted = t.End.Counts, dsar.CodeOthersReviewed, c.Redacted
	case gathered && t.End.Code == dsar.CodeOthers:
		// What the worker gathered is what is disclosed.
		e.Objects, e.Counts, e.Code = t.End.Objects, t.End.Counts, dsar.CodeOthersRedacted
		if c.Release {
			e.Code = dsar.CodeOthersReleased
		}
	case gathered:
		return fmt.Errorf("%w: the records must be handed over", ErrNotAllowed)
	case t.End.Outcome == dsar.Incomplete:
		t.End.complete(&e)
	}
	d.record(e)
	return nil
}

// attestable returns the outcomes that a person can attest of the task, where it
// waits for one.
func (t *TaskState) attestable() []dsar.Outcome {
	outcomes := attestable(t.Action)
	if t.End.Outcome == dsar.Incomplete { // first: it claims the least
		outcomes = slices.Insert(outcomes, 0, dsar.Incomplete)
	}
	return outcomes
}

// attestable returns the outcomes that a person can attest of an action.
func attestable(a dsar.Action) []dsar.Outcome {
	//exhaustive:enforce
	switch a {
	case dsar.Resolve, dsar.Plan:
		return []dsar.Outcome{dsar.Found, dsar.NothingFound}
	case dsar.Gather:
		return []dsar.Outcome{dsar.Gathered, dsar.NothingFound}
	case dsar.Erase:
		return []dsar.Outcome{dsar.Erased, dsar.Anonymised, dsar.Retained, dsar.NothingFound}
	case dsar.Prove:
		return []dsar.Outcome{dsar.Proven}
	case dsar.Rectify:
		return []dsar.Outcome{dsar.Rectified, dsar.NothingFound}
	case dsar.Restrict:
		return []dsar.Outcome{dsar.Restricted, dsar.NothingFound}
	case dsar.Assemble:
		return nil
	default:
		return nil
	}
}
