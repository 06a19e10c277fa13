package core_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
)

const (
	lea     = "lea <https://id.example.com#7>"
	paul    = "paul <https://id.example.com#9>"
	lea2    = "lea m. <https://id.example.com#7>" // by another name
	machine = "lea <local@desk>"
)

// judged returns a request of whose acts a second person judges these kinds.
func judged(right dsar.Right, kinds ...core.FourEyes) core.State {
	return judgedAt(right, kinds, dsar.System{Name: "s", Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}})
}

func judgedAt(right dsar.Right, kinds []core.FourEyes, systems ...dsar.System) core.State {
	facts, err := core.Decide(core.State{}, core.Submit{Accepted: core.Accepted{
		RequestID: coretest.RequestID, Right: right, Jurisdiction: "EEA", ReceivedAt: coretest.Start, AcceptedAt: coretest.Start, DueAt: coretest.Start.AddDate(0, 0, 30),
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "e", Assurance: dsar.AssuranceVerified}}, FourEyes: kinds,
		Terms: core.Terms{Refusals: []string{"excessive"}, PartRefusals: []string{"rights-of-others"}},
		Keep:  &core.Keep{AnswerDays: 30, AccountabilityMonths: 36}, Systems: systems,
	}})
	if err != nil {
		panic(err)
	}
	return core.Fold(facts)
}

// then applies a command, which MUST be taken.
func then(t *testing.T, s core.State, c core.Command) core.State {
	t.Helper()
	facts, err := core.Decide(s, c)
	if err != nil || len(facts) == 0 {
		t.Fatalf("%T: %d facts, %v", c, len(facts), err)
	}
	for _, f := range facts {
		s = core.Evolve(s, f)
	}
	return s
}

// TestNobodyActsAlone: where a second person must agree, an act isn't done before another one
// has, whoever they say they are; and what they agreed to is done in the name of who asked.
func TestNobodyActsAlone(t *testing.T) {
	t.Parallel()
	now := coretest.Start.Add(time.Hour)
	for name, act := range map[string]struct {
		kind core.FourEyes
		do   func(by string) core.Command
	}{
		"refuse": {core.FourEyesRefusals, func(by string) core.Command {
			return core.Refuse{By: by, Ground: "excessive", Reason: "why", Now: now}
		}},
		"refuse a part": {core.FourEyesRefusals, func(by string) core.Command {
			return core.RefusePart{By: by, System: "s", Dataset: "d", Ground: "rights-of-others", Reason: "why", Now: now}
		}},
		"reject a proof": {core.FourEyesRefusals, func(by string) core.Command {
			return core.JudgeProof{By: by, Reason: "why", Calendar: coretest.Calendar{}, Now: now}
		}},
		"look": {core.FourEyesReveals, func(by string) core.Command { return core.Reveal{By: by, Reason: "why", Now: now} }},
		"look at what was gathered": {core.FourEyesReveals, func(by string) core.Command {
			return core.Reveal{By: by, Reason: "why", Gathered: "s", Now: now}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			free, s := judged(dsar.Access), judged(dsar.Access, act.kind)
			if name == "reject a proof" {
				ask := core.AskProof{By: lea, Now: now}
				free, s = then(t, free, ask), then(t, s, ask)
			}
			then(t, free, act.do(lea)) // nobody must agree
			if _, err := core.Decide(s, act.do(machine)); !errors.Is(err, core.ErrNotAllowed) {
				t.Errorf("a user of a machine: %v", err)
			}
			if _, err := core.Decide(s, act.do(lea)); !errors.Is(err, core.ErrSecond) {
				t.Fatalf("%v", err)
			}
			s = then(t, s, core.AskSecond{Act: act.do(lea)})
			if needs := s.Needs(); !slices.Contains(needs, core.Need{Kind: core.NeedSecond}) {
				t.Errorf("needs %v", needs)
			}
			for _, by := range []string{lea, paul} {
				if _, err := core.Decide(s, act.do(by)); !errors.Is(err, core.ErrSecondAsked) {
					t.Errorf("%s again: %v", by, err)
				}
			}
			asked := s.Unjudged()[0].Asked
			for _, by := range []string{lea, lea2, machine} {
				if _, err := core.Decide(s, core.JudgeSecond{By: by, Asked: asked, Agreed: true, Calendar: coretest.Calendar{}, Now: now}); !errors.Is(err, core.ErrNotAllowed) {
					t.Errorf("%s agrees: %v", by, err)
				}
			}
			declined := then(t, s, core.JudgeSecond{By: lea, Asked: asked, Reason: "another request", Now: now})
			if len(declined.Seconds) > 0 {
				t.Errorf("declined: %+v", declined.Seconds)
			}
			if _, err := core.Decide(declined, act.do(lea)); !errors.Is(err, core.ErrSecond) {
				t.Errorf("declined: %v", err)
			}
			s = then(t, s, core.JudgeSecond{By: paul, Asked: asked, Agreed: true, Calendar: coretest.Calendar{}, Now: now})
			if act.kind == core.FourEyesReveals {
				if _, err := core.Decide(s, act.do(paul)); !errors.Is(err, core.ErrSecond) {
					t.Errorf("another looks: %v", err)
				}
				s = then(t, s, act.do(lea))
				s.Seconds[0].Agreed = now.Add(-core.LookWithin)
				if _, err := core.Decide(s, act.do(lea)); !errors.Is(err, core.ErrSecond) {
					t.Errorf("later: %v", err)
				}
				return
			}
			if !slices.Contains(s.RefusedBy, lea) || !slices.Contains(s.RefusedBy, paul) || len(s.Unjudged()) > 0 {
				t.Errorf("refused by %v; %+v", s.RefusedBy, s.Seconds)
			}
		})
	}
}

