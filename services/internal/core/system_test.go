package core_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

var shop = dsar.System{Name: "shop", Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}}

func (d *desk) needs(want ...string) {
	d.t.Helper()
	var got []string
	for _, n := range d.state.Needs() {
		got = append(got, n.String())
	}
	if !slices.Equal(got, want) {
		d.t.Fatalf("needs %q, want %q", got, want)
	}
}

// TestAMissingSystemNeedsAPerson: what is asked of a system that the configuration no longer
// has needs a person at once, whatever else goes on; nothing is sent to it; and once it is
// there again it is asked by itself.
func TestAMissingSystemNeedsAPerson(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, shop, events)
	d.wants("shop plan", "events plan")
	d.do(core.CompareSystems{Configured: []string{"shop", "events", "other"}, Now: d.now})
	d.do(core.CompareSystems{Configured: []string{"events"}, Now: d.now})
	d.wants("events plan")
	d.needs("task/shop/system-missing")
	if facts := d.do(core.CompareSystems{Configured: []string{"events"}, Now: d.now}); len(facts) != 0 {
		t.Errorf("the same once more: %v", facts)
	}
	d.do(core.Retry{By: "lea", Now: d.now})
	d.wants("events plan") // it is missing still
	d.now = d.now.Add(48 * time.Hour)
	d.do(core.Tick{Now: d.now})
	d.wants("events plan")
	d.planned("events", 2)
	d.do(core.CompareSystems{Configured: []string{"shop", "events"}, Now: d.now})
	d.wants("shop plan")
	d.needs()
	d.planned("shop", 1)
	d.wants("shop erase", "events erase")
}

// TestAMissingSystemWaitsForThePerson: while the person is awaited nothing is sent, also not
// to a system that is there again.
func TestAMissingSystemWaitsForThePerson(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, shop)
	d.do(core.CompareSystems{Now: d.now})
	d.do(core.AskProof{By: "lea", Now: d.now})
	d.do(core.CompareSystems{Configured: []string{"shop"}, Now: d.now})
	d.wants()
	d.do(core.JudgeProof{By: "lea", Accepted: true, Now: d.now})
	d.do(core.Tick{Now: d.now})
	d.wants("shop gather")
}

// TestASystemThatIsDoneIsntMissed: of a system that has done all, nobody asks whether it is
// there.
func TestASystemThatIsDoneIsntMissed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, shop, events)
	d.report(ended("shop", dsar.Gather, dsar.NothingFound))
	if facts := d.do(core.CompareSystems{Configured: []string{"events"}, Now: d.now}); len(facts) != 0 {
		t.Errorf("%v", facts)
	}
}

// TestARenamedSystemGoesOn: an erasure goes on under the new name by the plan that was made
// under the old one, which tasks name; reports under the old name say nothing any more.
func TestARenamedSystemGoesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, shop)
	late := ended("shop", dsar.Plan, dsar.Found)
	late.Attempt, late.RequestID, late.Kind = 1, "r1", dsar.ReportEnded
	r := ended("shop", dsar.Plan, dsar.Found)
	r.Counts = []dsar.Counts{{Dataset: "rows", Found: 3}}
	r.Objects = []dsar.Object{{Name: "shop/plan/1-a", SHA256: "h"}}
	d.report(r)
	d.wants("shop erase")
	if facts, err := core.Decide(d.state, core.RenameSystem{By: "lea", Reason: "moved", System: "nowhere", To: "store", Now: d.now}); len(facts) != 0 || err != nil {
		t.Errorf("a system that it doesn't reach: %v, %v", facts, err)
	}
	for _, c := range []core.RenameSystem{{Reason: "", To: "store"}, {Reason: "moved", To: "Store!"}, {Reason: "moved", To: "shop"}} {
		c.By, c.System, c.Now = "lea", "shop", d.now
		if _, err := core.Decide(d.state, c); !errors.Is(err, core.ErrNotAllowed) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	d.do(core.RenameSystem{By: "lea", Reason: "moved", System: "shop", To: "store", Now: d.now})
	d.wants("store erase")
	task := d.state.NewTask(d.facts[len(d.facts)-1].(core.TaskSent))
	if task.Plan == nil || task.Plan.Name != "shop/plan/1-a" || !slices.Equal(task.Formerly, []string{"shop"}) || task.Attempt != 2 {
		t.Errorf("%+v", task)
	}
	if facts, err := core.Decide(d.state, core.TakeReport{Report: late, Now: d.now}); len(facts) != 0 || err != nil {
		t.Errorf("a report under the old name: %v, %v", facts, err)
	}
	e := ended("store", dsar.Erase, dsar.Erased)
	e.Counts = []dsar.Counts{{Dataset: "rows", Found: 3, Erased: 3}}
	d.report(e)
	d.provenOnly("store")
	d.assembled()
	if told := d.state.Told().Systems; len(told) != 1 || told[0].System != "store" || len(told[0].Ends) != 3 {
		t.Errorf("%+v", told)
	}
	// Asked once more, and under a third name, it goes by the same plan.
	d.do(core.RenameSystem{By: "lea", Reason: "moved", System: "store", To: "market", Now: d.now})
	d.do(core.ProveAgain{By: "lea", Now: d.now})
	d.wants("market prove")
	task = d.state.NewTask(d.facts[len(d.facts)-1].(core.TaskSent))
	if task.Plan == nil || task.Plan.Name != "shop/plan/1-a" || !slices.Equal(task.Formerly, []string{"store", "shop"}) {
		t.Errorf("%+v", task)
	}
}

