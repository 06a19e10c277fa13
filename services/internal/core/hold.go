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
// held: it isn't asked, and all that was planned stays. What flags it has are set next
// ([decider.restrictHeld]).
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

// restrictHeld asks a system to stop all use of what an erasure has left in it for a hold,
// once after each erasure that left something: a worker that can't leave single records has
// no flags set by the erasure itself. It is asked by identifiers, and so of the person as
// they were when they asked: a later erasure, which goes by keys, restricts nothing anew.
func (d *decider) restrictHeld(sys dsar.System) {
	erase, restrict := d.Task(sys.Name, dsar.Erase), d.Task(sys.Name, dsar.Restrict)
	switch {
	case sys.Holds, !sys.Can(dsar.Restrict), !d.restrictsHeld(dsar.Restrict), d.byKeys(sys):
	case erase == nil || erase.Status != TaskIsEnded || erase.End.By != "" || !erase.End.leftForHold():
	case len(known(d.Usable(), sys.Needs)) == 0:
	case restrict == nil, restrict.Status == TaskIsEnded && restrict.End.Fact < erase.End.Fact:
		d.send(sys.Name, dsar.Restrict, SentFirst)
	}
}

// restrictsHeld reports whether an action is none of the stages of the request's right, and
// is asked for because an erasure left something for a hold.
func (s State) restrictsHeld(a dsar.Action) bool {
	return s.Right == dsar.Erasure && a == dsar.Restrict
}

// leftForHold reports whether something had to stay for a hold, and isn't flagged.
func (e ActionEnd) leftForHold() bool {
	return e.Code == dsar.LegalHold || slices.ContainsFunc(e.Counts, func(c dsar.Counts) bool {
		return c.Kept() > c.Restricted && slices.ContainsFunc(c.Retained, func(r dsar.Retention) bool { return r.Ground == dsar.LegalHold && r.Records > 0 })
	})
}

// restrictedBefore reports whether a task restricted what an erasure before the last one had
// left: the answer tells nothing of it.
func (s State) restrictedBefore(t *TaskState) bool {
	erase := s.Task(t.System, dsar.Erase)
	return s.restrictsHeld(t.Action) && t.Status == TaskIsEnded && erase != nil && t.End.Fact < erase.End.Fact
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
	if t == nil || t.Status != TaskIsEnded || s.held(sys) || s.retired(sys.Name) != nil {
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

// EraseShared tells an answered erasure that its person asks for erasure again. What it left
// since other people's records referred to it has no day on which it may go, and what led to
// it may be gone: so it is asked for by its plans' keys. It decides nothing where nothing was
// left so, or within [RetentionAgain] of the answer.
type EraseShared struct {
	Of  string // the later erasure
	Now time.Time
}

func (c EraseShared) now() time.Time { return c.Now }

func (c EraseShared) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Right != dsar.Erasure || d.Status != StatusCompleted || !d.SubjectForgotten.IsZero() || d.now.Before(d.EndedAt.Add(RetentionAgain)):
		return nil
	}
	var systems []string
	for _, sys := range d.Accepted.Systems {
		if plan := d.Task(sys.Name, dsar.Plan); plan != nil && len(d.plansOf(plan)) > 0 && !d.held(sys) && keepsShared(d.stayed(sys)) {
			systems = append(systems, sys.Name)
		}
	}
	if len(systems) > 0 {
		d.record(RetentionEnded{Systems: systems, Of: c.Of, Moment: Moment{At: d.now}})
	}
	return nil
}

// keepsShared reports whether counts say that records stay since other people's refer to them.
func keepsShared(counts []dsar.Counts) bool {
	return slices.ContainsFunc(counts, func(c dsar.Counts) bool {
		return slices.ContainsFunc(c.Retained, func(r dsar.Retention) bool { return r.Ground == dsar.GroundShared && r.Records > 0 })
	})
}
