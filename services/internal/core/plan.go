package core

import (
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// plan returns the sealed plan that a system's erasure goes by; nil where nothing
// was planned, or a person did it by hand.
func (s State) plan(sys dsar.System) *dsar.Object {
	t := s.Task(sys.Name, dsar.Plan)
	if t == nil || t.Status != TaskIsEnded {
		return nil
	}
	for _, o := range t.End.Objects {
		if o.SHA256 != "" && strings.HasPrefix(o.Name, sys.Name+"/"+string(dsar.Plan)+"/") {
			return &o
		}
	}
	return nil
}

// unmet says what of its plan a reported erasure doesn't account for; empty where it
// accounts for all of it, where there is no plan to hold it to, and where the report
// is none of an erasure's end.
func (d *decider) unmet(r dsar.Report) string {
	if r.Action != dsar.Erase || d.plan(d.system(r.System)) == nil {
		return ""
	}
	return dsar.Unmet(d.Task(r.System, dsar.Plan).End.Counts, r.Counts)
}

// withEarlier counts what an earlier try by the same plan said that it had erased, and
// which this one finds gone, as erased: it was, and it was reported.
func (d *decider) withEarlier(counts []dsar.Counts, system string) []dsar.Counts {
	t, plan := d.Task(system, dsar.Erase), d.Task(system, dsar.Plan)
	if d.plan(d.system(system)) == nil || t.End.Action != dsar.Erase || t.End.At.Before(plan.End.At) {
		return counts
	}
	counts = slices.Clone(counts)
	for i := range counts {
		c, before := &counts[i], of(t.End.Counts, counts[i].Dataset)
		erased := min(c.Gone, before.Erased)
		anonymised := min(c.Gone-erased, before.Anonymised)
		c.Erased, c.Anonymised, c.Gone = c.Erased+erased, c.Anonymised+anonymised, c.Gone-erased-anonymised
	}
	return counts
}

// lacksPlan reports whether an erasure or its proof failed since its plan is gone,
// or isn't the one that was made: it begins anew with another.
func (t *TaskState) lacksPlan() bool {
	return t.Status == TaskIsFailed && (t.End.Code == dsar.CodePlanMissing || t.End.Code == dsar.CodePlanMismatch)
}
