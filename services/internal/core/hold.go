package core

import (
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// RetentionAgain is the least time between two erasures of what was kept: a
// system that names a day which has passed is not asked without end.
const RetentionAgain = 24 * time.Hour

// Held is a hold that is on.
type Held struct {
	System  string
	Dataset string
}

func (c Hold) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if d.Right.Decided() {
		return fmt.Errorf("%w: a person decides this: nothing is erased by it", ErrNotAllowed)
	}
	if slices.Contains(d.Holds, Held{c.System, c.Dataset}) {
		return nil
	}
	d.record(HoldPlaced{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, System: c.System, Dataset: c.Dataset})
	return nil
}

func (c Lift) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if !slices.Contains(d.Holds, Held{c.System, c.Dataset}) {
		return ErrNoSuchHold
	}
	d.record(HoldLifted{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, System: c.System, Dataset: c.Dataset})
	d.endRetention()
	return nil
}

// held reports whether nothing at all of a system may be erased.
func (s State) held(sys dsar.System) bool {
	return slices.ContainsFunc(s.Holds, func(h Held) bool {
		return (h.System == "" || h.System == sys.Name) && (h.Dataset == "" || !sys.Holds)
	})
}

// heldDatasets returns the datasets of a system of which nothing may be erased. Its worker
// leaves them, and sets what flags they have.
func (s State) heldDatasets(sys dsar.System) []string {
	if sys.Holds && s.held(sys) {
		return []string{dsar.AllDatasets}
	}
	var names []string
	for _, h := range s.Holds {
		if (h.System == "" || h.System == sys.Name) && h.Dataset != "" && sys.Holds && !slices.Contains(names, h.Dataset) {
			names = append(names, h.Dataset)
		}
	}
	slices.Sort(names)
	return names
}

// heldEnd ends an erasure that a hold forbids in a system whose worker can't leave what is
// held: it isn't asked, and all that was planned stays.
func (d *decider) heldEnd(sys dsar.System) {
	e := TaskEnded{System: sys.Name, Action: dsar.Erase, Outcome: dsar.Retained, Code: dsar.LegalHold, Reason: "a legal hold is on", Moment: Moment{At: d.now}}
	if t := d.Task(sys.Name, dsar.Erase); t != nil {
		e.Attempt = t.Attempt
	}
	if plan := d.Task(sys.Name, dsar.Plan); plan != nil {
		e.Counts = withHeld(plan.End.Counts)
	}
	d.record(e)
}

// withHeld says of counts that what could be erased is kept by a hold.
func withHeld(counts []dsar.Counts) []dsar.Counts {
	out := slices.Clone(counts)
	for i := range out {
		if left := out[i].Found - out[i].Kept(); left > 0 {
			out[i].Retained = slices.Clone(out[i].Retained)
			out[i].Retain(left, dsar.LegalHold, time.Time{})
		}
	}
	return out
}

// retentionDue returns when what a system kept may first be erased; the zero time
// where nothing is known to end.
func (s State) retentionDue(sys dsar.System) time.Time {
	var due time.Time
	t := s.Task(sys.Name, dsar.Prove)
	if t == nil || t.Status != TaskIsEnded || s.held(sys) {
		return due
	}
	kept := t.End.Counts
	if t.End.Outcome == dsar.NotApplicable { // a person attested the erasure
		if erase := s.Task(sys.Name, dsar.Erase); erase != nil {
			kept = erase.End.Counts
		}
	}
	soonest := s.EndedAt.Add(RetentionAgain)
	for _, c := range kept {
		if slices.Contains(s.heldDatasets(sys), c.Dataset) {
			continue
		}
		for _, r := range c.Retained {
			at := retentionDue(r)
			switch {
			case r.Ground == dsar.LegalHold && s.Lifted:
				at = s.EndedAt
			case at.IsZero():
				continue
			case at.Before(soonest):
				at = soonest
			}
			if due.IsZero() || at.Before(due) {
				due = at
			}
		}
	}
	return due
}

// endRetention takes an answered erasure up again for the systems in which
// something may go now that had to stay.
func (d *decider) endRetention() {
	if d.Status != StatusCompleted || d.Right != dsar.Erasure {
		return
	}
	var systems []string
	for _, sys := range d.Accepted.Systems {
		if due := d.retentionDue(sys); !due.IsZero() && !d.now.Before(due) {
			systems = append(systems, sys.Name)
		}
	}
	if len(systems) > 0 {
		d.record(RetentionEnded{Systems: systems, Moment: Moment{At: d.now}})
	}
}
