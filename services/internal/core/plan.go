package core

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
		if s.isPlan(sys.Name, o) {
			return &o
		}
	}
	return nil
}

// byKeys reports whether only what stands under a system's earlier plans' keys is meant: the
// request was answered, and the person may have become a customer anew since.
func (s State) byKeys(sys dsar.System) bool {
	return s.Again != nil || !s.AnsweredAt.IsZero() && len(s.earlierPlans(sys)) > 0
}

// CodeNoKeys is the code of a system's part of an answered erasure that is taken up again and
// has no keys to go by: a person did without a plan, or what had to stay came when nothing
// was planned. A person does it, or decides that it goes by identifiers.
const CodeNoKeys = "no-plan-keys"

// lacksKeys reports whether a system's part of an answered erasure that is taken up again has
// no keys to go by: a person planned it, or nothing was planned.
func (s State) lacksKeys(sys dsar.System) bool {
	t := s.Task(sys.Name, dsar.Plan)
	return t != nil && !s.AnsweredAt.IsZero() && s.Again == nil && len(t.Before) == 0 && (t.End.By != "" || t.End.Outcome == dsar.NothingFound)
}

// plansOf returns the objects that name the records of a planned system by their keys: its
// plan, and what its erasure left besides.
func (s State) plansOf(t *TaskState) []dsar.Object {
	if t.Status != TaskIsEnded { // nothing was planned since
		return t.Before
	}
	var out []dsar.Object
	for _, o := range t.End.Objects {
		if s.isPlan(t.System, o) {
			out = append(out, o)
		}
	}
	if out = append(out, t.Late...); len(out) == 0 {
		return t.Before
	}
	return out
}

// otherPlans returns the objects that name records of a system beside its plan: the plans
// before it, and what its erasure left besides.
func (s State) otherPlans(sys dsar.System) []dsar.Object {
	if t := s.Task(sys.Name, dsar.Plan); t != nil {
		return slices.Concat(t.Before, t.Late)
	}
	return nil
}

// earlierPlans returns the plans that were made of a system before the one that is made now.
func (s State) earlierPlans(sys dsar.System) []dsar.Object {
	if t := s.Task(sys.Name, dsar.Plan); t != nil {
		return t.Before
	}
	return nil
}

// SystemPlan is what an erasure is to touch in one system, or has touched, and what must
// stay.
type SystemPlan struct {
	System string
	Status TaskStatus
	// End is how the planning ended or failed, with its counts by dataset; Notes are what
	// the worker noted with it, such as what would go with the records.
	End   ActionEnd
	Notes []string
	// Object holds the keys, sealed; nil where nothing was planned.
	Object *dsar.Object
}

// Plans returns the plans of an erasure, also those that stop for a person; none for
// another right.
func (s State) Plans() []SystemPlan {
	if s.Right != dsar.Erasure {
		return nil
	}
	var out []SystemPlan
	for _, t := range s.Tasks {
		if t.Action != dsar.Plan || t.End.Action == "" {
			continue
		}
		p := SystemPlan{System: t.System, Status: t.Status, End: t.End, Notes: t.Notes}
		for _, o := range t.End.Objects {
			if s.isPlan(t.System, o) {
				p.Object = &o
			}
		}
		out = append(out, p)
	}
	return out
}

func (s State) isPlan(system string, o dsar.Object) bool {
	return o.SHA256 != "" && strings.HasPrefix(o.Name, system+"/"+string(dsar.Plan)+"/")
}

// OpenPlan records that somebody looks at the keys of an erasure's plans. It changes
// nothing else.
type OpenPlan struct {
	By     string
	Reason string
	// Systems are those whose plans are opened; none means all.
	Systems []string
	Now     time.Time
}

func (c OpenPlan) now() time.Time { return c.Now }

func (c OpenPlan) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	var opened []string
	for _, p := range d.Plans() {
		if p.Object != nil && (len(c.Systems) == 0 || slices.Contains(c.Systems, p.System)) {
			opened = append(opened, p.System)
		}
	}
	switch {
	case !d.SubjectForgotten.IsZero():
		return fmt.Errorf("%w: the plans are forgotten", ErrNotAllowed)
	case len(opened) == 0:
		return fmt.Errorf("%w: nothing is planned there", ErrNotAllowed)
	case c.Reason == "":
		return fmt.Errorf("%w: why must be said", ErrNotAllowed)
	}
	d.record(PlanOpened{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, Systems: opened})
	return nil
}

// unmet says what of its plan a reported erasure doesn't account for; empty where it
// accounts for all of it, where there is no plan to hold it to, and where the report
// is none of an erasure's end.
func (d *decider) unmet(r dsar.Report) string {
	if r.Action != dsar.Erase || d.plan(d.system(r.System)) == nil {
		return ""
	}
	planned := d.Task(r.System, dsar.Plan).End.Counts
	if d.Again != nil { // by earlier plans too: no fewer, then
		planned = slices.DeleteFunc(slices.Clone(planned), func(p dsar.Counts) bool { return of(r.Counts, p.Dataset).Accounted() >= p.Found })
		r.Counts = slices.DeleteFunc(slices.Clone(r.Counts), func(c dsar.Counts) bool { return of(planned, c.Dataset).Dataset == "" })
	}
	return dsar.Unmet(planned, r.Counts)
}

// CodeKeptGone is the code of a proof that finds less of what had to stay than the
// erasure left.
const CodeKeptGone = "kept-gone"

// keptGone says what an erasure left, since it must stay, and its proof finds no more;
// empty where all of it is there. What may go by now isn't missed.
func (d *decider) keptGone(r dsar.Report) string {
	erase := d.Task(r.System, dsar.Erase)
	if r.Action != dsar.Prove || erase == nil || erase.Status != TaskIsEnded || erase.End.By != "" {
		return ""
	}
	var parts []string
	for _, e := range erase.End.Counts {
		p := of(r.Counts, e.Dataset)
		if e.Uncovered != "" || p.Uncovered != "" {
			continue
		}
		stays := int64(0)
		for _, kept := range e.Retained {
			if first := retentionDue(kept); first.IsZero() || first.After(d.now) {
				stays += kept.Records
			}
		}
		if p.Found < stays {
			parts = append(parts, fmt.Sprintf("%s: %d records must stay, and %d are found", e.Dataset, stays, p.Found))
		}
	}
	return strings.Join(parts, "; ")
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

// brake returns how many records a plan may erase in a system before a person must
// accept it.
func (d *decider) brake(system string) int64 {
	if n := d.system(system).MaxRecords; n > 0 {
		return n
	}
	return dsar.DefaultMaxRecords
}
