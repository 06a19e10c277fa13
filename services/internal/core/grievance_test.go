package core_test

import (
	"errors"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

const appealID = "5b0e2a5c-2f6e-4b0b-8a51-7a5c5a1b9f02"

// appealing returns an appeal against a request that lea has refused.
func appealing(t reporter) *desk {
	d := &desk{t: t, now: start}
	d.do(core.Submit{Accepted: core.Accepted{RequestID: appealID, Right: dsar.Appeal, Jurisdiction: "Colorado", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 0, 45),
		Digest: "d", Identifiers: []dsar.Identifier{camille}, About: &core.About{RequestID: "r1", Right: dsar.Access, DecidedBy: []string{"lea <issuer#1>"}}}})
	return d
}

// TestAppealIsDecidedBySomebodyElse: nobody is asked anything; who refused doesn't decide,
// by whatever name; the person is told the receipt, and what was found.
func TestAppealIsDecidedBySomebodyElse(t *testing.T) {
	t.Parallel()
	d := appealing(t)
	if d.state.Status != core.StatusReviewing || len(d.state.Tasks) > 0 {
		t.Fatalf("%s, %v", d.state.Status, d.state.Tasks)
	}
	if !d.state.Allowed(core.Officer, calendar{}, d.now).Has(core.VerbDecide) || d.state.Allowed(core.Agent, calendar{}, d.now).Has(core.VerbDecide) {
		t.Error("an officer decides, and nobody less")
	}
	dismiss := core.DecideGrievance{By: "Léa <issuer#1>", Finding: core.Dismissed, Reason: "the permission had run out", Now: d.now}
	if _, err := core.Decide(d.state, dismiss); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("who refused decides: %v", err)
	}
	dismiss.By = "lea <issuer#2>" // another person of that name
	d.do(dismiss)
	if d.state.Status != core.StatusCompleted || d.state.Decision.Finding != core.Dismissed {
		t.Errorf("%+v", d.state)
	}
	var letters []core.Letter
	for _, o := range d.state.Unwritten() {
		letters = append(letters, o.Letter)
	}
	if want := []core.Letter{core.LetterAcknowledgement, core.LetterDecision}; !slices.Equal(letters, want) {
		t.Errorf("letters %v, want %v", letters, want)
	}
	if _, err := core.Decide(d.state, dismiss); !errors.Is(err, core.ErrEnded) {
		t.Errorf("twice: %v", err)
	}
}

// TestUpheldAppealReopens: a refused request goes on where it stood, once for each appeal;
// one that was refused since nothing was proven still wants proof.
func TestUpheldAppealReopens(t *testing.T) {
	t.Parallel()
	d := asking(t, dsar.Access, core.Terms{Refusals: []string{"excessive"}}, []dsar.Identifier{mallory}, events)
	again := core.Reopen{By: "sam", Grievance: appealID, Now: d.now}
	if _, err := core.Decide(d.state, again); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("a request that isn't refused: %v", err)
	}
	d.do(core.Refuse{By: "lea", Ground: "excessive", Now: d.now})
	d.do(again)
	if d.state.Status != core.StatusGathering || !d.state.EndedAt.IsZero() || d.state.Refusal.Ground != "" {
		t.Errorf("%s, ended %s, %+v", d.state.Status, d.state.EndedAt, d.state.Refusal)
	}
	if facts, err := core.Decide(d.state, again); err != nil || len(facts) > 0 {
		t.Errorf("twice: %v, %v", facts, err)
	}
	d.wants("events gather")

	d = asking(t, dsar.Access, core.Terms{Checks: []dsar.Check{dsar.CheckIdentity}}, []dsar.Identifier{camille}, events)
	d.do(core.JudgeProof{By: "lea", Calendar: calendar{}, Now: d.now})
	d.do(again)
	if d.state.Status != core.StatusAwaitingProof || len(d.state.Proof.Identifiers) != 1 {
		t.Errorf("%s, %+v", d.state.Status, d.state.Proof)
	}
	d.wants()
}

// TestTimeHadRunOut: a request whose answer was due before it came in is overdue from its
// first facts on.
func TestTimeHadRunOut(t *testing.T) {
	t.Parallel()
	d := &desk{t: t, now: start.AddDate(0, 2, 0)}
	facts := d.do(core.Submit{Accepted: core.Accepted{RequestID: "r1", Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: d.now, DueAt: start.AddDate(0, 1, 0),
		Digest: "d", Identifiers: []dsar.Identifier{mallory}, Systems: []dsar.System{events}}})
	if !d.state.Overdue || !slices.ContainsFunc(facts, func(e core.Event) bool { _, is := e.(core.Overdue); return is }) {
		t.Errorf("%v", facts)
	}
	if facts := d.do(core.Tick{Now: d.now}); slices.ContainsFunc(facts, func(e core.Event) bool { _, is := e.(core.Overdue); return is }) {
		t.Error("told twice")
	}
}

