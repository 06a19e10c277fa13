package core_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
)

// TestAllowedIsWhatDecideTakes plays thousands of requests and holds, in every state on
// their way, what each role may do against what is decided: whatever is offered is
// taken, and whatever is taken is offered.
func TestAllowedIsWhatDecideTakes(t *testing.T) {
	t.Parallel()
	tried, offered := map[core.Verb]int{}, map[core.Verb]int{}
	coretest.PlayAll(40, func(s core.State, facts []core.Event, now time.Time) {
		for _, f := range facts {
			s = core.Evolve(s, f)
		}
		officer := s.Allowed(core.Officer, coretest.Calendar{}, now)
		for _, one := range attempts(s, now) {
			tried[one.verb]++
			after, err := core.Decide(s, one.command)
			takes := err == nil && len(after) > 0 || errors.Is(err, core.ErrSecond)
			if offers := one.offered(officer); offers != takes {
				t.Fatalf("%s: offered %v, decided %v (%v) of %+v in %s, awaited %q, tasks %+v", one.verb, offers, takes, err, one.command, s.Status, s.Awaited, s.Tasks)
			}
			if takes {
				offered[one.verb]++
			}
		}
		for role := core.Nobody; role <= core.Officer; role++ {
			for _, c := range officer {
				if has := s.Allowed(role, coretest.Calendar{}, now).Has(c.Verb); has != (role >= core.RoleFor(c.Verb)) {
					t.Fatalf("%s may %s: %v", role, c.Verb, has)
				}
			}
		}
	})
	for verb, n := range tried {
		if offered[verb] == 0 || offered[verb] == n && verb != core.VerbReveal && verb != core.VerbHold && verb != core.VerbNote {
			t.Errorf("%s was taken %d times of %d: the test proves nothing of it", verb, offered[verb], n)
		}
	}
}

// attempt is a command, and where [core.State.Allowed] must have it.
type attempt struct {
	verb    core.Verb
	command core.Command
	target  func(core.Choice) bool
}

func (a attempt) offered(all core.Choices) bool {
	c, ok := all.Find(a.verb)
	return ok && (a.target == nil || a.target(c))
}

// firstAsked returns the fact that asks a second person; 0 where none does.
func firstAsked(s core.State) int {
	for _, one := range s.Unjudged() {
		return one.Asked
	}
	return 0
}

// attempts returns all commands that a person could give, whatever the state.
func attempts(s core.State, now time.Time) []attempt {
	const by, why = "lea", "why"
	cal := coretest.Calendar{}
	all := []attempt{
		{core.VerbSecond, core.JudgeSecond{By: by, Asked: firstAsked(s), Reason: why, Now: now}, nil},
		{core.VerbJudgeProof, core.JudgeProof{By: by, Accepted: true, Calendar: cal, Now: now}, nil},
		{core.VerbJudgeProof, core.JudgeProof{By: by, Calendar: cal, Now: now}, nil},
		{core.VerbJudgeEarlier, core.JudgeEarlier{By: by, Request: coretest.Other, Same: true, Reason: why, Now: now}, nil},
		{core.VerbClarify, core.Clarify{By: by, Calendar: cal, Now: now}, nil},
		{core.VerbDeliver, core.DeliverAgain{By: by, Now: now}, nil},
		{core.VerbNewPassphrase, core.ChangeAnswerKey{By: by, Reason: why, Now: now}, nil},
		{core.VerbRevokeAnswer, core.ChangeAnswerKey{By: by, Reason: why, Revoke: true, Now: now}, nil},
		{core.VerbAskProof, core.AskProof{By: by, Checks: []dsar.Check{dsar.CheckAgent}, Now: now}, nil},
		{core.VerbAskClarification, core.AskClarification{By: by, Now: now}, nil},
		{core.VerbExtend, core.Extend{By: by, Reason: why, Calendar: cal, Now: now}, nil},
		{core.VerbAssign, core.Assign{By: by, To: "paul", Now: now}, nil},
		{core.VerbNote, core.Note{By: by, Reason: why, Now: now}, nil},
		{core.VerbReveal, core.Reveal{By: by, Reason: why, Now: now}, nil},
		{core.VerbOpenPlan, core.OpenPlan{By: by, Reason: why, Now: now}, nil},
		{core.VerbProveAgain, core.ProveAgain{By: by, Now: now}, nil},
		{core.VerbMerge, core.Merge{By: by, Into: "another", Now: now}, nil},
		{core.VerbSettleNotice, core.SettleNotice{By: by, Reason: why, Recipient: "r", Status: core.NoticeIsAnswered, Now: now}, nil},
		{core.VerbCancel, core.Cancel{By: by, Now: now}, nil},
		{core.VerbRetry, core.Retry{By: by, Now: now}, nil},
		{core.VerbHold, core.Hold{By: by, Reason: why, Dataset: "d", Now: now}, nil},
	}
	for _, ground := range []string{core.NotProven, "excessive", "unheard-of"} {
		all = append(all, attempt{core.VerbRefuse, core.Refuse{By: by, Ground: ground, Now: now}, func(c core.Choice) bool { return slices.Contains(c.Grounds, ground) }})
	}
	for _, system := range []string{"s", "t", "stranger"} {
		at := func(c core.Choice) bool { return slices.Contains(c.Systems, system) }
		all = append(all, attempt{core.VerbOpenPlan, core.OpenPlan{By: by, Reason: why, Systems: []string{system}, Now: now}, at},
			attempt{core.VerbProveAgain, core.ProveAgain{By: by, Systems: []string{system}, Erase: true, Now: now}, at})
	}
	for _, reach := range []core.Held{{}, {System: "s"}, {System: "t"}, {System: "s", Dataset: "d"}} {
		all = append(all, attempt{core.VerbLift, core.Lift{By: by, System: reach.System, Dataset: reach.Dataset, Now: now}, func(c core.Choice) bool { return slices.Contains(c.Holds, reach) }})
	}
	for _, action := range []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Plan, dsar.Erase, dsar.Prove, dsar.Rectify, dsar.Restrict, dsar.Assemble} {
		for _, system := range []string{"s", "t", dsar.Aggregator, "stranger"} {
			for _, outcome := range []dsar.Outcome{dsar.Found, dsar.Gathered, dsar.Erased, dsar.Anonymised, dsar.Rectified, dsar.Restricted, dsar.Retained, dsar.Proven, dsar.NothingFound, dsar.Incomplete, dsar.Assembled} {
				c := core.Attest{By: by, Reason: why, System: system, Action: action, Outcome: outcome, Objects: []dsar.Object{{Name: "o"}}, Now: now}
				all = append(all, attempt{core.VerbAttest, c, func(c core.Choice) bool {
					return slices.ContainsFunc(c.Tasks, func(m core.ManualTask) bool {
						return m.System == system && m.Action == action && slices.Contains(m.Outcomes, outcome)
					})
				}})
			}
		}
	}
	return all
}

