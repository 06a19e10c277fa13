package core_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

func partly(system string, action dsar.Action, o dsar.Outcome, did dsar.Counts) dsar.Report {
	r := ended(system, action, o)
	did.Dataset = "contacts"
	r.Counts = []dsar.Counts{did, {Dataset: "cases", Uncovered: "the user may not read Case"}}
	r.Reason = "the user may not read Case"
	return r
}

// TestIncompleteIsSeenByAPerson: what could be reached is gathered, the others go
// on, and no answer is assembled before a person has retried or left it at that.
func TestIncompleteIsSeenByAPerson(t *testing.T) {
	t.Parallel()
	half := func(t *testing.T) *desk {
		d := newDesk(t, dsar.Access, events, crm)
		r := partly("crm", dsar.Gather, dsar.Gathered, dsar.Counts{Found: 2, Gathered: 2})
		r.Objects = []dsar.Object{{Name: "crm/1"}}
		d.report(r)
		d.wants("events gather")
		d.report(ended("events", dsar.Gather, dsar.Gathered))
		if s := d.state; s.Status != core.StatusNeedsAttention || !slices.Equal(s.Attention.Systems, []string{"crm"}) || s.Task("crm", dsar.Gather).End.Outcome != dsar.Incomplete {
			t.Fatalf("%s, %+v", s.Status, s.Attention)
		}
		return d
	}
	t.Run("retried", func(t *testing.T) {
		t.Parallel()
		d := half(t)
		d.do(core.Retry{By: "anna", Now: d.now})
		d.wants("crm gather")
		d.report(ended("crm", dsar.Gather, dsar.Gathered))
		d.wants("aggregator assemble")
	})
	t.Run("left at that", func(t *testing.T) {
		t.Parallel()
		d := half(t)
		d.do(core.Attest{By: "anna", Reason: "the cases are not ours", System: "crm", Outcome: dsar.Incomplete, Now: d.now})
		d.wants("aggregator assemble")
		end := d.state.Task("crm", dsar.Gather).End
		if end.Outcome != dsar.Incomplete || end.By != "anna" || len(end.Objects) != 1 || end.Counts[1].Uncovered == "" {
			t.Errorf("%+v", end)
		}
	})
	t.Run("completed by hand", func(t *testing.T) {
		t.Parallel()
		d := half(t)
		d.refuses(core.Attest{By: "anna", Reason: "here", System: "crm", Outcome: dsar.Gathered, Now: d.now}, core.ErrNotAllowed)
		d.do(core.Attest{By: "anna", Reason: "copied by hand", System: "crm", Outcome: dsar.Gathered, Now: d.now,
			Objects: []dsar.Object{{Name: "crm/hand"}}, Counts: []dsar.Counts{{Dataset: "cases", Found: 3, Gathered: 3}}})
		end := d.state.Task("crm", dsar.Gather).End
		if end.Outcome != dsar.Gathered || len(end.Objects) != 2 || end.Counts[0].Gathered != 2 || end.Counts[1].Gathered != 3 || end.Counts[1].Uncovered != "" {
			t.Errorf("%+v", end)
		}
	})
	t.Run("nothing there", func(t *testing.T) {
		t.Parallel()
		d := half(t)
		d.do(core.Attest{By: "anna", Reason: "looked: no cases", System: "crm", Outcome: dsar.NothingFound, Now: d.now})
		if end := d.state.Task("crm", dsar.Gather).End; end.Outcome != dsar.Gathered || len(end.Objects) != 1 {
			t.Errorf("%+v", end)
		}
	})
	t.Run("only where something is not covered", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, dsar.Access, crm)
		d.report(dsar.Report{System: "crm", Action: dsar.Gather, Kind: dsar.ReportFailed, Code: "broken"})
		d.refuses(core.Attest{By: "anna", Reason: "so be it", System: "crm", Outcome: dsar.Incomplete, Now: d.now}, core.ErrNotAllowed)
	})
}

