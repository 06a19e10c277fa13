package core_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// answered returns an erasure of five contacts that was answered and is proven again
// after thirty days.
func answered(t reporter, eraseAgain bool) *desk {
	d := newDesk(t, dsar.Erasure, crm)
	d.state.Accepted.ProveAgain, d.state.Accepted.EraseAgain = 30*24*time.Hour, eraseAgain
	d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
	d.says(dsar.Erase, dsar.Retained, dsar.Counts{Erased: 4, Retained: []dsar.Retention{{Records: 1, Ground: "tax", Until: d.now.AddDate(5, 0, 0)}}})
	d.says(dsar.Prove, dsar.Proven, keeps(d, 0))
	d.assembled()
	return d
}

// keeps returns the counts of a proof that finds what must stay, and so many besides.
func keeps(d *desk, back int64) dsar.Counts {
	return dsar.Counts{Found: 1 + back, Retained: []dsar.Retention{{Records: 1, Ground: "tax", Until: d.now.AddDate(5, 0, 0)}}}
}

// later lets the time come at which the request next wants to be looked at.
func (d *desk) later() {
	d.t.Helper()
	d.now = core.Wake(d.state)
	if d.now.IsZero() {
		d.t.Fatalf("nothing is due: %+v", d.state)
	}
	d.do(core.Tick{Now: d.now})
}

// addendum ends the making of an addendum, and returns it.
func (d *desk) addendum() core.AgainAnswer {
	d.t.Helper()
	d.wants("aggregator assemble")
	if a := d.state.NewTask(core.TaskSent{System: dsar.Aggregator, Action: dsar.Assemble, Attempt: 2}).Answer; a.Again == nil {
		d.t.Fatalf("the aggregator is told to write the answer once more: %+v", a)
	}
	r := ended(dsar.Aggregator, dsar.Assemble, dsar.Assembled)
	r.Objects = []dsar.Object{{Name: "addendum"}}
	d.report(r)
	if d.state.Status != core.StatusCompleted || d.state.Bundle.Name != "certificate" || len(d.state.Addenda) == 0 {
		d.t.Fatalf("%s, bundle %q, %d addenda", d.state.Status, d.state.Bundle.Name, len(d.state.Addenda))
	}
	told := d.state.Addenda[len(d.state.Addenda)-1]
	o := d.state.Occasions[len(d.state.Occasions)-1]
	if told.Object.Name != "addendum" || o.Letter != core.LetterAddendum || o.Again == nil || o.Again.Number != len(d.state.Addenda) {
		d.t.Fatalf("addendum %+v, occasion %+v", told, o)
	}
	return told.Told
}

// TestAProofLasts: thirty days after the answer the systems are asked again, once, by the
// keys of their plans; the certificate stays as it is, and an addendum says what was
// found.
func TestAProofLasts(t *testing.T) {
	t.Parallel()
	d := answered(t, false)
	d.later()
	if at := d.state.AnsweredAt.AddDate(0, 0, 30); !d.now.Equal(at) {
		t.Errorf("asked at %v, and not at %v", d.now, at)
	}
	d.wants("crm prove")
	if task := d.sent(dsar.Prove); !task.ByKeys || task.Plan == nil {
		t.Errorf("asked with %+v", task)
	}
	d.says(dsar.Prove, dsar.Proven, keeps(d, 0))
	if a := d.addendum(); a.Back() != 0 || !a.Whole() || len(a.Systems) != 1 {
		t.Errorf("%+v", a)
	}
	if !d.state.AgainAt.IsZero() {
		t.Errorf("it is asked once more, at %v", d.state.AgainAt)
	}
}

