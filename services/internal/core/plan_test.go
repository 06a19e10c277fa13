package core_test

import (
	"slices"
	"strings"
	"testing"

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
	for _, code := range []string{dsar.CodePlanMissing, dsar.CodePlanMismatch} {
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