// TestRightThatAPersonDecides: a right that a law's file adds is decided as a complaint is,
// about no earlier request; its receipt is confirmed as that of a request, and it can be
// refused on a ground of the law.
func TestRightThatAPersonDecides(t *testing.T) {
	t.Parallel()
	asked := func(terms core.Terms, systems ...dsar.System) (*desk, core.Submit) {
		return &desk{t: t, now: start}, core.Submit{Accepted: core.Accepted{RequestID: "r1", Right: "automated-explanation", Jurisdiction: "South Korea", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 0, 30),
			Digest: "d", Identifiers: []dsar.Identifier{camille}, Terms: terms, Systems: systems}}
	}
	d, submit := asked(core.Terms{}, events)
	d.refuses(submit, core.ErrInvalid) // no system is asked
	d, submit = asked(core.Terms{Refusals: []string{"harm"}})
	d.do(submit)
	if d.state.Status != core.StatusReviewing || !d.state.Allowed(core.Officer, calendar{}, d.now).Has(core.VerbRefuse) {
		t.Fatalf("%s", d.state.Status)
	}
	d.refuses(core.DecideGrievance{By: "sam", Finding: core.Upheld, Reason: "by the payments of a year", Reopened: true, Now: d.now}, core.ErrNotAllowed)
	d.do(core.DecideGrievance{By: "sam", Finding: core.Upheld, Reason: "by the payments of a year", Now: d.now})
	var letters []core.Letter
	for _, o := range d.state.Unwritten() {
		letters = append(letters, o.Letter)
	}
	if want := []core.Letter{core.LetterConfirmation, core.LetterDecision}; d.state.Status != core.StatusCompleted || !slices.Equal(letters, want) {
		t.Errorf("%s, letters %v, want %v", d.state.Status, letters, want)
	}
	for _, lacks := range []core.Verb{core.VerbNewPassphrase, core.VerbRevokeAnswer} {
		if d.state.Allowed(core.Officer, calendar{}, d.now).Has(lacks) {
			t.Errorf("%s is offered of a letter", lacks)
		}
	}
	if !d.state.Allowed(core.Officer, calendar{}, d.now).Has(core.VerbDeliver) {
		t.Error("the letter can't be sent again")
	}
}

// TestUpheldPartIsGiven: an appeal about a part of a copy gives that part back: the answer is
// written anew, with it, and the person is told; only once, and only what was refused. Who
// refused the part, or judged the proof, is among those who don't decide.
func TestUpheldPartIsGiven(t *testing.T) {
	t.Parallel()
	d := asking(t, dsar.Access, core.Terms{PartRefusals: []string{"rights-of-others"}}, []dsar.Identifier{mallory}, events)
	for _, dataset := range []string{"letters", "notes"} {
		d.do(core.RefusePart{By: "lea", System: "events", Dataset: dataset, Ground: "rights-of-others", Reason: "others wrote them", Now: d.now})
	}
	again := core.Reopen{By: "sam", Grievance: appealID, Parts: []string{"events/letters"}, Now: d.now}
	d.refuses(again, core.ErrNotAllowed) // it isn't answered
	d.report(dsar.Report{System: "events", Action: dsar.Gather, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Gathered})
	d.assembled()
	if d.state.Status != core.StatusCompleted || !slices.Equal(d.state.RefusedBy, []string{"lea"}) {
		t.Fatalf("%s, refused by %v", d.state.Status, d.state.RefusedBy)
	}
	answered := d.state.AnsweredAt
	wrong := again
	wrong.Parts = []string{"events/others"}
	d.refuses(wrong, core.ErrNotAllowed)
	d.do(again)
	if left := d.state.Told().Parts; d.state.Status != core.StatusAssembling || len(left) != 1 || left[0].Dataset != "notes" {
		t.Errorf("%s, refused are %+v", d.state.Status, left)
	}
	if facts, err := core.Decide(d.state, again); err != nil || len(facts) > 0 {
		t.Errorf("twice: %v, %v", facts, err)
	}
	d.assembled()
	if d.state.Status != core.StatusCompleted || !d.state.AnsweredAt.Equal(answered) {
		t.Errorf("%s, answered %s", d.state.Status, d.state.AnsweredAt)
	}
	d.do(core.Reopen{By: "sam", Grievance: "5b0e2a5c-2f6e-4b0b-8a51-7a5c5a1b9f03", Now: d.now}) // the rest
	if len(d.state.Parts) > 0 {
		t.Errorf("%+v", d.state.Parts)
	}
}