// TestARetiredSystemIsNotAsked: what is open of it ends, what it has done stays, and the
// answer has the day. Whether it was ever asked is told apart.
func TestARetiredSystemIsNotAsked(t *testing.T) {
	t.Parallel()
	on := start.AddDate(0, 0, -3)
	asked := newDesk(t, dsar.Access, shop, events)
	asked.report(ended("events", dsar.Gather, dsar.NothingFound))
	for _, c := range []core.RetireSystem{{Reason: "", On: on}, {Reason: "sold"}, {Reason: "sold", On: start.Add(time.Hour)}} {
		c.By, c.System, c.Now = "lea", "shop", asked.now
		if _, err := core.Decide(asked.state, c); !errors.Is(err, core.ErrNotAllowed) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	retire := core.RetireSystem{By: "lea", Reason: "sold", System: "shop", On: on, Now: start}
	asked.do(retire)
	asked.wants("aggregator assemble")
	told := asked.state.Told()
	s := told.Systems[0]
	if s.Retired == nil || !s.Retired.On.Equal(on) || len(s.Ends) != 1 || s.Ends[0].Code != core.CodeRetiredOpen || s.Ends[0].Outcome != dsar.NotApplicable || !slices.Contains(told.Rests(), s.Retired.Fact) {
		t.Errorf("%+v", s)
	}
	if facts := asked.do(retire); len(facts) != 0 {
		t.Errorf("the same once more: %v", facts)
	}

	later := dsar.System{Name: "later", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"account_id"}}
	never := newDesk(t, dsar.Access, account, later)
	never.wants("account resolve", "account gather")
	retire.System = "later"
	never.do(retire)
	never.report(ended("account", dsar.Resolve, dsar.NothingFound))
	never.report(ended("account", dsar.Gather, dsar.NothingFound))
	if s := never.state.Told().Systems[1]; len(s.Ends) != 1 || s.Ends[0].Code != core.CodeRetired {
		t.Errorf("%+v", s)
	}
}

