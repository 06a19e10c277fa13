package core_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// calendar is a law of thirty days, and thirty more, that the clock's pauses move.
type calendar struct{ fixed bool }

func (c calendar) Due(k core.Clock) (time.Time, bool) {
	began := k.ReceivedAt
	if k.StartedAt.After(began) {
		began = k.StartedAt
	}
	due := began.AddDate(0, 0, 30)
	if k.Extensions > 0 {
		if c.fixed {
			return time.Time{}, false
		}
		due = due.AddDate(0, 0, 30)
	}
	for _, p := range k.Pauses {
		if p.Until.After(began) {
			due = due.Add(p.Until.Sub(p.From))
		}
	}
	return due, true
}

// underLaw returns a request that needs proof of identity, by a law that pauses for
// it.
func underLaw(t reporter, right dsar.Right, terms core.Terms, systems ...dsar.System) *desk {
	d := &desk{t: t, now: start}
	d.do(core.Submit{Accepted: core.Accepted{RequestID: "r1", Right: right, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 0, 30),
		Digest: "d1", Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "fp-email", Assurance: dsar.AssuranceVerified}}, Systems: systems, Terms: terms}})
	return d
}

func (d *desk) refuses(c core.Command, want error) {
	d.t.Helper()
	if facts, err := core.Decide(d.state, c); !errors.Is(err, want) || len(facts) > 0 {
		d.t.Errorf("%T: %v, %v, want %v", c, facts, err, want)
	}
}

func TestNothingIsAskedBeforeProofIsAccepted(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{Checks: []dsar.Check{dsar.CheckGuardian}, PausesForProof: true}, events)
	d.wants()
	if d.state.Status != core.StatusAwaitingProof || !d.state.Paused || len(core.Waiting(d.state)) > 0 {
		t.Fatalf("%+v", d.state)
	}
	// The clock stands: no due date passes, but the person is reminded.
	d.now = start.AddDate(0, 0, 40)
	if facts := d.do(core.Tick{Now: d.now}); len(facts) != 1 || facts[0] != (core.Reminded{About: core.RemindProof, Moment: core.Moment{At: d.now}}) {
		t.Errorf("facts %v", facts)
	}
	d.refuses(core.AskClarification{Now: d.now}, core.ErrAwaited)
	d.refuses(core.Clarify{Now: d.now, Calendar: calendar{}}, core.ErrNotAwaited)
	d.refuses(core.Retry{Now: d.now}, core.ErrAwaited)
	d.do(core.JudgeProof{By: "lea", Accepted: true, Calendar: calendar{}, Now: d.now})
	d.wants("events plan")
	if want := start.AddDate(0, 0, 70); !d.state.DueAt.Equal(want) || d.state.Paused {
		t.Errorf("due %s, want %s", d.state.DueAt, want)
	}
	d.refuses(core.JudgeProof{Now: d.now}, core.ErrNotAwaited)
}

// TestTheClockStartsWithTheProof: where a law has the period begin with the proof, it
// is counted anew from there, and so is an extension; a rejected proof begins nothing.
func TestTheClockStartsWithTheProof(t *testing.T) {
	t.Parallel()
	terms := core.Terms{Checks: []dsar.Check{dsar.CheckIdentity}, PausesForProof: true, StartsWithProof: true, Instead: dsar.KnowCategories}
	d := underLaw(t, dsar.Access, terms, events)
	d.now = start.AddDate(0, 0, 40)
	d.do(core.JudgeProof{By: "lea", Accepted: true, Calendar: calendar{}, Now: d.now})
	if want := start.AddDate(0, 0, 70); !d.state.DueAt.Equal(want) {
		t.Errorf("due %s, want %s", d.state.DueAt, want)
	}
	d.do(core.Extend{By: "lea", Reason: "nine systems", Calendar: calendar{}, Now: d.now})
	if want := start.AddDate(0, 0, 100); !d.state.DueAt.Equal(want) {
		t.Errorf("extended to %s, want %s", d.state.DueAt, want)
	}
	d = underLaw(t, dsar.Access, terms, events)
	d.now = start.AddDate(0, 0, 40)
	d.do(core.JudgeProof{By: "lea", Calendar: calendar{}, Now: d.now})
	if !d.state.StartedAt.IsZero() {
		t.Error("a rejected proof began the period")
	}
}