// TestNothingGoesOn: while a second person is to agree to a refusal, nothing more is begun that
// would come before it; once they decline it goes on.
func TestNothingGoesOn(t *testing.T) {
	t.Parallel()
	now := coretest.Start.Add(time.Hour)
	s := judged(dsar.Access, core.FourEyesRefusals)
	s = then(t, s, core.AskSecond{Act: core.Refuse{By: lea, Ground: "excessive", Reason: "why", Now: now}})
	asked := s.Unjudged()[0].Asked
	if waits := core.Waiting(s); waits != nil {
		t.Errorf("it waits for %v, and not for a second person", waits)
	}
	s = then(t, s, core.TakeReport{Report: dsar.Report{RequestID: coretest.RequestID, System: "s", Action: dsar.Gather, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.NothingFound}, Now: now})
	if s.Stage != dsar.Gather || s.Task(dsar.Aggregator, dsar.Assemble) != nil {
		t.Errorf("it goes on: %s", s.Stage)
	}
	if at := core.Wake(s); !at.After(now) {
		t.Errorf("wakes at %s", at)
	}
	s = then(t, s, core.JudgeSecond{By: paul, Asked: asked, Reason: "it isn't", Now: now})
	if s.Task(dsar.Aggregator, dsar.Assemble) == nil {
		t.Errorf("it stands still: %s", s.Stage)
	}
}

// TestAgreedToThatPlanOnly: who agrees that more is erased than expected agrees to what was
// there when they were asked: neither to another system's plan, nor to a later one of that.
func TestAgreedToThatPlanOnly(t *testing.T) {
	t.Parallel()
	now := coretest.Start.Add(time.Hour)
	start := func(t *testing.T) core.State {
		t.Helper()
		var systems []dsar.System
		for _, name := range []string{"a", "b"} {
			systems = append(systems, dsar.System{Name: name, Abilities: []dsar.Action{dsar.Erase}, Needs: []dsar.IdentifierType{"email"}, MaxRecords: 3})
		}
		return judgedAt(dsar.Erasure, []core.FourEyes{core.FourEyesPlans}, systems...)
	}
	plan := func(t *testing.T, s core.State, system string, found int64) core.State {
		t.Helper()
		return then(t, s, core.TakeReport{Report: dsar.Report{RequestID: coretest.RequestID, System: system, Action: dsar.Plan, Attempt: s.Task(system, dsar.Plan).Attempt, Kind: dsar.ReportEnded, Outcome: dsar.Found,
			Counts: []dsar.Counts{{Dataset: "rows", Found: found}}, Objects: []dsar.Object{{Name: system + "/plan/1", SHA256: "aa"}}}, Now: now})
	}
	accept := core.Retry{By: lea, Reason: "a merchant", AcceptPlan: true, Now: now}
	t.Run("another system's", func(t *testing.T) {
		t.Parallel()
		s := then(t, plan(t, start(t), "a", 5), core.AskSecond{Act: accept})
		s = plan(t, s, "b", 900_000)
		if len(s.Unjudged()) != 1 || !slices.Equal(s.Unjudged()[0].Systems, []string{"a"}) {
			t.Fatalf("%+v is asked", s.Unjudged())
		}
		s = then(t, s, core.JudgeSecond{By: paul, Asked: s.Unjudged()[0].Asked, Agreed: true, Now: now})
		if s.Task("a", dsar.Plan).Status != core.TaskIsEnded || s.Task("b", dsar.Plan).Status != core.TaskIsFailed {
			t.Errorf("a: %+v; b: %+v", s.Task("a", dsar.Plan), s.Task("b", dsar.Plan))
		}
	})
	t.Run("a later one", func(t *testing.T) {
		t.Parallel()
		for _, found := range []int64{2, 900_000} {
			s := then(t, plan(t, start(t), "a", 5), core.AskSecond{Act: accept})
			asked := s.Unjudged()[0].Asked
			s = plan(t, then(t, s, core.Retry{By: lea, Systems: []string{"a"}, Now: now}), "a", found)
			if len(s.Unjudged()) > 0 || slices.Contains(s.Needs(), core.Need{Kind: core.NeedSecond}) {
				t.Errorf("%d: %+v still waits", found, s.Unjudged())
			}
			if _, err := core.Decide(s, core.JudgeSecond{By: paul, Asked: asked, Agreed: true, Now: now}); !errors.Is(err, core.ErrNotAllowed) {
				t.Errorf("%d: agreed to the one before: %v", found, err)
			}
		}
	})
	t.Run("nothing is too large", func(t *testing.T) {
		t.Parallel()
		s := then(t, start(t), core.TakeReport{Report: dsar.Report{RequestID: coretest.RequestID, System: "a", Action: dsar.Plan, Attempt: 1, Kind: dsar.ReportFailed, Code: "broken"}, Now: now})
		then(t, s, accept)
	})
}

