package core_test

import (
	"errors"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// neighbour and stranger are other requests of which nobody knows whose they are.
const neighbour, stranger = "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a22", "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a33"

// TestNothingGoesOnInDoubt: while somebody must say whose another request is, no system is asked
// and nothing is owed; once they have said it of all, it is looked again, and it goes on.
func TestNothingGoesOnInDoubt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, dsar.System{Name: "books", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}})
	a := d.state.Accepted
	a.LooksBack, a.LooksFirst = true, true
	d.state = core.State{}
	d.do(core.Submit{Accepted: a})
	waits := func(status core.Status, duty bool) {
		t.Helper()
		if len(d.state.Tasks) > 0 || d.state.Status != status || slices.Contains(d.state.Duties(d.now), core.DutyLookBack) != duty {
			t.Fatalf("%s, owed %v, tasks %v", d.state.Status, d.state.Duties(d.now), d.state.Tasks)
		}
	}
	waits(core.StatusAccepted, true)
	doubt := core.DoubtEarlier{Doubts: []core.EarlierDoubted{{Request: neighbour, Why: core.DoubtShared}, {Request: stranger, Why: core.DoubtAccounts}}, Now: d.now}
	if facts := d.do(doubt); len(facts) != 3 {
		t.Fatalf("%v", facts)
	}
	if facts := d.do(doubt); len(facts) > 0 {
		t.Errorf("asked twice: %v", facts)
	}
	waits(core.StatusNeedsAttention, false)
	if needs := d.state.Needs(); len(needs) != 1 || needs[0].Kind != core.NeedTheirs || d.state.Attention.Code != core.CodePerhapsTheirs {
		t.Errorf("needs %v, %+v", needs, d.state.Attention)
	}
	for _, wrong := range []core.JudgeEarlier{{By: "lea", Request: neighbour, Now: d.now}, {By: "lea", Request: a.RequestID, Reason: "why", Now: d.now}} {
		if _, err := core.Decide(d.state, wrong); !errors.Is(err, core.ErrNotAllowed) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	d.do(core.JudgeEarlier{By: "lea", Request: neighbour, Reason: "two accounts", Now: d.now})
	waits(core.StatusNeedsAttention, false)
	d.do(core.JudgeEarlier{By: "lea", Request: stranger, Same: true, Reason: "registered anew", Now: d.now})
	waits(core.StatusAccepted, true)
	if _, err := core.Decide(d.state, core.JudgeEarlier{By: "lea", Request: stranger, Reason: "no", Now: d.now}); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("judged twice: %v", err)
	}
	there := core.State{Accepted: core.Accepted{RequestID: stranger}}
	for _, pair := range [][2]core.State{{d.state, there}, {there, d.state}} {
		if same, judged := core.Judged(pair[0], pair[1]); !same || !judged {
			t.Errorf("it was said: %v, %v", same, judged)
		}
	}
	var looked []string
	for _, id := range d.state.Unlooked() {
		looked = append(looked, id.Fingerprint)
	}
	d.do(core.LookBack{LookedUp: looked, Of: []string{stranger}, Kept: []core.KeptEarlier{{RequestID: stranger, System: "books", Dataset: "invoices", From: looked[0]}}, Now: d.now})
	if len(d.state.Tasks) != 1 || !slices.Contains(d.state.Erasures, stranger) || len(d.state.KeptElsewhere) != 1 {
		t.Errorf("%v, knows of %v, kept %v", d.state.Tasks, d.state.Erasures, d.state.KeptElsewhere)
	}
}

// TestAStrangersHoldGoes: what came over of a request that is another person's goes with the
// word of who says so; a hold that is on elsewhere too stays.
func TestAStrangersHoldGoes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, dsar.System{Name: "crm", Abilities: []dsar.Action{dsar.Erase}, Needs: []dsar.IdentifierType{"email"}, Holds: true})
	a := d.state.Accepted
	a.LooksBack, a.LooksFirst, a.Erasures, a.After = true, true, []string{neighbour}, []string{neighbour}
	a.Kept = []core.KeptEarlier{{RequestID: neighbour, System: "crm", Dataset: "invoices", From: "e"}}
	over := func(dataset, of string) core.HoldPlaced {
		return core.HoldPlaced{ReasonedAct: core.ReasonedAct{By: core.ByPolicy, Reason: "a hold is on elsewhere", At: d.now}, System: "crm", Dataset: dataset, Of: of}
	}
	d.state = core.State{}
	d.do(core.Submit{Accepted: a, Holds: []core.HoldPlaced{over("contacts", neighbour), over("letters", neighbour), over("letters", stranger)}})
	d.do(core.DoubtEarlier{Doubts: []core.EarlierDoubted{{Request: neighbour, Why: core.DoubtRivals}}, Now: d.now})
	d.do(core.JudgeEarlier{By: "lea", Request: neighbour, Reason: "the other twin", Now: d.now})
	if s := d.state; len(s.Holds) != 1 || s.Holds[0].Dataset != "letters" || len(s.Erasures)+len(s.KeptElsewhere)+len(s.After) > 0 {
		t.Errorf("holds %v, erasures %v, kept %v, after %v", s.Holds, s.Erasures, s.KeptElsewhere, s.After)
	}
}

// TestConcerns: a doubt is put to a person only where it makes a difference.
func TestConcerns(t *testing.T) {
	t.Parallel()
	answered := core.State{Accepted: core.Accepted{RequestID: neighbour}, Right: dsar.Access, Status: core.StatusCompleted}
	held, open, gone, refused, appeal := answered, answered, answered, answered, answered
	held.Holds, open.Status, gone.RecordsForgotten, refused.Status, appeal.Right = []core.Held{{}}, core.StatusGathering, start, core.StatusRefused, dsar.Appeal
	for _, c := range []struct {
		name          string
		other         core.State
		erasure, copy bool
	}{{"an answer", answered, true, false}, {"a hold", held, true, false}, {"open", open, true, false}, {"forgotten", gone, false, false}, {"refused", refused, false, false}, {"an appeal", appeal, false, false}, {"none", core.State{}, false, false}} {
		if (core.State{Right: dsar.Erasure}).Concerns(c.other, start) != c.erasure || (core.State{Right: dsar.Access}).Concerns(c.other, start) != c.copy {
			t.Errorf("%s: not %v to an erasure, %v to a copy", c.name, c.erasure, c.copy)
		}
	}
}
