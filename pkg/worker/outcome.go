package worker

import (
	"cmp"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// check holds the result of a call against the manifest. An error is a mistake
// in the worker or the manifest, which another try won't mend.
func (w *Worker) check(j *job) error {
	j.counts = j.open.countFormers(j.counts)
	switch j.task.Action {
	case dsar.Resolve:
		return w.checkFound(j.found)
	case dsar.Gather:
		w.sortCounts(j.counts)
		openUncovered(j)
		return nil
	default:
		return w.checkCounts(j)
	}
}

func (w *Worker) checkFound(found []Found) error {
	if len(found) > MaxFound {
		return Permanent("too-many-identifiers", "the worker found more identifiers than one person has: something shared was taken for the person's own", nil)
	}
	for i := range found {
		f := &found[i]
		// A worker may leave out its own system's name before a type that is its own.
		if own := dsar.IdentifierType(w.system + "." + string(f.Type)); slices.Contains(w.finds, own) {
			f.Type = own
		}
		switch {
		case !slices.Contains(w.finds, f.Type):
			return Permanent("undeclared-identifier", "the worker found an identifier of a type that the manifest doesn't list in finds", nil)
		case f.Value == "" || len(f.Value) > MaxIdentifier:
			return Permanent("bad-identifier", "the worker found an identifier that is empty or too long", nil)
		}
	}
	return nil
}

func (w *Worker) checkCounts(j *job) error {
	finding := j.task.Action == dsar.Plan || j.task.Action == dsar.Prove
	// A copy: the implementation may hold on to its own.
	j.counts = slices.Clone(j.counts)
	for i := range j.counts {
		c := &j.counts[i]
		d, ok := w.datasets[c.Dataset]
		if !ok {
			return Permanent("undeclared-dataset", "the worker counted in dataset "+quoteName(c.Dataset)+", which the manifest doesn't declare", nil)
		}
		c.Dataset = d.section.Dataset
		if err := checkRetained(c); err != nil {
			return err
		}
		switch {
		case min(c.Found, c.Gathered, c.Erased, c.Anonymised, c.Rectified, c.Restricted, c.Gone, c.Reassigned, c.Unclaimed, c.Former, c.Late, c.Mentions) < 0:
			return Permanent("bad-counts", "the worker gave a negative count in dataset "+c.Dataset, nil)
		case j.task.Action != dsar.Erase && c.Gone+c.Reassigned+c.Late > 0:
			return Permanent("bad-counts", "the worker says that records of dataset "+c.Dataset+" are gone or late, which only an erasure can", nil)
		case j.task.Action != dsar.Plan && c.Mentions > 0:
			return Permanent("bad-counts", "the worker says that records of others in dataset "+c.Dataset+" mention the person, which only a plan can", nil)
		case finding && c.Kept() > c.Found:
			return Permanent("bad-counts", "the worker retains more records in dataset "+c.Dataset+" than it found: found is everything that is held", nil)
		}
		if slices.ContainsFunc(j.counts[:i], func(o dsar.Counts) bool { return o.Dataset == c.Dataset }) {
			return Permanent("bad-counts", "the worker counted dataset "+c.Dataset+" twice", nil)
		}
	}
	w.sortCounts(j.counts)
	openUncovered(j)
	if j.task.Action == dsar.Rectify {
		fillChanged(j)
	}
	return nil
}

// openUncovered makes the reasons of what was not reached fit to go out.
func openUncovered(j *job) {
	for i := range j.counts {
		if c := &j.counts[i]; c.Uncovered != "" {
			c.Uncovered = openReason(c.Uncovered, j.open)
			if c.Cause != nil {
				c.Cause = openCause(*c.Cause, j.open)
			}
		}
	}
}

// uncovered returns the reasons of what was not reached, each once; empty where all
// was.
func uncovered(counts []dsar.Counts) string {
	var reasons []string
	for _, c := range counts {
		if c.Uncovered != "" && !slices.Contains(reasons, c.Uncovered) {
			reasons = append(reasons, c.Uncovered)
		}
	}
	return cut(strings.Join(reasons, "; "), MaxReason)
}

// fillChanged names the columns that were corrected, where the implementation
// doesn't: all that were asked for.
func fillChanged(j *job) {
	for i := range j.counts {
		c := &j.counts[i]
		if c.Rectified == 0 || len(c.Changed)+len(c.Unchanged) > 0 {
			continue
		}
		for _, change := range j.changes {
			if change.Dataset == c.Dataset && !slices.Contains(c.Changed, change.Column) {
				c.Changed = append(c.Changed, change.Column)
			}
		}
	}
}

func checkRetained(c *dsar.Counts) error {
	if len(c.Retained) == 0 {
		return nil
	}
	kept := make([]dsar.Retention, 0, len(c.Retained))
	for _, r := range c.Retained {
		switch {
		case r.Records < 0:
			return Permanent("bad-counts", "the worker gave a negative count in dataset "+c.Dataset, nil)
		case !isSlug(r.Ground):
			return Permanent("bad-ground", "the worker retains records of dataset "+c.Dataset+" on a ground that is not a name such as tax-records", nil)
		case r.Records > 0:
			r.Until, r.Next = dsar.KnownEnd(r.Until), dsar.KnownEnd(r.Next)
			kept = append(kept, r)
		}
	}
	if len(kept) > MaxGrounds {
		return Permanent("bad-ground", "the worker names too many grounds in dataset "+c.Dataset, nil)
	}
	slices.SortFunc(kept, func(a, b dsar.Retention) int {
		return cmp.Or(cmp.Compare(a.Ground, b.Ground), a.Until.Compare(b.Until))
	})
	c.Retained = kept
	return nil
}

// unmet says what of its plan an erasure doesn't account for; empty where it does. A
// task without a plan is one that a person planned.
func (j *job) unmet() string {
	if j.task.Action != dsar.Erase || j.plan == nil {
		return ""
	}
	return dsar.Unmet(j.plan.counts, j.counts)
}

// sortCounts puts counts in the manifest's order: the same facts give the same
// report, in whatever order a worker went through its datasets.
func (w *Worker) sortCounts(counts []dsar.Counts) {
	if len(counts) < 2 {
		return
	}
	slices.SortFunc(counts, func(a, b dsar.Counts) int {
		return cmp.Compare(w.place(a.Dataset), w.place(b.Dataset))
	})
}

func (w *Worker) place(name string) int {
	return slices.IndexFunc(w.order, func(d *dataset) bool { return d.section.Dataset == name })
}

// outcome returns what a job's result means.
func outcome(j *job) dsar.Outcome {
	var sum dsar.Counts
	var kept int64
	for i := range j.counts {
		c := &j.counts[i]
		sum.Found += c.Found
		sum.Erased += c.Erased
		sum.Anonymised += c.Anonymised
		sum.Rectified += c.Rectified
		sum.Restricted += c.Restricted
		kept += c.Kept()
	}
	switch a := j.task.Action; {
	case slices.ContainsFunc(j.counts, func(c dsar.Counts) bool { return c.Uncovered != "" }):
		return dsar.Incomplete
	case a == dsar.Resolve && len(j.found) > 0:
		return dsar.Found
	// Also where portability left all of it out: its counts tell.
	case a == dsar.Gather && sum.Found > 0:
		return dsar.Gathered
	case a == dsar.Plan && sum.Found > 0:
		return dsar.Found
	case a == dsar.Prove && sum.Found > kept:
		return dsar.Found // the core takes it up
	case a == dsar.Prove:
		return dsar.Proven
	case a == dsar.Erase && kept > 0:
		return dsar.Retained
	case a == dsar.Erase && sum.Anonymised > 0:
		return dsar.Anonymised
	case a == dsar.Erase && sum.Erased > 0:
		return dsar.Erased
	case a == dsar.Assemble:
		return dsar.Assembled
	case a == dsar.Rectify && sum.Rectified > 0:
		return dsar.Rectified
	case a == dsar.Restrict && sum.Restricted > 0:
		return dsar.Restricted
	default:
		return dsar.NothingFound
	}
}