// TestWhatCameBack: it is a fact and waits for a person, who has it erased again, by the
// keys, or leaves it; or it is erased at once where that was decided.
func TestWhatCameBack(t *testing.T) {
	t.Parallel()
	back := func(eraseAgain bool) *desk {
		d := answered(t, eraseAgain)
		d.later()
		d.says(dsar.Prove, dsar.Proven, keeps(d, 2))
		if end := d.state.Task("crm", dsar.Prove).End; end.Code != core.CodeCameBack {
			t.Fatalf("%+v", end)
		}
		return d
	}
	erasedAgain := func(d *desk) {
		d.wants("crm erase")
		if task := d.sent(dsar.Erase); !task.ByKeys {
			t.Error("erased again by the identifiers")
		}
		d.says(dsar.Erase, dsar.Retained, dsar.Counts{Erased: 2, Gone: 2, Retained: keeps(d, 0).Retained})
		d.wants("crm prove")
		d.says(dsar.Prove, dsar.Proven, keeps(d, 0))
		if a := d.addendum(); a.Back() != 2 || !a.Whole() {
			t.Errorf("%+v", a)
		}
	}
	d := back(false)
	if d.state.Status != core.StatusNeedsAttention {
		t.Fatal(d.state.Status)
	}
	d.do(core.Retry{By: "lea", Now: d.now})
	erasedAgain(d)
	erasedAgain(back(true))

	d = back(false)
	d.do(core.Attest{By: "lea", Reason: "a claim is before the court", System: "crm", Outcome: dsar.Incomplete, Now: d.now})
	if a := d.addendum(); a.Back() != 2 || a.Whole() {
		t.Errorf("%+v", a)
	}
	// Whenever a person says so.
	d.do(core.ProveAgain{By: "lea", Reason: "restored", Erase: true, Now: d.now})
	d.says(dsar.Prove, dsar.Proven, keeps(d, 2))
	erasedAgain(d)
}

// TestWhatStaysAgain: what is still found after it was erased again is asked for again
// at growing distances, and then waits for a person.
func TestWhatStaysAgain(t *testing.T) {
	t.Parallel()
	d := answered(t, true)
	d.later()
	d.says(dsar.Prove, dsar.Proven, keeps(d, 2))
	d.says(dsar.Erase, dsar.Retained, dsar.Counts{Erased: 4, Retained: keeps(d, 0).Retained})
	for range core.MaxProofs - 1 {
		d.says(dsar.Prove, dsar.Proven, keeps(d, 2))
		if task := d.state.Task("crm", dsar.Prove); task.Status != core.TaskIsParked {
			t.Fatalf("%+v", task)
		}
		d.later()
	}
	d.says(dsar.Prove, dsar.Proven, keeps(d, 2))
	if d.state.Status != core.StatusNeedsAttention {
		t.Fatal(d.state.Status)
	}
	d.do(core.Retry{By: "lea", Now: d.now})
	d.wants("crm erase")
}

// TestUnclaimedAgain: where a record stands under an erased one's key and is nobody's by what it
// says, nothing is sent to erase it, though what comes back is erased, and a person looks.
func TestUnclaimedAgain(t *testing.T) {
	t.Parallel()
	for code, n := range map[string]dsar.Counts{
		core.CodeLeftUnclaimed: {Unclaimed: 1, Uncovered: "nobody's"},
		dsar.CodeNotCovered:    {Uncovered: "no permission"},
	} {
		d := answered(t, true)
		d.later()
		d.says(dsar.Prove, dsar.Proven, n)
		if end := d.state.Task("crm", dsar.Prove).End; d.state.Status != core.StatusNeedsAttention || end.Outcome != dsar.Incomplete || end.Code != code {
			t.Errorf("%s: %s %+v", code, d.state.Status, end)
		}
		d.do(core.Attest{By: "lea", Reason: "somebody else's", System: "crm", Outcome: dsar.Incomplete, Now: d.now})
		if left, alone := d.addendum().Unclaimed(); left != n.Unclaimed || alone != (code == core.CodeLeftUnclaimed) {
			t.Errorf("%s: %d are left, and nothing else: %t", code, left, alone)
		}
	}
}

// TestDone: a plan that is made since something may go is told that those before it were carried
// out, and one that is made since its erasure begins anew is not.
func TestDone(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, crm)
	keeps := dsar.Counts{Retained: []dsar.Retention{{Records: 1, Ground: "tax", Until: d.now.AddDate(0, 1, 0)}}}
	d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 1, Retained: keeps.Retained})
	d.says(dsar.Erase, dsar.Retained, keeps)
	d.says(dsar.Prove, dsar.Proven, dsar.Counts{Found: 1, Retained: keeps.Retained})
	d.assembled()
	d.later()
	if task := d.sent(dsar.Plan); !task.ByKeys || len(task.Earlier) != 1 || task.Done != 1 {
		t.Fatalf("planned with %+v", task)
	}
	d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 1})
	d.says(dsar.Erase, dsar.Erased, dsar.Counts{Uncovered: "locked"})
	d.says(dsar.Prove, dsar.Proven, dsar.Counts{Uncovered: "locked"})
	d.do(core.Retry{By: "lea", Now: d.now})
	if task := d.sent(dsar.Plan); len(task.Earlier) != 1 || task.Done != 0 {
		t.Errorf("planned anew with %+v", task)
	}
}