// TestARetiredSystemIsNotAskedAgain: an answered erasure has nobody to ask again, and what it
// had to keep there keeps nobody from forgetting whose it was.
func TestARetiredSystemIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	d := &desk{t: t, now: start}
	d.do(core.Submit{Accepted: core.Accepted{RequestID: "r1", Right: dsar.Erasure, ReceivedAt: start, AcceptedAt: start, Digest: "d1", ProveAgain: time.Hour,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Assurance: dsar.AssuranceVerified}}, Systems: []dsar.System{shop}}})
	r := ended("shop", dsar.Plan, dsar.Found)
	r.Counts, r.Objects = []dsar.Counts{{Dataset: "rows", Found: 1}}, []dsar.Object{{Name: "shop/plan/1-a", SHA256: "h"}}
	d.report(r)
	kept := []dsar.Retention{{Ground: "tax", Records: 1, Until: start.AddDate(1, 0, 0)}}
	e := ended("shop", dsar.Erase, dsar.Retained)
	e.Counts = []dsar.Counts{{Dataset: "rows", Found: 1, Retained: kept}}
	d.report(e)
	d.provenOnly("shop", kept...)
	d.assembled()
	if core.Wake(d.state).IsZero() || !errors.Is(d.state.MayForget(core.PartSubject), core.ErrNotAllowed) {
		t.Fatal("it has nothing to be asked again")
	}
	d.do(core.RetireSystem{By: "lea", Reason: "sold", System: "shop", On: start, Now: d.now})
	d.now = start.AddDate(2, 0, 0)
	if facts := d.do(core.Tick{Now: d.now}); len(facts) != 0 || !core.Wake(d.state).IsZero() {
		t.Errorf("%v, and it wakes at %v", facts, core.Wake(d.state))
	}
	d.do(core.Forget{By: "lea", Part: core.PartRecords, Now: d.now})
	if err := d.state.MayForget(core.PartSubject); err != nil {
		t.Error(err)
	}
}

// TestARenamedSystemHasOneName: wherever systems come, go, are renamed and retired, no
// task goes to one that isn't there, a renamed one stands under its new name everywhere,
// and once all are there again, or gone for good, the request comes to its end.
func TestARenamedSystemHasOneName(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newRandomRun(t, map[string]bool{})
		n, from := 0, 0
		configured := func() (names []string) {
			for _, sys := range w.state.Accepted.Systems {
				names = append(names, sys.Name)
			}
			return names
		}
		check := func() {
			for _, f := range w.facts[from:] {
				sent, ok := f.(core.TaskSent)
				if !ok || sent.System == dsar.Aggregator {
					continue
				}
				gone := slices.Contains(w.state.Missing, sent.System) || slices.ContainsFunc(w.state.Retired, func(r core.Retired) bool { return r.System == sent.System })
				if gone && w.state.Task(sent.System, sent.Action).Status == core.TaskIsSent {
					t.Fatalf("%s of %s was sent, which isn't there", sent.Action, sent.System)
				}
			}
			from = len(w.facts)
			for _, r := range w.state.Renamed {
				if where := named(reflect.ValueOf(w.state), r.From, "state"); where != "" {
					t.Fatalf("%s is called that still at %s", r.From, where)
				}
			}
		}
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			name := rapid.SampledFrom(configured()).Draw(t, "system")
			switch rapid.IntRange(0, 9).Draw(t, "change") {
			case 0:
				w.do(core.CompareSystems{Configured: slices.DeleteFunc(configured(), func(n string) bool { return n == name }), Now: w.now})
			case 1:
				w.do(core.CompareSystems{Configured: configured(), Now: w.now})
			case 2:
				n++
				w.do(core.RenameSystem{By: "lea", Reason: "why", System: name, To: fmt.Sprintf("n%d", n), Now: w.now})
			case 3:
				if rapid.IntRange(0, 3).Draw(t, "retire") == 0 {
					w.do(core.RetireSystem{By: "lea", Reason: "why", System: name, On: w.now, Now: w.now})
				}
			default:
				w.step()
			}
			check()
		}
		w.calm = true
		w.do(core.CompareSystems{Configured: configured(), Now: w.now})
		for range 400 {
			if w.state.Status.Ended() || w.hopeless() {
				return
			}
			w.step()
			check()
		}
		t.Fatalf("it doesn't end: %s, %+v", w.state.Status, w.state.Tasks)
	})
}

// named returns where a value has a name as the whole of a text; empty where it doesn't.
// Names that a system had before are meant to be there.
func named(v reflect.Value, name, where string) string {
	switch v.Kind() {
	case reflect.String:
		if v.String() == name {
			return where
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return named(v.Elem(), name, where)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if found := named(v.Index(i), name, fmt.Sprintf("%s[%d]", where, i)); found != "" {
				return found
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i).Name
			if strings.HasPrefix(where+"."+field, "state.Renamed") || strings.HasPrefix(where+"."+field, "state.Addenda") || !v.Type().Field(i).IsExported() {
				continue
			}
			if found := named(v.Field(i), name, where+"."+field); found != "" {
				return found
			}
		}
	}
	return ""
}
