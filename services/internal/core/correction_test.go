package core_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

var correctionAt = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// correcting returns a correction in systems s and t, under a law that knows one ground for a
// field.
func correcting(t *testing.T, review core.CorrectionReview) core.State {
	t.Helper()
	sys := func(name string) dsar.System {
		return dsar.System{Name: name, Abilities: []dsar.Action{dsar.Rectify, dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}
	}
	return decided(t, core.State{}, core.Submit{Accepted: core.Accepted{
		RequestID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Right: dsar.Rectification, Jurisdiction: "EEA", Source: "test", ReceivedAt: correctionAt, AcceptedAt: correctionAt, DueAt: correctionAt.AddDate(0, 1, 0), Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "e", Sealed: []byte{1}, Assurance: dsar.AssuranceVerified}}, Details: []byte{1},
		Systems: []dsar.System{sys("s"), sys("t")}, Terms: core.Terms{Refusals: []string{"excessive", "not-correct"}, PartRefusals: []string{"not-correct"}},
		CorrectionReview: review,
	}})
}

// says has the worker of a system report how its correction ended.
func says(t *testing.T, s core.State, system string, change func(*dsar.Report)) core.State {
	t.Helper()
	r := dsar.Report{RequestID: s.Accepted.RequestID, System: system, Action: dsar.Rectify, Attempt: s.Task(system, dsar.Rectify).Attempt, Kind: dsar.ReportEnded, Outcome: dsar.Rectified,
		Counts: []dsar.Counts{{Dataset: "users", Found: 1, Rectified: 1, Changed: []string{"name"}}}}
	change(&r)
	return decided(t, s, core.TakeReport{Report: r, Now: correctionAt})
}

func done(*dsar.Report) {}

// stops is a report that the correction of users.email is in doubt.
func stops(code string) func(*dsar.Report) {
	return func(r *dsar.Report) {
		r.Kind, r.Outcome, r.Counts, r.Code, r.Cause = dsar.ReportFailed, dsar.Failed, nil, code, &dsar.Cause{Dataset: "users", Columns: []string{"email"}}
	}
}

// told returns what a system's worker is told with its last task.
func told(s core.State, system string) dsar.Task {
	t := s.Task(system, dsar.Rectify)
	return s.NewTask(core.TaskSent{System: system, Action: dsar.Rectify, Attempt: t.Attempt, Moment: core.Moment{At: correctionAt}}).Task
}

// TestACorrectionIsReviewed: as configured, nothing is corrected before a person has looked, or
// it goes on by itself; what a system writes in its own way stands without a person only where
// nobody is to be asked.
func TestACorrectionIsReviewed(t *testing.T) {
	t.Parallel()
	approve := core.ApproveCorrection{By: "lea", Reason: "called her back", Now: correctionAt}
	for _, review := range []core.CorrectionReview{"", core.ReviewDoubt, core.ReviewNever} {
		s := correcting(t, review)
		if s.Status != core.StatusRectifying || s.Task("s", dsar.Rectify).Status != core.TaskIsSent {
			t.Errorf("%q: %s", review, s.Status)
		}
		var want []dsar.LetGo
		if review == core.ReviewNever {
			want = []dsar.LetGo{{Code: dsar.CodeWrittenOtherwise}}
		}
		if got := told(s, "s").Let; !slices.Equal(got, want) {
			t.Errorf("%q: the worker is told %+v", review, got)
		}
		if _, err := core.Decide(s, approve); !errors.Is(err, core.ErrNotAllowed) {
			t.Errorf("%q: approved, though nothing waits: %v", review, err)
		}
	}
	s := correcting(t, core.ReviewAlways)
	if s.Status != core.StatusNeedsAttention || s.Attention.Code != core.CodeCorrectionReview || s.Task("s", dsar.Rectify) != nil || !slices.Contains(s.Needs(), core.Need{Kind: core.NeedApproval}) {
		t.Fatalf("%s, %+v, %v", s.Status, s.Attention, s.Needs())
	}
	if _, err := core.Decide(s, core.ApproveCorrection{By: "lea", Now: correctionAt}); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("approved without a reason: %v", err)
	}
	s = decided(t, s, approve)
	if s.Status != core.StatusRectifying || s.Task("s", dsar.Rectify).Status != core.TaskIsSent || s.Task("t", dsar.Rectify).Status != core.TaskIsSent {
		t.Fatalf("%s, approved", s.Status)
	}
	if s = says(t, says(t, s, "s", done), "t", done); s.Stage != dsar.Assemble {
		t.Errorf("done, and %s", s.Status)
	}
}

