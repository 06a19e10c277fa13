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