// TestWhatAnErasureLeftIsSeenByAPerson: what an erasure left of its plan, since it is somebody
// else's by now or couldn't be reached, stops for a person, though a proof finds nothing of it.
// Planned anew, the answer has the numbers of both erasures.
func TestWhatAnErasureLeftIsSeenByAPerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		did   dsar.Counts
		stops bool
	}{
		"somebody else's":            {dsar.Counts{Found: 3, Erased: 3, Reassigned: 2, Uncovered: "somebody else's by now"}, true},
		"said by number alone":       {dsar.Counts{Found: 3, Erased: 3, Reassigned: 2}, true},
		"some of it somebody else's": {dsar.Counts{Found: 2, Erased: 2, Reassigned: 2, Uncovered: "the user may not delete"}, true},
		"not reached":                {dsar.Counts{Found: 3, Erased: 3, Uncovered: "the user may not delete"}, true},
		"what was planned is erased": {dsar.Counts{Found: 5, Erased: 5, Uncovered: "the user may not delete"}, false},
	} {
		d := newDesk(t, dsar.Erasure, crm)
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
		d.says(dsar.Erase, dsar.Erased, c.did)
		d.wants("crm prove")
		d.report(ended("crm", dsar.Prove, dsar.Proven))
		if !c.stops {
			d.wants("aggregator assemble")
			continue
		}
		if s := d.state; s.Status != core.StatusNeedsAttention || s.Task("crm", dsar.Prove).End.Outcome != dsar.Incomplete {
			t.Fatalf("%s: %s, %+v", name, s.Status, s.Task("crm", dsar.Prove).End)
		}
		code, left := dsar.CodeNotCovered, d.state.Task("crm", dsar.Prove).End
		if c.did.Reassigned > 0 && c.did.Accounted() == 5 {
			code = core.CodeLeftReassigned
		}
		if said := left.Counts[0].Uncovered; left.Code != code || left.Reason == "" || left.Reason == dsar.CodeNotCovered || said == dsar.CodeNotCovered || said == "" {
			t.Errorf("%s: the proof says %+v", name, left)
		}
		if code == core.CodeLeftReassigned && !strings.Contains(left.Reason, "somebody else's") {
			t.Errorf("%s: the reason is %q", name, left.Reason)
		}
		d.do(core.Retry{By: "anna", Now: d.now})
		d.wants("crm plan")
		d.report(ended("crm", dsar.Plan, dsar.NothingFound))
		d.wants("crm prove")
		d.report(ended("crm", dsar.Prove, dsar.Proven))
		d.wants("aggregator assemble")
		var reassigned int64
		for _, end := range d.answer().Systems[0].Ends {
			for _, n := range end.Counts {
				reassigned += n.Reassigned
			}
		}
		if reassigned != c.did.Reassigned {
			t.Errorf("%s: the answer tells of %d that are somebody else's", name, reassigned)
		}
	}
}

var (
	crm    = dsar.System{Name: "crm", Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}}
	mailer = dsar.System{Name: "mailer", Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}, EraseAfter: []string{"crm"}}
)

// TestAnIncompleteErasureGoesOn with what can be reached, in every system; its
// proof says once, to a person, what is not covered. Retried, it begins with a
// plan, as does who is erased after it.
func TestAnIncompleteErasureGoesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, crm, mailer, events)
	d.report(partly("crm", dsar.Plan, dsar.Found, dsar.Counts{Found: 2}))
	d.planned("mailer", 1)
	d.planned("events", 1)
	d.wants("crm erase", "events erase")
	d.report(partly("crm", dsar.Erase, dsar.Erased, dsar.Counts{Found: 2, Erased: 2}))
	d.wants("events erase", "mailer erase")
	d.erased("mailer")
	d.erased("events")
	d.wants("crm prove", "mailer prove", "events prove")
	d.report(partly("crm", dsar.Prove, dsar.Found, dsar.Counts{Found: 1}))
	d.provenOnly("mailer")
	d.provenOnly("events")
	if s := d.state; s.Status != core.StatusNeedsAttention || !slices.Equal(s.Attention.Systems, []string{"crm"}) {
		t.Fatalf("%s, %+v", s.Status, s.Attention)
	}
	if _, err := core.Decide(d.state, core.Attest{By: "anna", Reason: "r", System: "crm", Outcome: dsar.Erased, Now: d.now}); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("a proof attested as an erasure: %v", err)
	}
	d.do(core.Retry{By: "anna", Systems: []string{"crm"}, Now: d.now})
	d.wants("crm plan", "mailer plan")
	d.planned("crm", 5)
	d.wants("mailer plan")
	d.report(ended("mailer", dsar.Plan, dsar.NothingFound))
	d.wants("crm erase")
	r := ended("crm", dsar.Erase, dsar.Erased)
	r.Counts = []dsar.Counts{{Dataset: "rows", Found: 5, Erased: 5}}
	d.report(r)
	d.wants("crm prove", "mailer prove")
	d.provenOnly("crm")
	d.provenOnly("mailer")
	d.wants("aggregator assemble")

	// The answer has the ends of both erasures, each with its fact.
	sent := d.facts[len(d.facts)-1].(core.TaskSent)
	told := d.state.NewTask(sent).Answer
	got := map[string][]bool{}
	for _, sys := range told.Systems {
		for _, end := range sys.Ends {
			fact, ok := d.facts[end.Fact-1].(core.TaskEnded)
			if !ok || fact.System != sys.System || fact.Action != end.Action || !slices.EqualFunc(fact.Counts, end.Counts, func(a, b dsar.Counts) bool { return reflect.DeepEqual(a, b) }) {
				t.Errorf("%s %s is told of fact %d, %+v", sys.System, end.Action, end.Fact, d.facts[end.Fact-1])
			}
			got[sys.System+" "+string(end.Action)] = append(got[sys.System+" "+string(end.Action)], end.Earlier)
		}
		if len(sys.Open) > 0 {
			t.Errorf("%s has %v open", sys.System, sys.Open)
		}
	}
	for what, want := range map[string][]bool{"crm plan": {true, false}, "crm erase": {true, false}, "crm prove": {false}, "mailer plan": {true, false}, "mailer erase": {true, false}, "events erase": {false}} {
		if !slices.Equal(got[what], want) {
			t.Errorf("%s: earlier %v, want %v", what, got[what], want)
		}
	}
	if rests := told.Rests(); !slices.IsSorted(rests) || rests[0] != 1 || len(rests) < 14 {
		t.Errorf("it rests on %v", rests)
	}
}

