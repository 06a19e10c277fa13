package core

import (
	"errors"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// Role is what somebody may do. Each may what the ones before it may.
type Role int

// The roles.
const (
	Nobody  Role = iota
	Viewer       // finds requests, and reads traces
	Agent        // acts on requests, and looks at what identifies the person
	Officer      // decides what the law leaves to a privacy officer: holds, refusals, plans that are too large
)

// String returns the role's name, as the configuration and pages have it.
func (r Role) String() string { return [...]string{"nobody", "viewer", "agent", "privacy-officer"}[r] }

// Verb is one thing that a person can do about a request.
type Verb string

// The verbs, in the order in which pages offer them.
const (
	VerbSecond           Verb = "second"            // [JudgeSecond]
	VerbDecide           Verb = "decide"            // [DecideGrievance]
	VerbAttest           Verb = "attest"            // [Attest]
	VerbRetry            Verb = "retry"             // [Retry] of what failed
	VerbAcceptPlan       Verb = "accept-plan"       // [Retry] with AcceptPlan
	VerbApprove          Verb = "approve"           // [ApproveCorrection]
	VerbJudgeProof       Verb = "judge-proof"       // [JudgeProof]
	VerbJudgeEarlier     Verb = "judge-earlier"     // [JudgeEarlier]
	VerbClarify          Verb = "clarify"           // [Clarify]
	VerbTryNow           Verb = "try-now"           // [Retry] of what is parked
	VerbGatherAgain      Verb = "gather-again"      // [Retry] of what was gathered and is lost
	VerbDeliver          Verb = "deliver"           // [DeliverAgain]
	VerbNewPassphrase    Verb = "new-passphrase"    // [ChangeAnswerKey]
	VerbRevokeAnswer     Verb = "revoke-answer"     // [ChangeAnswerKey] with Revoke
	VerbProveAgain       Verb = "prove-again"       // [ProveAgain]
	VerbSettleNotice     Verb = "settle-notice"     // [SettleNotice]
	VerbAskProof         Verb = "ask-proof"         // [AskProof]
	VerbAskClarification Verb = "ask-clarification" // [AskClarification]
	VerbExtend           Verb = "extend"            // [Extend]
	VerbHold             Verb = "hold"              // [Hold]
	VerbLift             Verb = "lift"              // [Lift]
	VerbRefuse           Verb = "refuse"            // [Refuse]
	VerbRefusePart       Verb = "refuse-part"       // [RefusePart]
	VerbRefuseField      Verb = "refuse-field"      // [RefuseField]
	VerbGivePart         Verb = "give-part"         // [RefusePart] with TakenBack
	VerbAssign           Verb = "assign"            // [Assign]
	VerbNote             Verb = "note"              // [Note]
	VerbReveal           Verb = "reveal"            // [Reveal]
	VerbOpenPlan         Verb = "open-plan"         // [OpenPlan]
	VerbMerge            Verb = "merge"             // [Merge]
	VerbCancel           Verb = "cancel"            // [Cancel]
)

// verbs lists them, each with the least role that may.
var verbs = []struct {
	verb Verb
	role Role
}{
	{VerbSecond, Officer}, {VerbDecide, Officer}, {VerbAttest, Agent}, {VerbRetry, Agent}, {VerbAcceptPlan, Officer}, {VerbApprove, Agent}, {VerbJudgeProof, Agent}, {VerbJudgeEarlier, Agent}, {VerbClarify, Agent}, {VerbTryNow, Agent},
	{VerbGatherAgain, Agent}, {VerbDeliver, Agent}, {VerbNewPassphrase, Agent}, {VerbRevokeAnswer, Agent}, {VerbProveAgain, Agent}, {VerbSettleNotice, Agent}, {VerbAskProof, Agent}, {VerbAskClarification, Agent}, {VerbExtend, Agent}, {VerbHold, Officer},
	{VerbLift, Officer}, {VerbRefuse, Officer}, {VerbRefusePart, Officer}, {VerbRefuseField, Officer}, {VerbGivePart, Officer}, {VerbAssign, Agent}, {VerbNote, Agent}, {VerbReveal, Agent}, {VerbOpenPlan, Officer}, {VerbMerge, Agent}, {VerbCancel, Agent},
}

// Verbs returns everything that a person can do about a request.
func Verbs() []Verb {
	var out []Verb
	for _, known := range verbs {
		out = append(out, known.verb)
	}
	return out
}

// RoleFor returns the least role that may do something. What nobody knows nobody
// may: it is one above every role.
func RoleFor(v Verb) Role {
	for _, known := range verbs {
		if known.verb == v {
			return known.role
		}
	}
	return Officer + 1
}

// Choice is something that a person may do now, with what it can be done to.
type Choice struct {
	Verb Verb
	// Systems are those whose tasks can be taken up again, of which records can be
	// held, whose plans can be accepted or opened, or which can be asked again.
	Systems []string
	// Findings are those that a grievance can be decided with.
	Findings []Finding
	// Grounds are those on which the request, or a dataset of it, can be refused.
	Grounds []string
	// Parts are the datasets that are refused, and can be given after all.
	Parts []RefusedPart
	// Holds are those that can be lifted.
	Holds []Held
	// Tasks are those that a person can end by hand.
	Tasks []ManualTask
	// Notices are those to recipients that a person can settle.
	Notices []Notice
	// Doubts are the other requests of which a person can say whether they are of the same person.
	Doubts []Doubted
	// Seconds are the acts that a second person can agree to.
	Seconds []Second
}

// ManualTask is a task that waits for a person's hand.
type ManualTask struct {
	TaskState
	// Outcomes are those that can be attested, the one that claims the least first.
	Outcomes []dsar.Outcome
}

// Choices are what a person may do now.
type Choices []Choice

// Find returns the choice of a verb; false where it may not be done.
func (c Choices) Find(v Verb) (Choice, bool) {
	i := slices.IndexFunc(c, func(one Choice) bool { return one.Verb == v })
	if i < 0 {
		return Choice{}, false
	}
	return c[i], true
}

// Has reports whether something may be done.
func (c Choices) Has(v Verb) bool {
	_, ok := c.Find(v)
	return ok
}

// Allowed returns what a person of a role may do about the request now. It asks
// [Decide] about each, so that nothing is offered which would be refused; nor is
// anything left out that would be taken (TestAllowedIsWhatDecideTakes).
func (s State) Allowed(role Role, calendar Calendar, now time.Time) Choices {
	return s.AllowedTo("somebody", role, calendar, now)
}

// AllowedTo returns what somebody of a role may do, whom facts would call by: some acts depend
// on who it is.
func (s State) AllowedTo(by string, role Role, calendar Calendar, now time.Time) Choices {
	var out Choices
	for _, v := range verbs {
		if v.role > role {
			continue
		}
		if c, ok := s.choice(v.verb, by, calendar, now); ok {
			c.Verb = v.verb
			out = append(out, c)
		}
	}
	return out
}

// choice tries a verb on everything that it could be done to.
func (s State) choice(v Verb, by string, calendar Calendar, now time.Time) (c Choice, ok bool) {
	const why = "why"
	takes := func(c Command) bool {
		facts, err := Decide(s, c)
		return err == nil && len(facts) > 0 || errors.Is(err, ErrSecond)
	}
	//exhaustive:enforce
	switch v {
	case VerbSecond:
		c.Seconds = s.Unjudged()
		return c, len(c.Seconds) > 0
	case VerbDecide:
		c.Findings = Findings()
		return c, takes(DecideGrievance{By: by, Finding: Dismissed, Reason: why, Now: now})
	case VerbAttest:
		c.Tasks = s.attestable(now)
		return c, len(c.Tasks) > 0
	case VerbRetry, VerbTryNow, VerbGatherAgain, VerbAcceptPlan:
		for _, t := range s.Tasks {
			again := Retry{By: by, Reason: why, Systems: []string{t.System}, AcceptPlan: v == VerbAcceptPlan, Now: now}
			if s.retries(v, t) && !slices.Contains(c.Systems, t.System) && takes(again) {
				c.Systems = append(c.Systems, t.System)
			}
		}
		return c, len(c.Systems) > 0
	case VerbJudgeProof:
		return c, takes(JudgeProof{By: by, Reason: why, Accepted: true, Calendar: calendar, Now: now})
	case VerbJudgeEarlier:
		for _, o := range s.InDoubt() {
			if takes(JudgeEarlier{By: by, Request: o.RequestID, Reason: why, Now: now}) {
				c.Doubts = append(c.Doubts, o)
			}
		}
		return c, len(c.Doubts) > 0
	case VerbClarify:
		return c, takes(Clarify{By: by, Reason: why, Calendar: calendar, Now: now})
	case VerbDeliver:
		return c, takes(DeliverAgain{By: by, Reason: why, Now: now})
	case VerbNewPassphrase, VerbRevokeAnswer:
		return c, takes(ChangeAnswerKey{By: by, Reason: why, Revoke: v == VerbRevokeAnswer, Now: now})
	case VerbProveAgain:
		c.Systems = s.provable()
		return c, takes(ProveAgain{By: by, Reason: why, Now: now})
	case VerbSettleNotice:
		for _, n := range s.Notices {
			if takes(SettleNotice{By: by, Reason: why, Recipient: n.Recipient, Status: NoticeIsAnswered, Now: now}) {
				c.Notices = append(c.Notices, n)
			}
		}
		return c, len(c.Notices) > 0
	case VerbAskProof:
		return c, takes(AskProof{By: by, Reason: why, Now: now})
	case VerbAskClarification:
		return c, takes(AskClarification{By: by, Reason: why, Now: now})
	case VerbExtend:
		return c, takes(Extend{By: by, Reason: why, Calendar: calendar, Now: now})
	case VerbHold:
		for _, sys := range s.Accepted.Systems {
			c.Systems = append(c.Systems, sys.Name)
		}
		return c, takes(Hold{By: by, Reason: why, Dataset: "any", Now: now})
	case VerbLift:
		for _, h := range s.Holds {
			if takes(Lift{By: by, Reason: why, System: h.System, Dataset: h.Dataset, Now: now}) {
				c.Holds = append(c.Holds, h)
			}
		}
		return c, len(c.Holds) > 0
	case VerbRefuse:
		for _, ground := range append([]string{NotProven}, s.Accepted.Terms.Refusals...) {
			if takes(Refuse{By: by, Ground: ground, Reason: why, Now: now}) {
				c.Grounds = append(c.Grounds, ground)
			}
		}
		return c, len(c.Grounds) > 0
	case VerbRefusePart:
		for _, sys := range s.Accepted.Systems {
			c.Systems = append(c.Systems, sys.Name)
		}
		for _, ground := range s.Accepted.Terms.PartRefusals {
			if len(c.Systems) > 0 && takes(RefusePart{By: by, Reason: why, System: c.Systems[0], Dataset: "another-than-any", Ground: ground, Now: now}) {
				c.Grounds = append(c.Grounds, ground)
			}
		}
		return c, len(c.Grounds) > 0
	case VerbApprove:
		c.Systems = s.Stopped()
		return c, takes(ApproveCorrection{By: by, Reason: why, Now: now})
	case VerbRefuseField:
		for _, sys := range s.Accepted.Systems {
			one := RefuseField{By: by, Reason: why, System: sys.Name, Dataset: "another-than-any", Column: "any", Now: now}
			for _, ground := range s.Accepted.Terms.PartRefusals {
				if one.Ground = ground; !takes(one) {
					continue
				}
				if !slices.Contains(c.Systems, sys.Name) {
					c.Systems = append(c.Systems, sys.Name)
				}
				if !slices.Contains(c.Grounds, ground) {
					c.Grounds = append(c.Grounds, ground)
				}
			}
		}
		return c, len(c.Systems) > 0
	case VerbGivePart:
		for _, p := range s.Parts {
			if takes(RefusePart{By: by, Reason: why, System: p.System, Dataset: p.Dataset, TakenBack: true, Now: now}) {
				c.Parts = append(c.Parts, p)
			}
		}
		return c, len(c.Parts) > 0
	case VerbAssign:
		return c, takes(Assign{By: by, To: s.Assignee + by, Reason: why, Now: now})
	case VerbNote:
		return c, takes(Note{By: by, Reason: why, Now: now})
	case VerbReveal:
		return c, takes(Reveal{By: by, Reason: why, Now: now})
	case VerbOpenPlan:
		for _, p := range s.Plans() {
			if p.Object != nil {
				c.Systems = append(c.Systems, p.System)
			}
		}
		return c, takes(OpenPlan{By: by, Reason: why, Now: now})
	case VerbMerge:
		return c, takes(Merge{By: by, Into: "another than " + s.Accepted.RequestID, Reason: why, Now: now})
	case VerbCancel:
		return c, takes(Cancel{By: by, Reason: why, Now: now})
	default:
		return c, false
	}
}

// retries reports whether taking a task up again goes by a verb.
func (s State) retries(v Verb, t *TaskState) bool {
	switch {
	case t.Status == TaskIsFailed && t.End.Code == dsar.CodePlanTooLarge:
		return v == VerbAcceptPlan || v == VerbRetry
	case t.Status == TaskIsFailed && t.End.Code == CodeLateTooMany:
		return v == VerbAcceptPlan
	case t.Status == TaskIsFailed:
		return v == VerbRetry
	case t.Status == TaskIsParked:
		return v == VerbTryNow
	default:
		return v == VerbGatherAgain && t.Status == TaskIsEnded
	}
}

// attestable returns the tasks that a person can end by hand, with how they can
// end.
func (s State) attestable(now time.Time) []ManualTask {
	var out []ManualTask
	for _, t := range s.Tasks {
		m := ManualTask{TaskState: *t}
		for _, outcome := range t.attestable() {
			c := Attest{By: "somebody", Reason: "why", System: t.System, Action: t.Action, Outcome: outcome, Now: now}
			if outcome == dsar.Gathered {
				c.Objects = []dsar.Object{{Name: "records"}}
			}
			if _, err := Decide(s, c); err == nil {
				m.Outcomes = append(m.Outcomes, outcome)
			}
		}
		if len(m.Outcomes) > 0 {
			out = append(out, m)
		}
	}
	return out
}
