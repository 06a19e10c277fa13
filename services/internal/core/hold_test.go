package core_test

import (
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
)

var (
	books = dsar.System{Name: "books", Abilities: []dsar.Action{dsar.Erase}, Needs: []dsar.IdentifierType{"email"}, Holds: true}
	deals = dsar.System{Name: "deals", Abilities: []dsar.Action{dsar.Erase}, Needs: []dsar.IdentifierType{"email"}, EraseAfter: []string{"books"}}
)

func (d *desk) planned(system string, n int64) {
	d.t.Helper()
	r := ended(system, dsar.Plan, dsar.Found)
	r.Counts = []dsar.Counts{{Dataset: "rows", Found: n}}
	d.report(r)
}

// erased reports that a system has erased all rows that were planned but those that stay.
func (d *desk) erased(system string, kept ...dsar.Retention) {
	d.t.Helper()
	r := ended(system, dsar.Erase, dsar.Erased)
	if len(kept) > 0 {
		r.Outcome = dsar.Retained
	}
	for _, c := range d.state.Task(system, dsar.Plan).End.Counts {
		r.Counts = append(r.Counts, dsar.Counts{Dataset: c.Dataset, Retained: kept})
		left := &r.Counts[len(r.Counts)-1]
		left.Erased = c.Found - left.Kept()
	}
	d.report(r)
}

// proven ends the erasure of a system, of which some rows stay until a day.
func (d *desk) proven(system string, kept ...dsar.Retention) {
	d.t.Helper()
	d.erased(system, kept...)
	d.provenOnly(system, kept...)
}

func (d *desk) provenOnly(system string, kept ...dsar.Retention) {
	d.t.Helper()
	r := ended(system, dsar.Prove, dsar.Proven)
	r.Counts = []dsar.Counts{{Dataset: "rows", Retained: kept}}
	r.Counts[0].Found = r.Counts[0].Kept()
	d.report(r)
}

func (d *desk) assembled() {
	d.t.Helper()
	r := ended(dsar.Aggregator, dsar.Assemble, dsar.Assembled)
	r.Objects = []dsar.Object{{Name: "certificate"}}
	d.report(r)
	if d.state.Status != core.StatusCompleted {
		d.t.Fatalf("%s: %+v", d.state.Status, d.state.Tasks)
	}
}

func TestAHeldSystemIsNotErased(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{}, books, deals)
	d.do(core.Hold{By: "lea", Reason: "case 17", System: "books", Now: d.now})
	d.planned("books", 5)
	d.planned("deals", 2)
	d.wants("books erase") // it leaves all, and sets the flags that it has
	if task := d.state.NewTask(core.TaskSent{System: "books", Action: dsar.Erase}); !slices.Equal(task.Holds, []string{dsar.AllDatasets}) {
		t.Errorf("holds %v", task.Holds)
	}
	kept := ended("books", dsar.Erase, dsar.Retained)
	kept.Counts = []dsar.Counts{{Dataset: "rows", Found: 5, Restricted: 5, Retained: []dsar.Retention{{Ground: dsar.LegalHold, Records: 5}}}}
	d.report(kept)
	d.wants("deals erase")
	if end := d.state.Task("books", dsar.Erase).End; end.Outcome != dsar.Retained || end.Counts[0].Kept() != 5 || end.Counts[0].Retained[0].Ground != dsar.LegalHold {
		t.Errorf("%+v", end)
	}
	d.erased("deals")
	d.wants("books prove", "deals prove")
	// What is still there because of the hold is no failed proof.
	r := ended("books", dsar.Prove, dsar.Proven)
	r.Counts = []dsar.Counts{{Dataset: "rows", Found: 5}}
	d.report(r)
	d.report(ended("deals", dsar.Prove, dsar.Proven))
	d.assembled()
	if !core.Wake(d.state).IsZero() {
		t.Error("it wakes, though the hold is on")
	}

	// The hold is lifted: what it kept goes, in that system only.
	d.now = d.now.AddDate(2, 0, 0)
	d.refuses(core.Lift{By: "lea", System: "deals", Now: d.now}, core.ErrNoSuchHold)
	d.do(core.Lift{By: "lea", Reason: "settled", System: "books", Now: d.now})
	d.wants("books plan")
	if d.state.Overdue || !slices.ContainsFunc(d.facts, func(e core.Event) bool { _, ok := e.(core.RetentionEnded); return ok }) {
		t.Errorf("%+v", d.state)
	}
	d.refuses(core.Cancel{Now: d.now}, core.ErrAnswered)
	d.planned("books", 5)
	d.wants("books erase")
	if kept := d.state.Kept(d.now); len(kept) != 1 || kept[0].System != "books" || len(kept[0].Retained) > 0 || len(kept[0].Then) == 0 {
		t.Errorf("while it is erased: kept %v", kept)
	}
	d.proven("books")
	d.wants("aggregator assemble")
	if kept := d.state.Kept(d.now); len(kept) > 0 {
		t.Errorf("erased, though not answered: kept %v", kept)
	}
	d.assembled()
	// Others, whose records it kept too, are told when every task with the hold is over.
	if wake := core.Wake(d.state); !wake.Equal(d.now.Add(core.ReleaseAfter)) {
		t.Errorf("it wakes at %s", wake)
	}
	if facts := d.do(core.Released{Now: d.now}); len(facts) > 0 {
		t.Errorf("too early: %v", facts)
	}
	d.now = d.now.Add(core.ReleaseAfter)
	d.do(core.Released{Requests: []string{"r2"}, Now: d.now})
	if !core.Wake(d.state).IsZero() {
		t.Error("it wakes, though nothing is kept")
	}
}

