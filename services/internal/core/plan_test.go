package core_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// planOf returns what a worker leaves in the vault when it has planned.
func planOf(name string) []dsar.Object {
	return []dsar.Object{{Name: "crm/plan/" + name, Records: 5, SHA256: strings.Repeat("a", 64)}}
}

func (d *desk) says(action dsar.Action, o dsar.Outcome, c dsar.Counts) {
	r := ended("crm", action, o)
	c.Dataset = "contacts"
	if r.Counts = []dsar.Counts{c}; action == dsar.Plan {
		r.Objects = planOf("1")
	}
	d.report(r)
}

// sent returns what the worker would be told now.
func (d *desk) sent(action dsar.Action) core.AssembleTask {
	return d.state.NewTask(core.TaskSent{System: "crm", Action: action, Attempt: d.state.Task("crm", action).Attempt})
}

// TestAnErasureGoesByItsPlan: the tasks to erase and to prove name the plan with its
// hash, and no other task does.
func TestAnErasureGoesByItsPlan(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, crm)
	if d.sent(dsar.Plan).Plan != nil {
		t.Error("the plan's own task has one")
	}
	d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
	if p := d.sent(dsar.Erase).Plan; p == nil || *p != planOf("1")[0] {
		t.Errorf("the erasure is sent with %+v", p)
	}
	d.says(dsar.Erase, dsar.Erased, dsar.Counts{Erased: 4, Gone: 1})
	if p := d.sent(dsar.Prove).Plan; p == nil || *p != planOf("1")[0] {
		t.Errorf("the proof is sent with %+v", p)
	}
}

// TestAnErasureMeetsItsPlan: what doesn't add up to the plan holds the request open,
// named by number, whatever the worker calls it; retried, it goes on.
func TestAnErasureMeetsItsPlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		counts dsar.Counts
		met    bool
	}{
		"all":          {dsar.Counts{Erased: 3, Anonymised: 1, Gone: 1}, true},
		"with a late":  {dsar.Counts{Erased: 6, Late: 1}, true},
		"another's":    {dsar.Counts{Erased: 3, Reassigned: 2}, true},
		"short":        {dsar.Counts{Erased: 4}, false},
		"late is less": {dsar.Counts{Erased: 5, Late: 1}, false},
		"too many":     {dsar.Counts{Erased: 6}, false},
	} {
		d := newDesk(t, dsar.Erasure, crm)
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
		d.says(dsar.Erase, dsar.Erased, c.counts)
		erase := d.state.Task("crm", dsar.Erase)
		if c.met {
			d.wants("crm prove")
			continue
		}
		if d.state.Status != core.StatusNeedsAttention || erase.End.Outcome != dsar.Incomplete || erase.End.Code != dsar.CodePlanUnmet || !strings.Contains(erase.End.Reason, "contacts: 5 records were planned") {
			t.Errorf("%s: %s %+v", name, d.state.Status, erase.End)
		}
		d.do(core.Retry{By: "anna", Now: d.now})
		d.wants("crm erase")
		d.says(dsar.Erase, dsar.Erased, dsar.Counts{Gone: 5})
		d.wants("crm prove")
	}
}

// TestEarlierTriesCount: what an earlier try said that it had erased isn't told as gone
// because a later one found it so; what nobody reported is.
func TestEarlierTriesCount(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, crm)
	d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
	d.says(dsar.Erase, dsar.Erased, dsar.Counts{Erased: 2, Anonymised: 1})
	d.do(core.Retry{By: "anna", Now: d.now})
	d.says(dsar.Erase, dsar.Erased, dsar.Counts{Erased: 1, Gone: 4})
	if c := d.state.Task("crm", dsar.Erase).End.Counts[0]; c.Erased != 3 || c.Anonymised != 1 || c.Gone != 1 {
		t.Errorf("%+v", c)
	}
}

// TestALostPlanIsMadeAnew: where the plan is gone, or another, a retry plans again
// rather than erasing by it.
func TestALostPlanIsMadeAnew(t *testing.T) {
	t.Parallel()
	for _, code := range []string{dsar.CodePlanMissing, dsar.CodePlanMismatch, dsar.CodePlanOvertaken} {
		d := newDesk(t, dsar.Erasure, crm)
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
		d.report(dsar.Report{System: "crm", Action: dsar.Erase, Kind: dsar.ReportFailed, Code: code})
		d.do(core.Retry{By: "anna", Now: d.now})
		d.wants("crm plan")
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
		d.wants("crm erase")
	}
}