func TestTheClockGoesOnWhereTheLawSaysSo(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Access, core.Terms{Checks: []dsar.Check{dsar.CheckIdentity}}, events)
	d.now = start.AddDate(0, 0, 31)
	d.do(core.Tick{Now: d.now})
	if !d.state.Overdue {
		t.Error("not overdue")
	}
	d.do(core.JudgeProof{By: "lea", Accepted: true, Calendar: calendar{}, Now: d.now})
	if want := start.AddDate(0, 0, 30); !d.state.DueAt.Equal(want) {
		t.Errorf("due %s, want %s", d.state.DueAt, want)
	}
}

func TestWhoIsNotProvenIsRefused(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Erasure, core.Terms{Checks: []dsar.Check{dsar.CheckIdentity}, Instead: dsar.KnowCategories}, events)
	d.do(core.JudgeProof{By: "lea", Reason: "another's passport", Calendar: calendar{}, Now: d.now})
	if d.state.Status != core.StatusRefused || d.state.Refusal.Ground != core.NotProven || !core.Wake(d.state).IsZero() {
		t.Errorf("%+v", d.state)
	}
}

// California: no copy for a person who isn't proven, but the categories (11 CCR 7024(a)), as
// anybody is told them: no system is asked, and nothing that was found is told.
func TestWhoIsNotProvenIsToldTheCategories(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Access, core.Terms{Instead: dsar.KnowCategories}, account, events)
	d.report(ended("events", dsar.Gather, dsar.Gathered))
	d.do(core.AskProof{By: "lea", Now: d.now})
	d.do(core.JudgeProof{By: "lea", Calendar: calendar{}, Now: d.now})
	if late := d.report(dsar.Report{System: "account", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: accID}); len(late) > 0 {
		t.Errorf("an identifier that came late: %v", late)
	}
	if again := d.report(ended("account", dsar.Gather, dsar.Gathered)); len(again) > 0 {
		t.Errorf("a copy that came late: %v", again)
	}
	d.wants("aggregator assemble")
	if task := d.state.NewTask(core.TaskSent{System: dsar.Aggregator, Action: dsar.Assemble}); task.Right != dsar.KnowCategories {
		t.Errorf("assembled as %s", task.Right)
	}
	if d.state.Accepted.Right != dsar.Access {
		t.Error("what was asked is forgotten")
	}
}

func TestClarification(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Access, core.Terms{PausesForClarification: true}, events)
	d.now = start.AddDate(0, 0, 2)
	d.do(core.AskClarification{By: "lea", Now: d.now})
	if d.state.Status != core.StatusAwaitingClarification {
		t.Fatal(d.state.Status)
	}
	// What was asked is still heard, and nothing goes out.
	d.report(ended("events", dsar.Gather, dsar.Gathered))
	d.wants()
	d.now = start.AddDate(0, 0, 5)
	d.do(core.Clarify{By: "lea", Calendar: calendar{}, Now: d.now})
	d.wants("aggregator assemble")
	if want := start.AddDate(0, 0, 33); !d.state.DueAt.Equal(want) {
		t.Errorf("due %s, want %s", d.state.DueAt, want)
	}
	d.refuses(core.AskProof{Now: d.now}, core.ErrNotAllowed)
	d.refuses(core.Refuse{Ground: core.NotProven, Now: d.now}, core.ErrNotAllowed)
}

func TestExtension(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Access, core.Terms{}, events)
	d.refuses(core.Extend{By: "lea", Calendar: calendar{}, Now: d.now}, core.ErrNotAllowed)                                                    // no reason
	d.refuses(core.Extend{By: "lea", Reason: "much", Calendar: calendar{fixed: true}, Now: d.now}, core.ErrNotAllowed)                         // no such law
	d.refuses(core.Extend{By: "lea", Reason: "much", Calendar: calendar{}, Now: start.AddDate(0, 0, 30).Add(time.Second)}, core.ErrNotAllowed) // too late
	d.now = start.AddDate(0, 0, 29)
	d.do(core.Tick{Now: d.now})
	if !d.state.RemindedDue {
		t.Error("nobody is told that it is due soon")
	}
	d.do(core.Extend{By: "lea", Reason: "much", Calendar: calendar{}, Now: d.now})
	d.refuses(core.Extend{By: "lea", Reason: "more", Calendar: calendar{}, Now: d.now}, core.ErrNotAllowed) // once
	d.do(core.Tick{Now: start.AddDate(0, 0, 31)})
	if d.state.Overdue || d.state.RemindedDue {
		t.Error("overdue by the first date")
	}
	d.do(core.Tick{Now: start.AddDate(0, 0, 61)})
	if !d.state.Overdue {
		t.Error("not overdue by the second")
	}
}