func TestAHeldDatasetIsToldToItsWorker(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{}, books, deals)
	d.do(core.Hold{By: "lea", Reason: "case 17", Dataset: "rows", Now: d.now})
	if again := d.do(core.Hold{By: "lea", Reason: "case 17", Dataset: "rows", Now: d.now}); len(again) > 0 {
		t.Errorf("the same again: %v", again)
	}
	d.planned("books", 5)
	d.planned("deals", 2)
	d.wants("books erase") // it keeps the dataset itself; deals can't, and is held as a whole
	sent := core.TaskSent{System: "books", Action: dsar.Erase}
	if task := d.state.NewTask(sent); !slices.Equal(task.Holds, []string{"rows"}) {
		t.Errorf("holds %v", task.Holds)
	}
	d.erased("books", dsar.Retention{Records: 5, Ground: dsar.LegalHold})
	if end := d.state.Task("deals", dsar.Erase).End; end.Code != dsar.LegalHold {
		t.Errorf("%+v", end)
	}
}

// A hold that comes while the erasure is parked stops it.
func TestAHoldStopsWhatIsNotErasedYet(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{}, books)
	d.planned("books", 5)
	r := ended("books", dsar.Erase, "")
	r.Kind, r.Until = dsar.ReportParked, start.Add(time.Hour)
	d.report(r)
	d.do(core.Hold{By: "lea", Reason: "case 17", Now: d.now})
	d.now = start.Add(time.Hour)
	d.do(core.Tick{Now: d.now})
	d.wants("books erase")
	if task := d.state.NewTask(core.TaskSent{System: "books", Action: dsar.Erase}); !slices.Equal(task.Holds, []string{dsar.AllDatasets}) {
		t.Errorf("holds %v", task.Holds)
	}
}

// What had to stay is erased when its time has come, each time some of it has.
func TestWhatHadToStayGoes(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{}, books, deals)
	d.planned("books", 5)
	d.planned("deals", 0)
	first, last := start.AddDate(3, 0, 0), start.AddDate(10, 0, 0)
	d.erased("books", dsar.Retention{Records: 2, Ground: "tax", Until: last, Next: first})
	d.erased("deals")
	d.provenOnly("books", dsar.Retention{Records: 2, Ground: "tax", Until: last, Next: first})
	d.report(ended("deals", dsar.Prove, dsar.Proven))
	d.assembled()
	stale := dsar.Report{RequestID: "r1", System: "books", Action: dsar.Erase, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Erased}
	for _, day := range []time.Time{first, last} {
		if wake := core.Wake(d.state); !wake.Equal(day) {
			t.Fatalf("wakes %s, want %s", wake, day)
		}
		d.do(core.Tick{Now: day.Add(-time.Second)})
		if d.state.Status != core.StatusCompleted {
			t.Fatal("too early")
		}
		d.now = day
		d.do(core.Tick{Now: day})
		d.wants("books plan")
		if facts := d.do(core.TakeReport{Report: stale, Now: day}); len(facts) > 0 {
			t.Errorf("a report of years ago: %v", facts)
		}
		d.planned("books", 2)
		left := dsar.Retention{Records: 1, Ground: "tax", Until: last}
		if day.Equal(last) {
			left = dsar.Retention{}
		}
		d.proven("books", left)
		d.assembled()
	}
	if !core.Wake(d.state).IsZero() {
		t.Error("it wakes, though nothing is kept")
	}
}

// A system that names a day which has passed isn't asked without end.
func TestADayThatHasPassedIsAskedAboutOnceADay(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{}, books)
	d.planned("books", 5)
	d.proven("books", dsar.Retention{Records: 2, Ground: "tax", Until: start.AddDate(-1, 0, 0)})
	d.assembled()
	if wake := core.Wake(d.state); !wake.Equal(start.Add(core.RetentionAgain)) {
		t.Errorf("wakes %s", wake)
	}
}

