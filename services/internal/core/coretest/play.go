// Package coretest plays requests through everything that can happen to them, for
// tests that hold something for every state.
package coretest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Start is when every request that is played was received.
var Start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// RequestID is that of every request that is played.
const RequestID = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

// Other is another request, of which nobody knows whether it is of the same person.
const Other = "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a22"

// Calendar is a law of 30 days, of 60 when it is extended.
type Calendar struct{}

// Due implements core.Calendar.
func (Calendar) Due(c core.Clock) (time.Time, bool) {
	days := 30
	if c.Extensions > 0 {
		days = 60
	}
	for _, p := range c.Pauses {
		c.ReceivedAt = c.ReceivedAt.Add(p.Until.Sub(p.From))
	}
	return c.ReceivedAt.AddDate(0, 0, days), true
}

// PlayAll plays each right so many times, with systems that work, fail, park and lack
// abilities, and persons who act at any time. It tells of each decision: the state
// before it, the facts, and the time. The same n plays the same.
func PlayAll(n int, saw func(before core.State, facts []core.Event, now time.Time)) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, right := range append(dsar.Rights(), dsar.Appeal, "automated-review") {
		for i := range n {
			told := []core.Channel{"", core.ChannelOutbox, core.ChannelMail}[i%3]
			(&player{saw: saw, rng: rng, told: told, doubts: i%5 == 1}).play(right)
		}
	}
}

// player plays one request.
type player struct {
	saw   func(core.State, []core.Event, time.Time)
	rng   *rand.Rand
	told  core.Channel // by which the person is told
	state core.State
	// doubts tells that there is another request of which nobody knows whether it is the person's.
	doubts bool
}

func (p *player) do(c core.Command, now time.Time) {
	facts, err := core.Decide(p.state, c)
	if errors.Is(err, core.ErrSecond) {
		c = core.AskSecond{Act: c}
		facts, err = core.Decide(p.state, c)
	}
	if err != nil || len(facts) == 0 {
		return
	}
	p.saw(p.state, facts, now)
	for _, f := range facts {
		p.state = core.Evolve(p.state, f)
	}
}

// system returns one that lacks abilities now and then.
func (p *player) system(name string) dsar.System {
	abilities := []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase, dsar.Rectify, dsar.Restrict}
	if p.rng.IntN(8) == 0 {
		abilities = abilities[:1]
	}
	return dsar.System{Name: name, Abilities: abilities, Needs: []dsar.IdentifierType{"email"}, MaxRecords: 5}
}

func (p *player) play(right dsar.Right) {
	terms := core.Terms{Refusals: []string{"excessive"}, PartRefusals: []string{"rights-of-others"}, PausesForProof: p.rng.IntN(2) == 0}
	if p.rng.IntN(4) == 0 {
		terms.Checks, terms.Instead = []dsar.Check{dsar.CheckIdentity}, []dsar.Right{"", dsar.KnowCategories}[p.rng.IntN(2)]
	}
	a := core.Accepted{RequestID: RequestID, Right: right, Jurisdiction: "EEA", Source: "test", ReceivedAt: Start, AcceptedAt: Start, DueAt: Start.AddDate(0, 0, 30), Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "e", Sealed: []byte{1}, Assurance: dsar.AssuranceVerified}}, Terms: terms, Systems: []dsar.System{p.system("s")}}
	if p.rng.IntN(3) == 0 {
		a.Systems = append(a.Systems, p.system("t"))
	}
	if p.rng.IntN(2) == 0 {
		a.Recipients = []core.Recipient{{ID: "r", By: []core.Way{core.WayWebhook, core.WayHand}[p.rng.IntN(2)], Receives: []core.Reached{{System: "s", Dataset: "d"}}}}
	}
	a.ToldBy, a.CallsBack = p.told, p.told == core.ChannelMail
	if p.rng.IntN(4) == 0 {
		a.FourEyes = core.FourEyesKinds()
	}
	if right == dsar.Rectification {
		a.CorrectionReview = core.CorrectionReviews()[p.rng.IntN(3)]
	}
	if right.Decided() {
		a.Systems, a.Recipients = nil, nil
	}
	if right == dsar.Appeal {
		a.About = &core.About{RequestID: "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Right: dsar.Access, DecidedBy: []string{"officer"}}
	}
	if p.doubts && !right.Decided() {
		a.LooksBack, a.LooksFirst = true, p.rng.IntN(2) == 0
	}
	p.do(core.Submit{Accepted: a}, Start)
	for i := range 30 * max(1, len(a.Systems)) {
		p.step(Start.Add(time.Duration(i) * time.Hour))
	}
}