// TestNothingIsAskedOfWhatIsGone: once nothing is left to look at, no second person is asked
// whether somebody may.
func TestNothingIsAskedOfWhatIsGone(t *testing.T) {
	t.Parallel()
	now := coretest.Start.Add(time.Hour)
	s := then(t, judged(dsar.Access, core.FourEyesReveals), core.AskSecond{Act: core.Reveal{By: lea, Reason: "why", Now: now}})
	s = then(t, s, core.Cancel{By: lea, Now: now})
	if len(s.Unjudged()) != 1 {
		t.Fatalf("cancelled, its data is still there: %+v", s.Unjudged())
	}
	now = now.AddDate(4, 0, 0)
	for _, part := range []core.Part{core.PartRecords, core.PartSubject} {
		s = then(t, s, core.Forget{By: core.ByPolicy, Part: part, Now: now})
	}
	if needs := s.Needs(); len(needs) > 0 || s.AllowedTo(paul, core.Officer, coretest.Calendar{}, now).Has(core.VerbSecond) {
		t.Errorf("needs %v", needs)
	}
}

// TestARefusalIsJudgedFirst: while a refusal waits, what would go on is told so, also who
// agrees to another one.
func TestARefusalIsJudgedFirst(t *testing.T) {
	t.Parallel()
	now := coretest.Start.Add(time.Hour)
	s := then(t, judged(dsar.Access, core.FourEyesRefusals), core.AskProof{By: lea, Now: now})
	s = then(t, s, core.AskSecond{Act: core.JudgeProof{By: lea, Reason: "a copy", Calendar: coretest.Calendar{}, Now: now}})
	s = then(t, s, core.AskSecond{Act: core.Refuse{By: lea, Ground: "excessive", Reason: "why", Now: now}})
	proof := s.Unjudged()[0]
	for name, c := range map[string]core.Command{
		"agree":      core.JudgeSecond{By: paul, Asked: proof.Asked, Agreed: true, Calendar: coretest.Calendar{}, Now: now},
		"the proof":  core.JudgeProof{By: paul, Accepted: true, Calendar: coretest.Calendar{}, Now: now},
		"the answer": core.Clarify{By: paul, Calendar: coretest.Calendar{}, Now: now},
	} {
		if _, err := core.Decide(s, c); !errors.Is(err, core.ErrRefusalWaits) || errors.Is(err, core.ErrSecondAsked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s = then(t, s, core.JudgeSecond{By: paul, Asked: s.Unjudged()[1].Asked, Reason: "it isn't", Now: now})
	then(t, s, core.JudgeSecond{By: paul, Asked: proof.Asked, Agreed: true, Calendar: coretest.Calendar{}, Now: now})
}

// TestARenamedSystemIsJudgedByItsNewName: what a second person agrees to is done where the system
// it concerns was renamed meanwhile.
func TestARenamedSystemIsJudgedByItsNewName(t *testing.T) {
	t.Parallel()
	now := coretest.Start.Add(time.Hour)
	for right, act := range map[dsar.Right]core.Command{
		dsar.Access:        core.RefusePart{By: lea, System: "s", Dataset: "d", Ground: "rights-of-others", Reason: "why", Now: now},
		dsar.Rectification: core.RefuseField{By: lea, System: "s", Dataset: "d", Column: "c", Ground: "rights-of-others", Reason: "why", Now: now},
	} {
		s := then(t, judged(right, core.FourEyesRefusals), core.AskSecond{Act: act})
		s = then(t, s, core.RenameSystem{By: paul, Reason: "why", System: "s", To: "n", Now: now})
		s = then(t, s, core.JudgeSecond{By: paul, Asked: s.Unjudged()[0].Asked, Agreed: true, Now: now})
		if s.RefusedPart("n", "d") == nil && s.RefusedField("n", "d", "c") == nil {
			t.Errorf("%s: nothing is refused: %+v, %+v", right, s.Parts, s.Fields)
		}
	}
}