// A hold of another request that is over lets go what it kept of this one's, once.
func TestWhatAnothersHoldKeptGoes(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{}, books)
	d.planned("books", 5)
	if facts := d.do(core.HoldEndedElsewhere{Of: "r2", Now: d.now}); len(facts) > 0 {
		t.Errorf("nothing is kept for a hold: %v", facts)
	}
	d.erased("books", dsar.Retention{Records: 2, Ground: dsar.LegalHold})
	d.provenOnly("books", dsar.Retention{Records: 2, Ground: dsar.LegalHold})
	d.assembled()
	if !core.Wake(d.state).IsZero() {
		t.Error("it wakes, though the hold is on")
	}
	d.do(core.HoldEndedElsewhere{Of: "r2", Now: d.now})
	d.wants("books plan")
	if facts := d.do(core.HoldEndedElsewhere{Of: "r2", Now: d.now}); len(facts) > 0 && d.state.Status == core.StatusCompleted {
		t.Errorf("the same again: %v", facts)
	}
	d.planned("books", 2)
	d.proven("books")
	d.assembled()
	if !core.Wake(d.state).IsZero() {
		t.Error("it wakes, though nothing is kept")
	}
}

// Others are told of a hold that is over though the request itself waits for its person.
func TestAHoldIsReleasedWhileProofIsAwaited(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{Checks: []dsar.Check{dsar.CheckIdentity}}, books)
	d.do(core.Hold{By: "lea", Reason: "case 17", Now: d.now})
	d.do(core.Lift{By: "lea", Reason: "settled", Now: d.now})
	if wake := core.Wake(d.state); d.state.Awaited == "" || wake.After(d.now.Add(core.ReleaseAfter)) {
		t.Errorf("awaited %q, it wakes at %s", d.state.Awaited, wake)
	}
}

// What stayed for other people's records is asked for by its keys when the person asks again,
// a day after the answer at the earliest; nothing else is, and nothing that has no keys.
func TestWhatStayedForOthersIsAskedForOnceMore(t *testing.T) {
	t.Parallel()
	shared := dsar.Retention{Records: 2, Ground: dsar.GroundShared}
	object := []dsar.Object{{Name: "books/plan/1", SHA256: "h"}}
	for _, c := range []struct {
		name  string
		plan  []dsar.Object
		kept  dsar.Retention
		later time.Duration
		hold  bool
		want  bool
	}{
		{"shared", object, shared, core.RetentionAgain, false, true},
		{"shared, and held since", object, shared, core.RetentionAgain, true, true}, // its worker leaves what is held
		{"too early", object, shared, core.RetentionAgain - 1, false, false},
		{"no keys", nil, shared, core.RetentionAgain, false, false},
		{"kept by the manifest", object, dsar.Retention{Records: 2, Ground: dsar.GroundKept}, core.RetentionAgain, false, false},
		{"kept by a law", object, dsar.Retention{Records: 2, Ground: "tax", Until: start.AddDate(9, 0, 0)}, core.RetentionAgain, false, false},
	} {
		d := underLaw(t, dsar.Erasure, core.Terms{}, books)
		plan := ended("books", dsar.Plan, dsar.Found)
		plan.Objects, plan.Counts = c.plan, []dsar.Counts{{Dataset: "rows", Found: 2, Retained: []dsar.Retention{c.kept}}}
		d.report(plan)
		if c.plan == nil { // an erasure without a plan is a person's
			d.do(core.Attest{By: "lea", Reason: "by hand", System: "books", Outcome: dsar.Retained, Counts: plan.Counts, Now: d.now})
		} else {
			erase := ended("books", dsar.Erase, dsar.Retained)
			erase.Counts = plan.Counts
			d.report(erase)
		}
		d.provenOnly("books", c.kept)
		d.assembled()
		if c.hold {
			d.do(core.Hold{By: "lea", Reason: "case 17", Dataset: "others", Now: d.now})
		}
		d.now = d.now.Add(c.later)
		facts := d.do(core.EraseShared{Of: "r2", Now: d.now})
		if taken := d.state.Status == core.StatusPlanning; taken != c.want {
			t.Errorf("%s: %v", c.name, facts)
			continue
		}
		if !c.want {
			continue
		}
		d.wants("books plan")
		if task := d.state.NewTask(core.TaskSent{System: "books", Action: dsar.Plan}); !task.ByKeys || len(task.Earlier) != 1 {
			t.Errorf("%s: planned by %+v", c.name, task.Task)
		}
		if again := d.do(core.EraseShared{Of: "r2", Now: d.now}); len(again) > 0 {
			t.Errorf("%s: the same again: %v", c.name, again)
		}
	}
}

// TestAHoldComesOverFromWhereItIsOn: the reason names a request on which the hold is on, though
// it may be over by now on the one on which somebody put it.
func TestAHoldComesOverFromWhereItIsOn(t *testing.T) {
	t.Parallel()
	placed := core.HoldPlaced{ReasonedAct: core.ReasonedAct{By: core.ByPolicy, Reason: "a hold is on in request a"}, System: "s", Of: "a"}
	s := core.Evolve(core.Evolve(core.State{}, core.Accepted{RequestID: "b", Right: dsar.Erasure}), placed)
	onward := s.HoldsFor(coretest.Start)
	if len(onward) != 1 || onward[0].Of != "a" || onward[0].Reason != "a hold is on in request b" {
		t.Errorf("%+v", onward)
	}
}
