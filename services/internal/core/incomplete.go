package core

import (
	"cmp"
	"slices"

	"habeas.dev/pkg/dsar"
)

// uncovered names the datasets that were not reached, or not wholly.
func uncovered(counts []dsar.Counts) []string {
	var names []string
	for _, c := range counts {
		if c.Uncovered != "" {
			names = append(names, c.Dataset)
		}
	}
	return names
}

// CodeLeftReassigned is the code of a proof after an erasure that left nothing of its plan but
// what is somebody else's by now.
const CodeLeftReassigned = "left-reassigned"

// CodeLeftUnclaimed is the code of an erasure or proof, by the keys of a plan, that left nothing but
// what stands under such keys and is nobody's by what it says.
const CodeLeftUnclaimed = "left-unclaimed"

// unclaimed reports whether all that was left is nobody's by what it says.
func unclaimed(counts []dsar.Counts) bool {
	return !slices.ContainsFunc(counts, func(c dsar.Counts) bool { return c.Uncovered != "" && c.Unclaimed == 0 })
}

// leftReassigned says why an erasure left what it planned, where its worker gives the number
// alone.
const leftReassigned = "records that were planned hold somebody else's identifiers by now, and were left"

// leftByErase says of what a proof still finds that the erasure could not reach it:
// asking again would find the same. What must stay may lack its restriction. And it says so
// of what the erasure left of its plan, though the proof finds nothing there: somebody
// else has it by now, or has deleted it, and a person sees that before anything is certified.
// It reports whether all that was left is somebody else's.
func (d *decider) leftByErase(proof *dsar.Report) (reassigned bool) {
	erase := d.Task(proof.System, dsar.Erase)
	if erase == nil || erase.End.By != "" {
		return false
	}
	reassigned = len(uncovered(proof.Counts)) == 0
	proof.Counts = slices.Clone(proof.Counts)
	for _, e := range erase.End.Counts {
		i := slices.IndexFunc(proof.Counts, func(c dsar.Counts) bool { return c.Dataset == e.Dataset })
		switch {
		case i >= 0 && (proof.Counts[i].Uncovered != "" || e.Uncovered != "" && proof.Counts[i].Found > 0):
		case !d.leftOfPlan(proof.System, e):
			continue
		}
		if i < 0 {
			i, proof.Counts = len(proof.Counts), append(proof.Counts, dsar.Counts{Dataset: e.Dataset})
		}
		left, why := e.Uncovered, erase.End.Reason
		if e.Reassigned > 0 && d.planned(proof.System, e.Dataset).Found <= e.Accounted() {
			left, why = cmp.Or(left, leftReassigned), leftReassigned
		} else {
			reassigned = false
		}
		if c := &proof.Counts[i]; c.Uncovered == "" {
			c.Uncovered, c.Cause = cmp.Or(left, leftReassigned), e.Cause
			proof.Reason = cmp.Or(proof.Reason, why)
		}
	}
	return reassigned
}

// planned returns what a system planned of a dataset.
func (d *decider) planned(system, dataset string) dsar.Counts {
	if plan := d.Task(system, dsar.Plan); plan != nil {
		return of(plan.End.Counts, dataset)
	}
	return dsar.Counts{}
}

// leftOfPlan reports whether an erasure left records of a dataset that its plan has: since they
// are somebody else's by now, or since it didn't reach them. What is asked again long after
// goes by keys, and says that they are gone.
func (d *decider) leftOfPlan(system string, e dsar.Counts) bool {
	plan := d.Task(system, dsar.Plan)
	if d.Again != nil || plan == nil || d.plan(d.system(system)) == nil {
		return false
	}
	p := d.planned(system, e.Dataset)
	return e.Reassigned > 0 || e.Uncovered != "" && p.Uncovered == "" && p.Found > e.Accounted()
}

// isLast reports whether an action is the last before the answer. What is
// incomplete earlier says so again there: an erasure goes on with what can be
// reached, and a person sees it once.
func (d *decider) isLast(a dsar.Action) bool {
	if d.restrictsHeld(a) {
		return true
	}
	stages := d.Right.Stages()
	return slices.Index(stages, a) == len(stages)-2
}

