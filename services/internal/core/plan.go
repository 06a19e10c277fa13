package core

import (
	"strings"

	"habeas.dev/pkg/dsar"
)

// plan returns the sealed plan that a system's erasure goes by; nil where nothing
// was planned, or a person did it by hand.
func (s State) plan(sys dsar.System) *dsar.Object {
	t := s.Task(sys.Name, dsar.Count)
	if t == nil || t.Status != TaskIsEnded {
		return nil
	}
	for _, o := range t.End.Objects {
		if o.SHA256 != "" && strings.HasPrefix(o.Name, sys.Name+"/"+string(dsar.Count)+"/") {
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
	return dsar.Unmet(d.Task(r.System, dsar.Count).End.Counts, r.Counts)
}

// lacksPlan reports whether an erasure or its proof failed since its plan is gone,
// or isn't the one that was made: it begins anew with another.
func (t *TaskState) lacksPlan() bool {
	return t.Status == TaskIsFailed && (t.End.Code == dsar.CodePlanMissing || t.End.Code == dsar.CodePlanMismatch)
}