func TestRefusalAndMerge(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Access, core.Terms{Refusals: []string{"excessive"}}, events)
	d.refuses(core.Refuse{By: "lea", Ground: "inconvenient", Now: d.now}, core.ErrNotAllowed)
	d.refuses(core.Merge{By: "lea", Into: "r1", Now: d.now}, core.ErrNotAllowed)
	d.do(core.Refuse{By: "lea", Ground: "excessive", Now: d.now})
	if d.state.Status != core.StatusRefused || len(d.report(ended("events", dsar.Gather, dsar.Gathered))) > 0 {
		t.Errorf("%+v", d.state)
	}
	d.refuses(core.Merge{By: "lea", Into: "r2", Now: d.now}, core.ErrEnded)
	other := underLaw(t, dsar.Access, core.Terms{}, events)
	other.do(core.Merge{By: "lea", Into: "r2", Now: d.now})
	if other.state.Status != core.StatusMerged || other.state.MergedInto != "r2" {
		t.Errorf("%+v", other.state)
	}
}

func TestAttentionIsRemindedOf(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Access, core.Terms{}, events)
	r := ended("events", dsar.Gather, dsar.Failed)
	r.Kind, r.Code = dsar.ReportFailed, "broken"
	d.report(r)
	for n := 1; n <= 3; n++ {
		d.now = core.Wake(d.state)
		if want := start.Add(time.Duration(n) * core.RemindEvery); !d.now.Equal(want) {
			t.Fatalf("reminder %d at %s, want %s", n, d.now, want)
		}
		d.do(core.Tick{Now: d.now})
	}
	d.do(core.Retry{By: "lea", Now: d.now})
	d.wants("events gather")
}

func TestLettersAreNotedOnce(t *testing.T) {
	t.Parallel()
	d := underLaw(t, dsar.Access, core.Terms{}, events)
	letter := core.LetterSent{Letter: core.LetterConfirmation, Language: "fr", Cause: 1, Channel: "outbox", Moment: core.Moment{At: d.now}}
	if n := len(d.do(core.NoteLetter{LetterSent: letter})) + len(d.do(core.NoteLetter{LetterSent: letter})); n != 1 {
		t.Errorf("%d facts", n)
	}
	letter.Cause = 7
	if n := len(d.do(core.NoteLetter{LetterSent: letter})); n != 1 {
		t.Errorf("on another occasion: %d facts", n)
	}
}

func TestByHand(t *testing.T) {
	t.Parallel()
	paper := dsar.System{Name: "paper", Abilities: []dsar.Action{}, Needs: []dsar.IdentifierType{"email"}}
	d := underLaw(t, dsar.Erasure, core.Terms{}, paper, events)
	d.report(ended("events", dsar.Plan, dsar.NothingFound))
	if d.state.Status != core.StatusNeedsAttention {
		t.Fatal(d.state.Status)
	}
	d.refuses(core.Attest{By: "lea", System: "events", Outcome: dsar.Found, Reason: "x", Now: d.now}, core.ErrNothingToAttest)
	d.refuses(core.Attest{By: "lea", System: "paper", Outcome: dsar.Erased, Reason: "x", Now: d.now}, core.ErrNotAllowed)
	d.refuses(core.Attest{By: "lea", System: "paper", Outcome: dsar.Found, Now: d.now}, core.ErrNotAllowed)
	d.do(core.Attest{By: "lea", System: "paper", Outcome: dsar.Found, Counts: []dsar.Counts{{Dataset: "letters", Found: 3}}, Reason: "folder 12", Now: d.now})
	if d.state.Status != core.StatusNeedsAttention || d.state.Stage != dsar.Erase {
		t.Fatalf("%s in %s", d.state.Status, d.state.Stage)
	}
	d.do(core.Attest{By: "lea", System: "paper", Outcome: dsar.Erased, Counts: []dsar.Counts{{Dataset: "letters", Found: 3, Erased: 3}}, Reason: "shredded", Now: d.now})
	d.wants("events prove")
	if end := d.state.Task("paper", dsar.Erase).End; end.By != "lea" || d.state.Task("paper", dsar.Prove).End.Code != "by-hand" {
		t.Errorf("%+v", end)
	}
	// A copy is handed over.
	copied := underLaw(t, dsar.Access, core.Terms{}, paper)
	copied.refuses(core.Attest{By: "lea", System: "paper", Outcome: dsar.Gathered, Reason: "folder 12", Now: d.now}, core.ErrNotAllowed)
	copied.do(core.Attest{By: "lea", System: "paper", Outcome: dsar.Gathered, Objects: []dsar.Object{{Name: "paper/gather/0-hand"}}, Reason: "folder 12", Now: d.now})
	copied.wants("aggregator assemble")
}