// TestEveryRetryIsOffered: a system that can be named in a retry is named by one of the
// verbs that are a retry.
func TestEveryRetryIsOffered(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	coretest.PlayAll(200, func(s core.State, facts []core.Event, now time.Time) {
		for _, f := range facts {
			s = core.Evolve(s, f)
		}
		all := s.Allowed(core.Officer, coretest.Calendar{}, now)
		for _, system := range []string{"s", "t", dsar.Aggregator, "stranger"} {
			after, err := core.Decide(s, core.Retry{By: "lea", Systems: []string{system}, Now: now})
			takes, offered := err == nil && len(after) > 0, false
			for _, verb := range []core.Verb{core.VerbRetry, core.VerbTryNow, core.VerbGatherAgain} {
				if c, ok := all.Find(verb); ok && slices.Contains(c.Systems, system) {
					offered, seen[string(verb)] = true, true
				}
			}
			if takes != offered {
				t.Fatalf("retry of %s: offered %v, decided %v (%v) in %s: %+v", system, offered, takes, err, s.Status, s.Tasks)
			}
		}
	})
	if len(seen) != 3 {
		t.Error(fmt.Sprint("only these were seen: ", seen))
	}
}

// TestNobodyIsAwaitedAfterTheEnd: a request that has ended neither waits for the person nor
// has a clock that stands.
func TestNobodyIsAwaitedAfterTheEnd(t *testing.T) {
	t.Parallel()
	coretest.PlayAll(200, func(s core.State, facts []core.Event, _ time.Time) {
		for _, f := range facts {
			s = core.Evolve(s, f)
		}
		if s.Status.Ended() && (s.Awaited != "" || s.Paused) {
			t.Fatalf("%s, awaited %q, paused %v", s.Status, s.Awaited, s.Paused)
		}
	})
}

// TestNothingErasedIsRefused: once an erasure has reached a system, by its worker or by a
// person's hand, the request is neither refused nor merged, and nobody is asked anything.
func TestNothingErasedIsRefused(t *testing.T) {
	t.Parallel()
	byHand := 0
	coretest.PlayAll(200, func(s core.State, facts []core.Event, now time.Time) {
		for _, f := range facts {
			s = core.Evolve(s, f)
		}
		erased := func(k *core.TaskState) bool {
			return k.Action == dsar.Erase && (k.Attempt > 0 || k.Status == core.TaskIsEnded)
		}
		if !slices.ContainsFunc(s.Tasks, erased) {
			return
		}
		if !slices.ContainsFunc(s.Tasks, func(k *core.TaskState) bool { return erased(k) && k.Attempt > 0 }) {
			byHand++
		}
		all := s.Allowed(core.Officer, coretest.Calendar{}, now)
		for _, verb := range []core.Verb{core.VerbRefuse, core.VerbMerge, core.VerbAskProof, core.VerbAskClarification} {
			if all.Has(verb) {
				t.Fatalf("%s in %s, where something was erased: %+v", verb, s.Status, s.Tasks)
			}
		}
	})
	if byHand == 0 {
		t.Error("nothing was erased by hand alone: the test proves nothing of it")
	}
}