// TestABrakedPlanIsKept: a plan that a person accepts is the one that is erased by.
func TestABrakedPlanIsKept(t *testing.T) {
	t.Parallel()
	sys := crm
	sys.MaxRecords = 3
	d := newDesk(t, dsar.Erasure, sys)
	d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
	d.do(core.Retry{By: "anna", AcceptPlan: true, Now: d.now})
	d.wants("crm erase")
	if p := d.sent(dsar.Erase).Plan; p == nil || !slices.Equal([]dsar.Object{*p}, planOf("1")) {
		t.Errorf("%+v", p)
	}
}

// TestLateFindsAreBraked: far more that no plan has than one person has stops for a person, who
// accepts it as it was done; what is less goes on. A retry doesn't erase once more.
func TestLateFindsAreBraked(t *testing.T) {
	t.Parallel()
	sys := crm
	sys.MaxRecords = 10
	for late, stops := range map[int64]bool{10: false, 11: true} {
		d := newDesk(t, dsar.Erasure, sys)
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 2})
		d.says(dsar.Erase, dsar.Erased, dsar.Counts{Found: 2 + late, Erased: 2 + late, Late: late})
		if !stops {
			d.wants("crm prove")
			continue
		}
		if s := d.state; s.Status != core.StatusNeedsAttention || s.Task("crm", dsar.Erase).End.Code != core.CodeLateTooMany {
			t.Fatalf("%s, %+v", s.Status, s.Task("crm", dsar.Erase).End)
		}
		if needs := d.state.Needs(); !slices.Equal(needs, []core.Need{{Kind: core.NeedErased, System: "crm", Code: core.CodeLateTooMany}}) {
			t.Errorf("needs %v", needs)
		}
		d.do(core.Retry{By: "anna", Now: d.now})
		d.wants()
		d.do(core.Retry{By: "anna", AcceptPlan: true, Now: d.now})
		d.wants("crm prove")
		if end := d.state.Task("crm", dsar.Erase).End; end.Outcome != dsar.Erased || end.Counts[0].Late != late {
			t.Errorf("%+v", end)
		}
	}
}

