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

// PlansOf returns the objects that name the records of a system by their keys, as its erasure
// left them: what it planned, and what came after that and had to stay.
func (s State) PlansOf(system string) []dsar.Object {
	if t := s.Task(system, dsar.Plan); t != nil {
		return s.plansOf(t)
	}
	return nil
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
	return o.SHA256 != "" && s.ofSystem(system, dsar.Plan, o)
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

// CodeKeptGone is the code of an erasure that leaves less than had to stay by its plan, and
// of a proof that finds less of that than the erasure left.
const CodeKeptGone = "kept-gone"

// keptGone says what an erasure left, since it must stay, and its proof finds no more;
// empty where all of it is there. What may go by now isn't missed, nor what another
// person's erasure may take.
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
			if first := retentionDue(kept); !othersMayTake(kept) && (first.IsZero() || first.After(d.now)) {
				stays += kept.Records
			}
		}
		if p.Found < stays {
			parts = append(parts, fmt.Sprintf("%s: %d records must stay, and %d are found", e.Dataset, stays, p.Found))
		}
	}
	return strings.Join(parts, "; ")
}

// keptErased says what an erasure leaves of what had to stay by its plan and must stay still:
// where it leaves less, it has erased some of it, whatever the sums are. A record that it
// didn't find may have been one of them.
func (d *decider) keptErased(r dsar.Report) string {
	if r.Action != dsar.Erase || d.plan(d.system(r.System)) == nil || d.Again != nil {
		return ""
	}
	datasets, held := d.HeldIn(r.System)
	var parts []string
	for _, p := range d.Task(r.System, dsar.Plan).End.Counts {
		e := of(r.Counts, p.Dataset)
		if e.Uncovered != "" || p.Uncovered != "" {
			continue
		}
		stays := int64(0)
		for _, kept := range p.Retained {
			lifted := kept.Ground == dsar.LegalHold && (!held || datasets != nil && !slices.Contains(datasets, p.Dataset))
			if first := retentionDue(kept); !lifted && !othersMayTake(kept) && (first.IsZero() || first.After(d.now)) {
				stays += kept.Records
			}
		}
		if left := e.Kept() + e.Gone; left < stays {
			parts = append(parts, fmt.Sprintf("%s: %d records had to stay by the plan, and the erasure left %d", p.Dataset, stays, left))
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
// isn't the one that was made, was never made, or was overtaken: it begins anew with another.
func (t *TaskState) lacksPlan() bool {
	return t.Status == TaskIsFailed && slices.Contains([]string{dsar.CodePlanMissing, dsar.CodePlanMismatch, dsar.CodeNoPlan, dsar.CodePlanOvertaken}, t.End.Code)
}

// foundUnplanned reports whether a proof found what no plan has: where nothing was planned
// there is nothing to erase by, and it begins anew with a plan.
func (d *decider) foundUnplanned(t *TaskState) bool {
	return t.foundAgain() && d.plan(d.system(t.System)) == nil && !d.held(d.system(t.System))
}

// foundAgain reports whether a proof failed since what was to be erased is still there, or
// there again.
func (t *TaskState) foundAgain() bool {
	return t.Action == dsar.Prove && t.Status == TaskIsFailed && (t.End.Code == "still-there" || t.End.Code == CodeCameBack)
}

// refusePlanless records that an erasure isn't sent, since no plan of a worker's says what
// it may erase: a person planned it, say. A person erases it too, or has it planned.
func (d *decider) refusePlanless(system string) {
	attempt := 0
	if t := d.Task(system, dsar.Erase); t != nil {
		attempt = t.Attempt
	}
	d.record(TaskFailed{System: system, Action: dsar.Erase, Attempt: attempt, Outcome: dsar.Manual, Code: dsar.CodeNoPlan,
		Reason: "no worker's plan says what may be erased: a person does it, or has it planned by a retry", Moment: Moment{At: d.now}})
}

// CodeLateTooMany is the code of the brake on what an erasure found by asking anew: it erased
// far more that no plan has than one person has.
const CodeLateTooMany = "late-too-many"

// lateTooMany says how many records that no plan has an erasure reports as erased, where they
// are more than a plan may erase before a person accepts it: nobody was shown them. Empty where
// they aren't.
func (d *decider) lateTooMany(r dsar.Report) string {
	if r.Action != dsar.Erase {
		return ""
	}
	late := int64(0)
	for _, c := range r.Counts {
		late += min(c.Late, c.Erased+c.Anonymised)
	}
	if limit := d.brake(r.System); late > limit {
		return fmt.Sprintf("%d records that no plan has were erased, more than the %d that the manifest expects of one person", late, limit)
	}
	return ""
}

// brake returns how many records a plan may erase in a system before a person must
// accept it.
func (d *decider) brake(system string) int64 {
	if n := d.system(system).MaxRecords; n > 0 {
		return n
	}
	return dsar.DefaultMaxRecords
}