func TestFieldsThatCannotBeCorrectedAreForAPerson(t *testing.T) {
	t.Parallel()
	crm := dsar.System{Name: "crm", Abilities: []dsar.Action{dsar.Rectify}, Needs: []dsar.IdentifierType{"email"}}
	d := underLaw(t, dsar.Rectification, core.Terms{}, crm)
	r := ended("crm", dsar.Rectify, dsar.Rectified)
	r.Counts = []dsar.Counts{{Dataset: "contacts", Rectified: 1, Changed: []string{"name"}, Unchanged: []string{"tax_id"}}}
	d.report(r)
	task := d.state.Task("crm", dsar.Rectify)
	if d.state.Status != core.StatusNeedsAttention || task.End.Outcome != dsar.Manual || !slices.Equal(task.End.Counts[0].Unchanged, []string{"tax_id"}) {
		t.Fatalf("%+v", task)
	}
	d.do(core.Attest{By: "lea", System: "crm", Outcome: dsar.Rectified, Counts: []dsar.Counts{{Dataset: "contacts", Rectified: 1, Changed: []string{"name", "tax_id"}}}, Reason: "asked the registry", Now: d.now})
	d.wants("aggregator assemble")
}

// TestAPersonLooksAtWhatIsAboutOthers: what a worker gathered and may be about
// other people is not answered with before a person has looked, and then as that
// person says.
func TestAPersonLooksAtWhatIsAboutOthers(t *testing.T) {
	t.Parallel()
	desks := dsar.System{Name: "desks", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}
	for release, code := range map[bool]string{false: dsar.CodeOthersRedacted, true: dsar.CodeOthersReleased} {
		d := underLaw(t, dsar.Access, core.Terms{}, desks)
		d.wants("desks gather")
		objects := []dsar.Object{{Name: "desks/gather/1-x", Records: 3}}
		d.report(dsar.Report{System: "desks", Action: dsar.Gather, Attempt: 1, Kind: dsar.ReportFailed, Outcome: dsar.Manual, Code: dsar.CodeOthers, Reason: "a person must look",
			Objects: objects, Counts: []dsar.Counts{{Dataset: "tickets", Found: 3, Gathered: 3}}})
		if d.state.Status != core.StatusNeedsAttention || d.state.Task(dsar.Aggregator, dsar.Assemble) != nil {
			t.Fatalf("%s: %+v", d.state.Status, d.state.Tasks)
		}
		d.refuses(core.Attest{By: "lea", System: "desks", Outcome: dsar.Gathered, Now: d.now}, core.ErrNotAllowed)
		d.do(core.Attest{By: "lea", System: "desks", Outcome: dsar.Gathered, Release: release, Reason: "read it", Now: d.now})
		end := d.state.Task("desks", dsar.Gather).End
		if end.Code != code || end.By != "lea" || len(end.Objects) != 1 || end.Objects[0] != objects[0] || len(end.Counts) != 1 {
			t.Errorf("%+v", end)
		}
		d.wants("aggregator assemble")
	}
}

// TestSingleValuesAreRedacted: where a person takes single values out, the copies are the
// answer, the worker's counts stay, and the fact says how many values of which column, and why.
func TestSingleValuesAreRedacted(t *testing.T) {
	t.Parallel()
	desks := dsar.System{Name: "desks", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}
	d := underLaw(t, dsar.Access, core.Terms{}, desks)
	copied := []dsar.Object{{Name: "desks/gather/1-hand", Records: 3}}
	redacted := []core.Redaction{{Dataset: "tickets", Column: "body", Reason: core.RedactStaff, Values: 2}}
	look := core.Attest{By: "lea", System: "desks", Outcome: dsar.Gathered, Objects: copied, Redacted: redacted, Reason: "read it", Now: d.now}
	d.refuses(look, core.ErrNothingToAttest)
	d.report(dsar.Report{System: "desks", Action: dsar.Gather, Attempt: 1, Kind: dsar.ReportFailed, Outcome: dsar.Manual, Code: dsar.CodeOthers, Reason: "a person must look",
		Objects: []dsar.Object{{Name: "desks/gather/1-x", Records: 3}}, Counts: []dsar.Counts{{Dataset: "tickets", Found: 3, Gathered: 3}}})
	without := look
	without.Objects = nil
	d.refuses(without, core.ErrNotAllowed)
	d.do(look)
	end := d.state.Task("desks", dsar.Gather).End
	if end.Code != dsar.CodeOthersReviewed || !slices.Equal(end.Objects, copied) || end.Counts[0].Gathered != 3 {
		t.Errorf("%+v", end)
	}
	d.wants("aggregator assemble")
}