// TestKeptIsNotErased: an erasure that reports as erased what had to stay by its plan isn't
// taken for done, whatever its sums are; what may go by now, and what wasn't found, is.
func TestKeptIsNotErased(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		counts dsar.Counts
		later  time.Duration
		gone   bool
	}{
		"all is erased":           {dsar.Counts{Found: 5, Erased: 5}, 0, true},
		"one too many is erased":  {dsar.Counts{Found: 5, Erased: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax"}, {Records: 3, Ground: dsar.LegalHold}}}, 0, true},
		"what is held is erased":  {dsar.Counts{Found: 5, Erased: 3, Retained: []dsar.Retention{{Records: 2, Ground: "tax"}}}, 0, true},
		"some weren't found":      {dsar.Counts{Found: 2, Gone: 3, Retained: []dsar.Retention{{Records: 2, Ground: "tax"}}}, 0, false},
		"as it was planned":       {dsar.Counts{Found: 5, Retained: []dsar.Retention{{Records: 2, Ground: "tax"}, {Records: 3, Ground: dsar.LegalHold}}}, 0, false},
		"the tax records may go":  {dsar.Counts{Found: 5, Erased: 2, Retained: []dsar.Retention{{Records: 3, Ground: dsar.LegalHold}}}, 9 * 365 * 24 * time.Hour, false},
		"the tax records may not": {dsar.Counts{Found: 5, Erased: 2, Retained: []dsar.Retention{{Records: 3, Ground: dsar.LegalHold}}}, 0, true},
	} {
		sys := dsar.System{Name: "books", Abilities: []dsar.Action{dsar.Erase}, Needs: []dsar.IdentifierType{"email"}, Holds: true}
		d := underLaw(t, dsar.Erasure, core.Terms{}, sys)
		d.do(core.Hold{By: "lea", Reason: "case 17", Now: d.now, System: "books", Dataset: "rows"})
		plan := ended("books", dsar.Plan, dsar.Found)
		plan.Counts = []dsar.Counts{{Dataset: "rows", Found: 5, Retained: []dsar.Retention{{Records: 2, Ground: "tax", Until: d.now.AddDate(8, 0, 0)}, {Records: 3, Ground: dsar.LegalHold}}}}
		plan.Objects = []dsar.Object{{Name: "books/plan/1", SHA256: "aa"}}
		d.report(plan)
		d.now = d.now.Add(c.later)
		erase := ended("books", dsar.Erase, dsar.Retained)
		if c.counts.Kept() == 0 {
			erase.Outcome = dsar.Erased
		}
		c.counts.Dataset = "rows"
		erase.Counts = []dsar.Counts{c.counts}
		d.report(erase)
		task := d.state.Task("books", dsar.Erase)
		if gone := task.Status == core.TaskIsFailed && task.End.Code == core.CodeKeptGone; gone != c.gone {
			t.Errorf("%s: %s %s, %s", name, task.Status, task.End.Code, task.End.Reason)
		}
	}
}

// TestErasuresHavePlans: where no worker's plan says what may be erased, nothing is sent. A
// person does it by hand, or a retry has it planned.
func TestErasuresHavePlans(t *testing.T) {
	t.Parallel()
	byHand := func(t *testing.T) *desk {
		d := newDesk(t, dsar.Erasure, crm)
		d.report(dsar.Report{System: "crm", Action: dsar.Plan, Kind: dsar.ReportFailed, Outcome: dsar.Failed, Code: "broken"})
		d.do(core.Attest{By: "lea", Reason: "looked", System: "crm", Outcome: dsar.Found, Counts: []dsar.Counts{{Dataset: "contacts", Found: 5}}, Now: d.now})
		return d
	}
	refused := func(t *testing.T, d *desk) {
		t.Helper()
		d.wants()
		if e := d.state.Task("crm", dsar.Erase); e == nil || e.Status != core.TaskIsFailed || e.End.Code != dsar.CodeNoPlan || e.End.Outcome != dsar.Manual || e.Attempt != 0 {
			t.Fatalf("%+v", e)
		}
		if n := d.state.Needs(); len(n) != 1 || n[0] != (core.Need{Kind: core.NeedHand, System: "crm", Code: dsar.CodeNoPlan}) {
			t.Errorf("%v", n)
		}
	}
	t.Run("planned by hand, and erased so", func(t *testing.T) {
		t.Parallel()
		d := byHand(t)
		refused(t, d)
		d.do(core.Attest{By: "lea", Reason: "done", System: "crm", Outcome: dsar.Erased, Now: d.now})
		d.wants("crm prove")
		if task := d.sent(dsar.Prove); task.Plan != nil || task.ByKeys {
			t.Errorf("%+v", task)
		}
		d.provenOnly("crm")
		d.assembled()
	})
	t.Run("planned by hand, and by a worker after all", func(t *testing.T) {
		t.Parallel()
		d := byHand(t)
		refused(t, d)
		d.do(core.Retry{By: "lea", Now: d.now})
		d.wants("crm plan")
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
		d.wants("crm erase")
		if task := d.sent(dsar.Erase); task.Plan == nil {
			t.Errorf("%+v", task)
		}
		d.erased("crm")
		d.provenOnly("crm")
		d.assembled()
	})
	t.Run("a worker's plan that isn't there", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, dsar.Erasure, crm)
		d.report(dsar.Report{System: "crm", Action: dsar.Plan, Outcome: dsar.Found, Counts: []dsar.Counts{{Dataset: "contacts", Found: 5}}})
		refused(t, d)
	})
	t.Run("what its worker refused", func(t *testing.T) { // it was sent by an earlier version
		t.Parallel()
		d := newDesk(t, dsar.Erasure, crm)
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
		d.report(dsar.Report{System: "crm", Action: dsar.Erase, Kind: dsar.ReportFailed, Outcome: dsar.Failed, Code: dsar.CodeNoPlan})
		d.do(core.Retry{By: "lea", Now: d.now})
		d.wants("crm plan")
	})
	t.Run("nothing was planned, and its proof finds something", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, dsar.Erasure, crm)
		d.report(ended("crm", dsar.Plan, dsar.NothingFound))
		for d.state.Task("crm", dsar.Prove).Status != core.TaskIsFailed {
			d.report(dsar.Report{System: "crm", Action: dsar.Prove, Outcome: dsar.Found, Counts: []dsar.Counts{{Dataset: "contacts", Found: 1}}})
			d.now = core.Wake(d.state)
			d.do(core.Tick{Now: d.now})
		}
		d.do(core.Retry{By: "lea", Now: d.now})
		d.wants("crm plan")
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 1})
		d.wants("crm erase")
	})
}

// TestAProofByKeysHasKeys: where what had to stay is looked for by its keys and nothing of it
// is there, the proof asks for it by the plans of before, and not by nothing at all.
func TestAProofByKeysHasKeys(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{}, books)
	d.planned("books", 5)
	kept := dsar.Retention{Records: 2, Ground: "tax", Until: start.AddDate(1, 0, 0)}
	d.erased("books", kept)
	d.provenOnly("books", kept)
	d.assembled()
	d.now = core.Wake(d.state)
	d.do(core.Tick{Now: d.now})
	d.wants("books plan")
	d.report(ended("books", dsar.Plan, dsar.NothingFound))
	d.wants("books prove")
	task := d.state.NewTask(core.TaskSent{System: "books", Action: dsar.Prove, Attempt: 2})
	if !task.ByKeys || task.Plan != nil || len(task.Earlier) != 1 || task.Earlier[0].SHA256 == "" {
		t.Errorf("%+v", task.Task)
	}
}