func (p *player) step(now time.Time) {
	var sent []core.TaskState
	if waiting := p.state.Unjudged(); len(waiting) > 0 && p.rng.IntN(2) == 0 {
		p.do(core.JudgeSecond{By: "another", Asked: waiting[0].Asked, Agreed: p.rng.IntN(2) == 0, Reason: "why", Calendar: Calendar{}, Now: now}, now)
		return
	}
	if p.lookBack(now) {
		return
	}
	for _, t := range p.state.Tasks {
		if t.Status == core.TaskIsSent && p.state.Awaited == "" {
			sent = append(sent, *t)
		}
	}
	switch n := p.rng.IntN(20); {
	case n == 0 || n < 3 && p.state.Awaited != "":
		p.interrupt(now)
	case len(sent) > 0:
		p.do(core.TakeReport{Report: p.report(sent[p.rng.IntN(len(sent))], n, now), Now: now}, now)
	case p.state.Awaited == core.RemindProof:
		p.do(core.JudgeProof{By: "agent", Accepted: p.rng.IntN(2) == 0, Calendar: Calendar{}, Now: now}, now)
	case p.state.Awaited == core.RemindClarification:
		p.do(core.Clarify{By: "agent", Calendar: Calendar{}, Now: now}, now)
	case p.state.Status == core.StatusReviewing && n < 8:
		p.do(core.DecideGrievance{By: "another", Finding: core.Findings()[n%3], Reason: "why", Reopened: n < 4, Now: now}, now)
	case p.state.Status == core.StatusRefused && n < 6:
		p.do(core.Reopen{By: "another", Grievance: "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Now: now}, now)
	case p.state.Status == core.StatusDelivering:
		p.tell(n, now)
	case p.state.Status == core.StatusCompleted && n < 6:
		p.do(core.ProveAgain{By: "agent", Erase: n < 3, Now: now}, now)
	case p.state.Status == core.StatusCompleted:
		p.do(core.Tick{Now: now.AddDate(1, 0, 0)}, now.AddDate(1, 0, 0))
	case n < 10:
		p.attest(now)
	case n < 12:
		p.do(core.Tick{Now: now}, now)
	default:
		p.do(core.Retry{By: "agent", AcceptPlan: n > 17, Now: now}, now)
	}
}

// lookBack looks at other requests of the person, as the keeper does, and says now and then
// whether one is theirs.
func (p *player) lookBack(now time.Time) bool {
	switch {
	case !p.doubts:
		return false
	case len(p.state.InDoubt()) > 0 && p.rng.IntN(3) == 0:
		p.do(core.JudgeEarlier{By: "agent", Request: Other, Same: p.rng.IntN(2) == 0, Reason: "why", Now: now}, now)
	case len(p.state.Doubts) == 0 && slices.Contains(p.state.Duties(now), core.DutyLookBack):
		p.do(core.DoubtEarlier{Doubts: []core.EarlierDoubted{{Request: Other, Why: core.DoubtShared}}, Now: now}, now)
	case slices.Contains(p.state.Duties(now), core.DutyLookBack):
		var looked []string
		for _, id := range p.state.Unlooked() {
			looked = append(looked, id.Fingerprint)
		}
		p.do(core.LookBack{LookedUp: looked, Now: now}, now)
	default:
		return false
	}
	return true
}

// tell has the person told that the answer is there, as far as letters go.
func (p *player) tell(n int, now time.Time) {
	if n < 4 {
		p.do(core.DeliverAgain{By: "agent", Reason: "by post", ByHand: n < 2, Now: now}, now)
		return
	}
	for _, o := range p.state.Unwritten() {
		channel := []core.Channel{core.ChannelOutbox, core.ChannelMail}[n%2]
		p.do(core.NoteLetter{LetterSent: core.LetterSent{Letter: o.Letter, Language: "en", Cause: o.Cause, Channel: channel, Moment: core.Moment{At: now}}}, now)
	}
}

// report makes up what the worker of a task says.
func (p *player) report(t core.TaskState, n int, now time.Time) dsar.Report {
	r := dsar.Report{RequestID: RequestID, System: t.System, Action: t.Action, Attempt: t.Attempt, Kind: dsar.ReportEnded, Outcome: dsar.Found}
	switch {
	case n < 4:
		r.Kind, r.Code = dsar.ReportFailed, "no-permission"
		if t.Action == dsar.Assemble {
			r.Code = dsar.CodeObjectMissing
		}
	case n < 5:
		r.Kind, r.Until, r.Code = dsar.ReportParked, now.Add(3*time.Hour), "rate-limited"
	case n < 6 && t.Action == dsar.Gather:
		r.Kind, r.Outcome, r.Code, r.Objects = dsar.ReportFailed, dsar.Manual, dsar.CodeOthers, []dsar.Object{{Name: "seen"}}
	case n < 7 && t.Action == dsar.Plan:
		r.Counts = []dsar.Counts{{Dataset: "d", Found: 20}}
		r.Objects = []dsar.Object{{Name: t.System + "/plan/1", SHA256: "h"}}
	case n < 14 && t.Action == dsar.Plan:
		r.Counts = []dsar.Counts{{Dataset: "d", Found: 3}}
		r.Objects = []dsar.Object{{Name: t.System + "/plan/1", SHA256: "h"}}
	case n > 7 && t.Action == dsar.Erase:
		r.Outcome = dsar.Erased
		if planned := p.state.Task(t.System, dsar.Plan); planned != nil && len(planned.End.Objects) > 0 {
			r.Counts = []dsar.Counts{{Dataset: "d", Erased: planned.End.Counts[0].Found}}
		}
	case t.Action == dsar.Prove && n > 17:
		r.Counts = []dsar.Counts{{Dataset: "d", Found: 2}} // still there, or again
	case n < 8 && t.Action != dsar.Resolve && t.Action != dsar.Assemble:
		r.Counts = []dsar.Counts{{Dataset: "d", Found: 1, Uncovered: "forbidden"}}
	case t.Action == dsar.Prove && n < 11:
		r.Outcome, r.Counts = dsar.Proven, []dsar.Counts{{Dataset: "d", Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax", Until: Start.AddDate(0, 6, 0)}}}}
	case t.Action == dsar.Gather:
		r.Outcome, r.Objects = dsar.Gathered, []dsar.Object{{Name: t.System + "/gather"}}
	}
	return r
}

// interrupt has a person do what can be done at any time.
func (p *player) interrupt(now time.Time) {
	const by, why = "agent", "why"
	switch p.rng.IntN(16) {
	case 14:
		p.do(core.ApproveCorrection{By: by, Reason: why, Now: now}, now)
	case 15:
		p.do(core.RefuseField{By: by, Reason: why, System: "s", Dataset: "d", Column: "c", Ground: "rights-of-others", Now: now}, now)
	case 12:
		p.do(core.Reveal{By: by, Reason: why, Now: now}, now)
	case 13:
		p.do(core.OpenPlan{By: by, Reason: why, Now: now}, now)
	case 0:
		p.do(core.Cancel{By: by, Now: now}, now)
	case 1:
		p.do(core.Refuse{By: by, Ground: "excessive", Now: now}, now)
	case 2:
		p.do(core.Merge{By: by, Into: "another", Now: now}, now)
	case 3, 8:
		p.do(core.AskClarification{By: by, Now: now}, now)
	case 4:
		p.do(core.Hold{By: by, Reason: why, System: []string{"", "s"}[p.rng.IntN(2)], Now: now}, now)
	case 5:
		if len(p.state.Holds) > 0 {
			p.do(core.Lift{By: by, Reason: why, System: p.state.Holds[0].System, Now: now}, now)
		}
	case 6:
		p.do(core.Extend{By: by, Reason: why, Calendar: Calendar{}, Now: now}, now)
	case 9, 11:
		p.do(core.RefusePart{By: by, Reason: why, System: "s", Dataset: "d", Ground: "rights-of-others", TakenBack: len(p.state.Parts) > 0, Now: now}, now)
	case 7:
		p.do(core.DeliverAgain{By: by, Reason: why, Now: now}, now)
	default:
		p.do(core.AskProof{By: by, Now: now}, now)
	}
}

// attest has a person do what no machine could.
func (p *player) attest(now time.Time) {
	for _, t := range p.state.Tasks {
		outcome := map[dsar.Action]dsar.Outcome{dsar.Gather: dsar.NothingFound, dsar.Plan: dsar.Found, dsar.Erase: dsar.Erased, dsar.Prove: dsar.Proven,
			dsar.Rectify: dsar.Rectified, dsar.Restrict: dsar.Restricted, dsar.Resolve: dsar.NothingFound}[t.Action]
		if t.Status == core.TaskIsFailed {
			p.do(core.Attest{By: "agent", Reason: "by hand", System: t.System, Action: t.Action, Outcome: outcome, Now: now}, now)
		}
	}
}