// TestAStoppedCorrection: what has stopped in doubt is made by a person's decision, of that
// system, that field and that doubt; not where it leads to somebody else.
func TestAStoppedCorrection(t *testing.T) {
	t.Parallel()
	for code, may := range map[string]bool{
		dsar.CodeOthersValue: true, dsar.CodeIdentifierUnproven: true, dsar.CodeWrittenOtherwise: true,
		dsar.CodeIdentifierTaken: false, dsar.CodeIdentifierUnasked: false, "bad-correction": false, "no-permission": false,
	} {
		s := says(t, says(t, correcting(t, ""), "t", done), "s", stops(code))
		approve := core.ApproveCorrection{By: "lea", Reason: "called her back", Now: correctionAt}
		if got := s.Allowed(core.Agent, nil, correctionAt).Has(core.VerbApprove); got != may {
			t.Errorf("%s: offered %v", code, got)
		}
		facts, err := core.Decide(s, approve)
		if !may {
			if !errors.Is(err, core.ErrNotAllowed) {
				t.Errorf("%s: %v, %v", code, facts, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		for _, f := range facts {
			s = core.Evolve(s, f)
		}
		want := []dsar.LetGo{{Code: code, Field: dsar.Field{Dataset: "users", Column: "email"}}}
		if task := told(s, "s"); s.Status != core.StatusRectifying || task.Attempt != 2 || !slices.Equal(task.Let, want) || len(told(s, "t").Let) > 0 {
			t.Errorf("%s: %s, told %+v", code, s.Status, task)
		}
		approve.Systems = []string{"t"}
		if _, err := core.Decide(s, approve); !errors.Is(err, core.ErrNotAllowed) {
			t.Errorf("%s: another system, approved: %v", code, err)
		}
	}
}

// TestAFieldIsRefused: one field, on a ground that the law knows for it, and what had stopped
// for it goes on without; neither what is corrected already, nor of another right, nor on
// another ground; and the whole isn't refused once something of it is corrected.
func TestAFieldIsRefused(t *testing.T) {
	t.Parallel()
	refuse := core.RefuseField{By: "lea", System: "s", Dataset: "users", Column: "email", Ground: "not-correct", Reason: "it is another customer's", Now: correctionAt}
	stopped := says(t, says(t, correcting(t, ""), "t", done), "s", stops(dsar.CodeIdentifierTaken))
	s := decided(t, stopped, refuse)
	field := s.RefusedField("s", "users", "email")
	if field == nil || field.Ground != "not-correct" || !slices.Contains(s.RefusedBy, "lea") {
		t.Fatalf("%+v", s.Fields)
	}
	if task := told(s, "s"); task.Attempt != 2 || !slices.Equal(task.Refused, []dsar.Field{{Dataset: "users", Column: "email"}}) || len(told(s, "t").Refused) > 0 {
		t.Errorf("told %+v", task)
	}
	if got := s.Told().Fields; len(got) != 1 || got[0] != *field {
		t.Errorf("the answer is told %+v", got)
	}
	if wrong := says(t, s, "s", func(r *dsar.Report) { r.Counts[0].Changed = []string{"email"} }); wrong.Task("s", dsar.Rectify).End.Code != core.CodeRefusedCorrected {
		t.Errorf("a worker corrects it, and %+v", wrong.Task("s", dsar.Rectify).End)
	}
	s = says(t, s, "s", func(r *dsar.Report) { r.Counts[0].Refused = []string{"email"} })
	if s.Stage != dsar.Assemble {
		t.Errorf("without it, %s", s.Status)
	}

	// What no machine corrects: with the last of them refused, it is over.
	left := says(t, says(t, correcting(t, ""), "t", done), "s", func(r *dsar.Report) {
		r.Counts[0].Unchanged, r.Objects = []string{"email"}, []dsar.Object{{Name: "s/rectify/1-a"}}
	})
	if left.Task("s", dsar.Rectify).End.Code != core.CodeFieldsUnchanged {
		t.Fatalf("%+v", left.Task("s", dsar.Rectify).End)
	}
	over := decided(t, left, refuse)
	if end := over.Task("s", dsar.Rectify).End; over.Stage != dsar.Assemble || end.Outcome != dsar.Rectified || len(end.Objects) != 1 || len(end.Counts[0].Unchanged) > 0 || !slices.Equal(end.Counts[0].Refused, []string{"email"}) {
		t.Errorf("%s, %+v", over.Status, end)
	}

	for name, c := range map[string]struct {
		of     core.State
		change func(*core.RefuseField)
	}{
		"another ground":    {stopped, func(c *core.RefuseField) { c.Ground = "excessive" }},
		"another system":    {stopped, func(c *core.RefuseField) { c.System = "u" }},
		"no column":         {stopped, func(c *core.RefuseField) { c.Column = "" }},
		"not a name":        {stopped, func(c *core.RefuseField) { c.Column = "anna@example.com" }},
		"no reason":         {stopped, func(c *core.RefuseField) { c.Reason = "" }},
		"corrected already": {left, func(c *core.RefuseField) { c.Column = "name" }},
		"being corrected":   {correcting(t, ""), func(*core.RefuseField) {}},
		"done":              {s, func(*core.RefuseField) {}},
	} {
		wrong := refuse
		c.change(&wrong)
		if _, err := core.Decide(c.of, wrong); !errors.Is(err, core.ErrNotAllowed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole := core.Refuse{By: "lea", Ground: "not-correct", Reason: "it is right", Now: correctionAt}
	if _, err := core.Decide(stopped, whole); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("t is corrected, and all of it refused: %v", err)
	}
	if s := decided(t, correcting(t, core.ReviewAlways), whole); s.Status != core.StatusRefused {
		t.Errorf("nothing is corrected, and %s", s.Status)
	}
	before := decided(t, decided(t, correcting(t, core.ReviewAlways), refuse), core.ApproveCorrection{By: "lea", Reason: "the rest is right", Now: correctionAt})
	if task := told(before, "s"); len(task.Refused) != 1 {
		t.Errorf("refused before it was approved, told %+v", task)
	}
}
