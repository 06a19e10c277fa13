package core_test

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestUnwritten: one letter for each occasion, none twice, and none that came too late
// to be of use.
func TestUnwritten(t *testing.T) {
	t.Parallel()
	all := []core.Event{
		core.Accepted{RequestID: "r", Right: dsar.Erasure, Systems: []dsar.System{{Name: "s"}}},
		core.ProofAsked{Checks: []dsar.Check{dsar.CheckIdentity}},
		core.LetterSent{Letter: core.LetterConfirmation, Cause: 1},
		core.ProofJudged{Accepted: true},
		core.Extended{ReasonedAct: core.ReasonedAct{Reason: "much"}},
		core.TaskEnded{System: "s", Action: dsar.Prove, Counts: []dsar.Counts{{Retained: []dsar.Retention{{Records: 1}}}}},
		core.Completed{},
	}
	var got []string
	for _, o := range core.Fold(all[:6]).Unwritten() {
		got = append(got, string(o.Letter))
	}
	if s := strings.Join(got, " "); s != "proof extension" {
		t.Errorf("before the end: %s", s)
	}
	due := core.Fold(all).Unwritten()
	if len(due) != 2 || due[0].Letter != core.LetterExtension || due[1].Letter != core.LetterCertificate || due[1].Cause != 7 {
		t.Errorf("after it: %+v", due)
	}
}

// TestKeptAndGoneIsUncertain: what one erasure had to keep isn't certain where another has
// found records of the dataset gone; its own losses were none of those it kept.
func TestKeptAndGoneIsUncertain(t *testing.T) {
	t.Parallel()
	hold := []dsar.Retention{{Records: 2, Ground: dsar.LegalHold}}
	told := func(kept ...core.KeptEarlier) core.KeptEarlier {
		for i := range kept {
			kept[i].System, kept[i].Dataset, kept[i].From = "crm", "people", "f"
		}
		s := core.Evolve(core.State{}, core.Accepted{RequestID: "r", Right: dsar.Access, Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Assurance: dsar.AssuranceVerified}}, Kept: kept})
		a := s.NewTask(core.TaskSent{System: dsar.Aggregator, Action: dsar.Assemble}).Answer
		if len(a.Kept) != 1 {
			t.Fatalf("%+v", a.Kept)
		}
		return a.Kept[0]
	}
	if k := told(core.KeptEarlier{RequestID: "a", Retained: hold}, core.KeptEarlier{RequestID: "b", Gone: 1}); len(k.Retained) > 0 || len(k.Then) != 1 {
		t.Errorf("another found one gone: %+v", k)
	}
	if k := told(core.KeptEarlier{RequestID: "a", Retained: hold, Gone: 1}); len(k.Retained) != 1 || len(k.Then) > 0 {
		t.Errorf("it lost another one itself: %+v", k)
	}
}

// TestKeptTwiceIsToldOnce: what two earlier erasures had to keep is told once, by the one
// that kept more.
func TestKeptTwiceIsToldOnce(t *testing.T) {
	t.Parallel()
	kept := func(request string, records int64) core.KeptEarlier {
		return core.KeptEarlier{RequestID: request, System: "crm", Dataset: "people", From: "f", Retained: []dsar.Retention{{Records: records, Ground: "tax"}}}
	}
	s := core.Evolve(core.State{}, core.Accepted{RequestID: "r", Right: dsar.Access, Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Assurance: dsar.AssuranceVerified}},
		Kept: []core.KeptEarlier{kept("a", 2), kept("b", 4), kept("c", 4)}})
	a := s.NewTask(core.TaskSent{System: dsar.Aggregator, Action: dsar.Assemble}).Answer
	if len(a.Kept) != 1 || a.Kept[0].RequestID != "b" {
		t.Errorf("%+v", a.Kept)
	}
}