// TestTwoProofsFailTogether, one for records that are still there and one that is
// incomplete: neither waits for the other without end.
func TestTwoProofsFailTogether(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, crm, events)
	for _, name := range []string{"crm", "events"} {
		d.planned(name, 1)
	}
	d.erased("crm")
	d.erased("events")
	d.report(partly("crm", dsar.Prove, dsar.Proven, dsar.Counts{}))
	for d.state.Task("events", dsar.Prove).Status != core.TaskIsFailed {
		d.report(dsar.Report{System: "events", Action: dsar.Prove, Counts: []dsar.Counts{{Dataset: "d", Found: 1}}})
		d.now = core.Wake(d.state)
		d.do(core.Tick{Now: d.now})
	}
	d.do(core.Retry{By: "anna", Now: d.now})
	d.wants("crm plan", "events erase")
	d.erased("events")
	d.wants("crm plan", "events prove")
	d.provenOnly("events")
	d.planned("crm", 1)
	d.wants("crm erase")
	d.erased("crm")
	d.wants("crm prove")
	d.provenOnly("crm")
	d.wants("aggregator assemble")
}

// TestWhatMayBeReadAndNotErased is found by the proof, which doesn't ask again and
// again: the erasure has said why.
func TestWhatMayBeReadAndNotErased(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, crm)
	d.planned("crm", 2)
	r := ended("crm", dsar.Erase, dsar.Incomplete)
	r.Reason = "the user may not delete rows"
	r.Counts = []dsar.Counts{{Dataset: "rows", Found: 2, Erased: 1, Uncovered: r.Reason}}
	d.report(r)
	proof := ended("crm", dsar.Prove, dsar.Found)
	proof.Counts = []dsar.Counts{{Dataset: "rows", Found: 1}}
	d.report(proof)
	if end := d.state.Task("crm", dsar.Prove).End; d.state.Status != core.StatusNeedsAttention || end.Outcome != dsar.Incomplete || end.Reason != r.Reason {
		t.Errorf("%s, %+v", d.state.Status, end)
	}
}

// TestWhatStaysAndIsNotRestricted: all that the proof finds must stay, and yet the
// erasure lacked something there that a person must see.
func TestWhatStaysAndIsNotRestricted(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, crm)
	d.planned("crm", 2)
	kept := []dsar.Retention{{Records: 1, Ground: "tax-records", Until: d.now.AddDate(5, 0, 0)}}
	r := ended("crm", dsar.Erase, dsar.Incomplete)
	r.Counts = []dsar.Counts{{Dataset: "rows", Found: 2, Erased: 1, Retained: kept, Uncovered: "the user may not restrict rows"}}
	d.report(r)
	proof := ended("crm", dsar.Prove, dsar.Proven)
	proof.Counts = []dsar.Counts{{Dataset: "rows", Found: 1, Retained: kept}}
	d.report(proof)
	if end := d.state.Task("crm", dsar.Prove).End; d.state.Status != core.StatusNeedsAttention || end.Outcome != dsar.Incomplete {
		t.Errorf("%s, %+v", d.state.Status, end)
	}
}

// TestFieldsLeftAndDatasetsNotCovered are told at once.
func TestFieldsLeftAndDatasetsNotCovered(t *testing.T) {
	t.Parallel()
	shop := dsar.System{Name: "shop", Abilities: []dsar.Action{dsar.Rectify}, Needs: []dsar.IdentifierType{"email"}}
	d := newDesk(t, dsar.Rectification, shop)
	r := ended("shop", dsar.Rectify, dsar.Rectified)
	r.Counts = []dsar.Counts{{Dataset: "people", Found: 1, Unchanged: []string{"mail"}}, {Dataset: "notes", Uncovered: "the user may not read notes"}}
	d.report(r)
	if end := d.state.Task("shop", dsar.Rectify).End; end.Outcome != dsar.Manual || !strings.Contains(end.Reason, "people.mail") || !strings.Contains(end.Reason, "not covered: notes") {
		t.Errorf("%+v", end)
	}
}