// TestKeptGone: a proof that finds less of what must stay than the erasure left isn't
// one; what may go by now is not missed.
func TestKeptGone(t *testing.T) {
	t.Parallel()
	for days, proven := range map[int]bool{365: false, 0: true} {
		d := newDesk(t, dsar.Erasure, crm)
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
		d.says(dsar.Erase, dsar.Retained, dsar.Counts{Erased: 3, Retained: []dsar.Retention{{Records: 2, Ground: "tax", Until: d.now.AddDate(0, 0, days)}}})
		d.says(dsar.Prove, dsar.Proven, dsar.Counts{Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax"}}})
		if end := d.state.Task("crm", dsar.Prove).End; (end.Outcome == dsar.Proven) != proven || !proven && (end.Code != core.CodeKeptGone || d.state.Status != core.StatusNeedsAttention) {
			t.Errorf("after %d days: %s %+v", days, d.state.Status, end)
		}
	}
}

// TestOnlyAnAnsweredErasureIsProvenAgain, and only where something was planned.
func TestOnlyAnAnsweredErasureIsProvenAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, crm)
	again := core.ProveAgain{By: "lea", Reason: "restored", Now: d.now}
	if facts, err := core.Decide(d.state, again); err == nil {
		t.Errorf("%+v", facts)
	}
	d = answered(t, false)
	again.Systems = []string{"elsewhere"}
	if facts, err := core.Decide(d.state, again); err == nil {
		t.Errorf("%+v", facts)
	}
}

// TestAgainKeepsToTheKeys: whatever happens while an answered erasure is proven again, no
// system is asked by anything but the keys, nothing is planned or looked up, and the
// certificate stays.
func TestAgainKeepsToTheKeys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		d := answered(rt, rapid.Bool().Draw(rt, "erases again"))
		d.later()
		before := d.state.Bundle
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			if d.state.Again == nil {
				d.do(core.ProveAgain{By: "lea", Reason: "why", Now: d.now})
			}
			for _, task := range d.state.Tasks {
				if task.Status != core.TaskIsSent {
					continue
				}
				if task.System == "crm" && (task.Action != dsar.Prove && task.Action != dsar.Erase || !d.sent(task.Action).ByKeys) {
					rt.Fatalf("sent %+v", task)
				}
			}
			d.random(rt)
			if d.state.Bundle != before {
				rt.Fatal("the certificate was replaced")
			}
		}
	})
}

// random lets one thing happen.
func (d *desk) random(t *rapid.T) {
	for _, task := range d.state.Tasks {
		if task.Status != core.TaskIsSent {
			continue
		}
		r := ended(task.System, task.Action, dsar.Proven)
		switch choice := rapid.IntRange(0, 5).Draw(t, "report"); {
		case choice == 0:
			r.Kind, r.Code = dsar.ReportFailed, rapid.SampledFrom([]string{"broken", dsar.CodePlanMissing}).Draw(t, "code")
		case task.System == dsar.Aggregator:
			r.Outcome, r.Objects = dsar.Assembled, []dsar.Object{{Name: "addendum"}}
		case task.Action == dsar.Erase:
			r.Outcome, r.Counts = dsar.Retained, []dsar.Counts{{Dataset: "contacts", Erased: 4, Retained: keeps(d, 0).Retained}}
		default:
			c := keeps(d, int64(rapid.IntRange(0, 2).Draw(t, "back")))
			if c.Dataset = "contacts"; choice == 1 {
				c.Uncovered = "forbidden"
			}
			r.Counts = []dsar.Counts{c}
		}
		d.report(r)
		return
	}
	if d.state.Status == core.StatusNeedsAttention {
		d.do(core.Retry{By: "lea", Now: d.now})
		return
	}
	if wake := core.Wake(d.state); !wake.IsZero() {
		d.now = wake
		d.do(core.Tick{Now: d.now})
	}
}
