package core_test

import (
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// frozen is a system whose worker can't leave single records, and can stop their use.
var frozen = dsar.System{Name: "frozen", Abilities: []dsar.Action{dsar.Erase, dsar.Restrict}, Needs: []dsar.IdentifierType{"email"}, Purposes: []string{"marketing"}}

// held returns a desk at which an erasure of five records is planned in a held system.
func held(t *testing.T, sys dsar.System) *desk {
	t.Helper()
	d := underLaw(t, dsar.Erasure, core.Terms{}, sys)
	d.do(core.Hold{By: "lea", Reason: "case 17", Now: d.now})
	d.planned(sys.Name, 5)
	return d
}

// restricted reports that a system's use is stopped.
func (d *desk) restricted(system string) {
	d.t.Helper()
	r := ended(system, dsar.Restrict, dsar.Restricted)
	r.Counts = []dsar.Counts{{Dataset: "rows", Found: 5, Restricted: 5}}
	d.report(r)
}

func (d *desk) told(system string, action dsar.Action) *core.ActionEnd {
	for _, s := range d.state.Told().Systems {
		for _, e := range s.Ends {
			if s.System == system && e.Action == action {
				return &e
			}
		}
	}
	return nil
}

// TestWhatAHoldKeepsIsRestricted: a system that keeps all for a hold is asked to stop the use
// of it, as a restriction does, once after each erasure that left something.
func TestWhatAHoldKeepsIsRestricted(t *testing.T) {
	t.Parallel()
	d := held(t, frozen)
	d.wants("frozen restrict")
	task := d.state.NewTask(core.TaskSent{System: "frozen", Action: dsar.Restrict, Attempt: 1})
	if task.Right != dsar.Restriction || len(task.Purposes)+len(task.Details)+len(task.Holds) > 0 || len(task.Identifiers) != 1 {
		t.Errorf("it is asked for %+v", task.Task)
	}
	if end := d.state.Task("frozen", dsar.Erase).End; end.Outcome != dsar.Retained || end.Counts[0].Kept() != 5 {
		t.Errorf("%+v", end)
	}
	d.refuses(core.Cancel{Now: d.now}, core.ErrBegun)
	d.restricted("frozen")
	d.wants("frozen prove")
	d.provenOnly("frozen", dsar.Retention{Ground: dsar.LegalHold, Records: 5})
	d.assembled()
	if e := d.told("frozen", dsar.Restrict); e == nil || e.Outcome != dsar.Restricted {
		t.Errorf("the answer tells %+v", e)
	}

	// The hold is over: all goes, nothing is restricted anew, and the answer tells nothing of it.
	d.do(core.Lift{By: "lea", Reason: "settled", Now: d.now})
	d.wants("frozen plan")
	d.planned("frozen", 5)
	d.wants("frozen erase")
	d.erased("frozen")
	d.wants("frozen prove")
	d.provenOnly("frozen")
	d.assembled()
	if e := d.told("frozen", dsar.Restrict); e != nil {
		t.Errorf("the answer tells %+v", e)
	}
	if told := d.state.Told().Systems[0]; len(told.Open) > 0 {
		t.Errorf("%v are said to be open", told.Open)
	}
}

// TestWhatAnothersHoldKeepsIsRestricted: so does what a system kept since it is somebody
// else's as well, who is held; not where its worker has flagged it, leaves single records or
// has no flag, where a law keeps it, or a person erased by hand.
func TestWhatAnothersHoldKeepsIsRestricted(t *testing.T) {
	t.Parallel()
	kept := func(ground string, restricted int64) []dsar.Counts {
		return []dsar.Counts{{Dataset: "rows", Found: 5, Erased: 3, Restricted: restricted, Retained: []dsar.Retention{{Ground: ground, Records: 2}}}}
	}
	single, unable := frozen, frozen
	single.Holds, unable.Abilities = true, []dsar.Action{dsar.Erase}
	for _, c := range []struct {
		name   string
		sys    dsar.System
		counts []dsar.Counts
		want   string
	}{
		{"another's", frozen, kept(dsar.LegalHold, 0), "frozen restrict"},
		{"flagged", frozen, kept(dsar.LegalHold, 2), "frozen prove"},
		{"a law's", frozen, kept("tax", 0), "frozen prove"},
		{"single records", single, kept(dsar.LegalHold, 0), "frozen prove"},
		{"no flag", unable, kept(dsar.LegalHold, 0), "frozen prove"},
	} {
		d := underLaw(t, dsar.Erasure, core.Terms{}, c.sys)
		d.planned("frozen", 5)
		d.wants("frozen erase")
		r := ended("frozen", dsar.Erase, dsar.Retained)
		r.Counts = c.counts
		d.report(r)
		if d.wants(c.want); t.Failed() {
			t.Fatal(c.name)
		}
	}
}

// TestWhatCannotBeRestrictedIsSeen: where use can't be stopped, or not wholly, a person sees
// it before the answer: they try again, do it by hand, or leave it at that.
func TestWhatCannotBeRestrictedIsSeen(t *testing.T) {
	t.Parallel()
	failed := ended("frozen", dsar.Restrict, dsar.Failed)
	failed.Kind, failed.Code = dsar.ReportFailed, "not-restrictable"
	byHand := failed
	byHand.Outcome = dsar.Manual
	partly := ended("frozen", dsar.Restrict, dsar.Incomplete)
	partly.Counts = []dsar.Counts{{Dataset: "rows", Found: 5, Restricted: 2, Uncovered: "no permission"}}
	for _, report := range []dsar.Report{failed, byHand, partly} {
		for _, outcome := range []dsar.Outcome{dsar.Incomplete, dsar.Restricted, ""} {
			d := held(t, frozen)
			d.report(report)
			needs := d.state.Needs()
			if d.state.Status != core.StatusNeedsAttention || len(needs) != 1 || needs[0].System != "frozen" {
				t.Fatalf("%s: needs %v", d.state.Status, needs)
			}
			if outcome == "" {
				d.do(core.Retry{By: "lea", Now: d.now})
				d.wants("frozen restrict")
				d.restricted("frozen")
			} else {
				d.do(core.Attest{By: "lea", Reason: "as it is", System: "frozen", Outcome: outcome, Now: d.now})
			}
			d.wants("frozen prove")
			d.provenOnly("frozen", dsar.Retention{Ground: dsar.LegalHold, Records: 5})
			d.assembled()
		}
	}
}

// TestHeldOnceMoreIsAskedByNobodysIdentifiers: an erasure that was answered goes by keys. A
// hold that comes then keeps what is left, and restricts nothing that the person has anew.
func TestHeldOnceMoreIsAskedByNobodysIdentifiers(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{}, frozen)
	plan := ended("frozen", dsar.Plan, dsar.Found)
	plan.Counts = []dsar.Counts{{Dataset: "rows", Found: 5}}
	plan.Objects = []dsar.Object{{Name: "frozen/plan/1", SHA256: "h"}}
	d.report(plan)
	day := start.AddDate(3, 0, 0)
	stays := dsar.Retention{Records: 5, Ground: "tax", Until: day}
	erase := ended("frozen", dsar.Erase, dsar.Retained)
	erase.Counts = []dsar.Counts{{Dataset: "rows", Found: 5, Retained: []dsar.Retention{stays}}}
	d.report(erase)
	d.provenOnly("frozen", stays)
	d.assembled()
	d.now = day
	d.do(core.Tick{Now: day})
	d.wants("frozen plan")
	d.do(core.Hold{By: "lea", Reason: "case 17", Now: d.now})
	d.report(plan)
	d.wants("frozen prove")
	if end := d.state.Task("frozen", dsar.Erase).End; end.Code != dsar.LegalHold || d.state.Task("frozen", dsar.Restrict) != nil {
		t.Errorf("%+v", end)
	}
}

// TestARestrictionForAHoldTellsNobody: recipients are told of what was erased.
func TestARestrictionForAHoldTellsNobody(t *testing.T) {
	t.Parallel()
	d := held(t, frozen)
	d.state.Accepted.Recipients = []core.Recipient{{ID: "r", By: core.WayHand, Receives: []core.Reached{{System: "frozen", Dataset: "rows"}}}}
	d.restricted("frozen")
	d.provenOnly("frozen", dsar.Retention{Ground: dsar.LegalHold, Records: 5})
	if len(d.state.Notices) > 0 {
		t.Errorf("%+v", d.state.Notices)
	}
	if slices.ContainsFunc(d.facts, func(e core.Event) bool { _, is := e.(core.NoticeOwed); return is }) {
		t.Error("a notice is owed")
	}
}