// anew returns the systems whose erasure begins anew when these tasks are retried:
// what can be reached now was not in the plan. A system that is erased after one of
// them is asked again too, since what was left may have come back to it.
func (d *decider) anew(again []*TaskState) []string {
	if d.Again != nil { // by the plan's keys, and by no other plan
		return nil
	}
	var systems []string
	for _, t := range again {
		if t.Action == dsar.Prove && t.Status == TaskIsFailed && t.End.Outcome == dsar.Incomplete || t.lacksPlan() || d.foundUnplanned(t) {
			systems = append(systems, t.System)
		}
	}
	for i := 0; i < len(systems); i++ {
		for _, sys := range d.Accepted.Systems {
			if slices.Contains(sys.EraseAfter, systems[i]) && !slices.Contains(systems, sys.Name) && d.Task(sys.Name, dsar.Prove) != nil {
				systems = append(systems, sys.Name)
			}
		}
	}
	return systems
}

// beginAnew begins the erasure of some systems anew, which was not answered yet:
// what was planned and is gone already stays part of the answer.
func (s State) beginAnew(systems []string) State {
	before := s.Tasks
	return s.takeUp(systems).changeEach(func(i int, t *TaskState) {
		t.Earlier, t.Answered = before[i].Earlier, before[i].Answered
		again := before[i].Status != TaskIsDue && slices.Contains(systems, t.System) && t.End.Outcome != ""
		if again && (t.Action == dsar.Plan || t.Action == dsar.Erase) {
			end := t.end()
			end.Earlier = true
			t.Earlier = append(slices.Clip(t.Earlier), end)
		}
	})
}

// end returns how the task ended, as the answer tells it.
func (t *TaskState) end() ActionEnd {
	end := t.End
	end.Tries = t.Attempt - t.Answered
	return end
}

// sum adds counts up, dataset by dataset.
func sum(a, b []dsar.Counts) []dsar.Counts {
	out := slices.Clone(a)
	for _, c := range b {
		if i := slices.IndexFunc(out, func(o dsar.Counts) bool { return o.Dataset == c.Dataset }); i >= 0 {
			out[i] = plus(out[i], c)
		} else {
			out = append(out, c)
		}
	}
	return out
}

// of returns the counts of one dataset; zero where there are none.
func of(counts []dsar.Counts, dataset string) dsar.Counts {
	for _, c := range counts {
		if c.Dataset == dataset {
			return c
		}
	}
	return dsar.Counts{}
}

// complete makes a person's attestation, of what a worker could not reach, one of
// the whole task: what the worker did is part of it.
func (end *ActionEnd) complete(e *TaskEnded) {
	e.Objects = slices.Concat(end.Objects, e.Objects)
	if e.Outcome == dsar.Incomplete { // it stays at that
		e.Counts, e.Code = end.Counts, dsar.CodeNotCovered
		return
	}
	e.Counts = sum(end.Counts, e.Counts)
	for i := range e.Counts {
		e.Counts[i].Uncovered, e.Counts[i].Cause = "", nil
	}
	if e.Outcome == dsar.NothingFound {
		e.Outcome = end.outcome()
	}
}

func plus(c dsar.Counts, o dsar.Counts) dsar.Counts {
	c.Found += o.Found
	c.Gathered += o.Gathered
	c.Erased += o.Erased
	c.Anonymised += o.Anonymised
	c.Gone += o.Gone
	c.Reassigned += o.Reassigned
	c.Unclaimed += o.Unclaimed
	c.Former += o.Former
	c.Late += o.Late
	c.Mentions += o.Mentions
	c.Rectified += o.Rectified
	c.Restricted += o.Restricted
	c.Changed = slices.Concat(c.Changed, o.Changed)
	c.Unchanged = slices.Concat(c.Unchanged, o.Unchanged)
	c.Refused = slices.Concat(c.Refused, o.Refused)
	c.Retained = slices.Concat(c.Retained, o.Retained)
	c.Taken = slices.Concat(c.Taken, o.Taken)
	return c
}

// outcome returns the outcome of what a worker did in the datasets that it could reach.
func (end *ActionEnd) outcome() dsar.Outcome {
	var sum dsar.Counts
	for _, c := range end.Counts {
		sum.Found += c.Found
		sum.Rectified += c.Rectified
		sum.Restricted += c.Restricted
	}
	switch {
	case end.Action == dsar.Gather && sum.Found > 0:
		return dsar.Gathered
	case end.Action == dsar.Plan && sum.Found > 0:
		return dsar.Found
	case sum.Rectified > 0:
		return dsar.Rectified
	case sum.Restricted > 0:
		return dsar.Restricted
	default:
		return dsar.NothingFound
	}
}
