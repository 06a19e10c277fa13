package dsar

import (
	"cmp"
	"slices"
)

// uncovered names the datasets that were not reached, or not wholly.
func uncovered(counts []Counts) []string {
	var names []string
	for _, c := range counts {
		if c.Uncovered != "" {
			names = append(names, c.Dataset)
		}
	}
	return names
}

// leftByErase says of what a proof still finds that the erasure could not reach it:
// asking again would find the same.
func (d *decider) leftByErase(proof *Report) {
	erase := d.Task(proof.System, Erase)
	if erase == nil || erase.End.Outcome != Incomplete {
		return
	}
	proof.Counts = slices.Clone(proof.Counts)
	for i := range proof.Counts {
		c := &proof.Counts[i]
		for _, e := range erase.End.Counts {
			if e.Dataset == c.Dataset && e.Uncovered != "" && c.Uncovered == "" && c.Found > c.Kept() {
				c.Uncovered = e.Uncovered
				proof.Reason = cmp.Or(proof.Reason, erase.End.Reason)
			}
		}
	}
}

// isLast tells whether an action is the last before the answer. What is
// incomplete earlier says so again there: an erasure goes on with what can be
// reached, and a person sees it once.
func (d *decider) isLast(a Action) bool {
	stages := d.Right.Stages()
	return slices.Index(stages, a) == len(stages)-2
}

// anew are the systems whose erasure begins anew when these tasks are retried:
// what can be reached now was not in the plan. A system that is erased after one
// of them is asked again too, since what was left may have come back to it.
func (d *decider) anew(again []TaskState) []string {
	var systems []string
	for _, t := range again {
		if t.Action == Prove && t.Status == TaskIsFailed && t.End.Outcome == Incomplete {
			systems = append(systems, t.System)
		}
	}
	for i := 0; i < len(systems); i++ {
		for _, sys := range d.Accepted.Systems {
			if slices.Contains(sys.EraseAfter, systems[i]) && !slices.Contains(systems, sys.Name) && d.Task(sys.Name, Prove) != nil {
				systems = append(systems, sys.Name)
			}
		}
	}
	return systems
}

// complete makes a person's attestation, of what a worker could not reach, one of
// the whole task: what the worker did is part of it.
func (end *ActionEnd) complete(e *TaskEnded) {
	e.Objects = slices.Concat(end.Objects, e.Objects)
	if e.Outcome == Incomplete { // it stays at that
		e.Counts, e.Code = end.Counts, CodeNotCovered
		return
	}
	byHand := e.Counts
	e.Counts = nil
	for _, c := range end.Counts {
		c.Uncovered = ""
		if i := slices.IndexFunc(byHand, func(h Counts) bool { return h.Dataset == c.Dataset }); i >= 0 {
			c = c.plus(byHand[i])
			byHand = slices.Delete(slices.Clone(byHand), i, i+1)
		}
		e.Counts = append(e.Counts, c)
	}
	e.Counts = append(e.Counts, byHand...)
	if e.Outcome == NothingFound {
		e.Outcome = end.did()
	}
}

func (c Counts) plus(o Counts) Counts {
	c.Found += o.Found
	c.Gathered += o.Gathered
	c.Erased += o.Erased
	c.Anonymised += o.Anonymised
	c.Rectified += o.Rectified
	c.Restricted += o.Restricted
	c.Changed = slices.Concat(c.Changed, o.Changed)
	c.Unchanged = slices.Concat(c.Unchanged, o.Unchanged)
	c.Retained = slices.Concat(c.Retained, o.Retained)
	return c
}

// did is the outcome of what a worker did in the datasets that it could reach.
func (end *ActionEnd) did() Outcome {
	var sum Counts
	for _, c := range end.Counts {
		sum.Found += c.Found
		sum.Rectified += c.Rectified
		sum.Restricted += c.Restricted
	}
	switch {
	case end.Action == Gather && sum.Found > 0:
		return Gathered
	case end.Action == Count && sum.Found > 0:
		return Found
	case sum.Rectified > 0:
		return Rectified
	case sum.Restricted > 0:
		return Restricted
	default:
		return NothingFound
	}
}
