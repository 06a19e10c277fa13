package core

import (
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// Need says why a request needs a person: something stands still until somebody acts,
// whatever else of it still runs.
type Need struct {
	Kind NeedKind
	// System is whose task failed or waits for a hand, and Code says why, with NeedTask,
	// NeedHand, NeedPlan and NeedErased.
	System, Code string
}

// NeedKind is a kind of need.
type NeedKind string

// The kinds of needs, the worst first.
const (
	NeedStuck    NeedKind = "stuck"         // nothing can go on, and no task has failed
	NeedTask     NeedKind = "task"          // a task failed
	NeedHand     NeedKind = "hand"          // a task is to be done by hand
	NeedPlan     NeedKind = "plan"          // a plan is larger than expected
	NeedErased   NeedKind = "erased"        // more was erased than planned
	NeedTheirs   NeedKind = "theirs"        // a person must say whether another request is of the same person
	NeedKeys     NeedKind = "keys"          // the same, of one whose keys are lost
	NeedApproval NeedKind = "approval"      // a correction waits until a person has looked at it
	NeedOverdue  NeedKind = "overdue"       // the answer is late, and nothing else is the cause
	NeedUntold   NeedKind = "untold"        // it was answered, and a restored journal doesn't know how
	NeedShort    NeedKind = "short"         // a restored journal lacks facts of it that nobody has
	NeedSecond   NeedKind = "second"        // a second person is to agree to what a first wants done
	NeedJudge    NeedKind = "judge"         // the person has sent a proof
	NeedTell     NeedKind = "tell"          // nobody has told the person, as far as is known ([State.Unreached])
	NeedDecision NeedKind = "decision"      // an appeal or a complaint
	NeedReply    NeedKind = "reply"         // the person has replied to a question
	NeedProof    NeedKind = "proof"         // a proof is awaited
	NeedAnswer   NeedKind = "clarification" // a reply is awaited
)

// needKinds lists them in this order.
var needKinds = []NeedKind{NeedStuck, NeedTask, NeedHand, NeedPlan, NeedErased, NeedTheirs, NeedKeys, NeedApproval, NeedOverdue, NeedUntold, NeedShort, NeedSecond, NeedJudge, NeedTell, NeedDecision, NeedReply, NeedProof, NeedAnswer}

// Rank returns the place of a need among others: the worst first. A kind that isn't known
// comes last.
func (n Need) Rank() int {
	if i := slices.Index(needKinds, n.Kind); i >= 0 {
		return i
	}
	return len(needKinds)
}

// String returns the need as the journal's rows have it: task/billing/no-permission.
func (n Need) String() string {
	parts := []string{string(n.Kind)}
	if n.System != "" {
		parts = append(parts, n.System, n.Code)
	}
	return strings.Join(parts, "/")
}

// ParseNeed reads what String has written; false where it is none.
func ParseNeed(text string) (Need, bool) {
	parts := strings.Split(text, "/")
	n := Need{Kind: NeedKind(parts[0])}
	if len(parts) == 3 {
		n.System, n.Code = parts[1], parts[2]
	}
	ofSystem := slices.Contains([]NeedKind{NeedTask, NeedHand, NeedPlan, NeedErased}, n.Kind)
	return n, slices.Contains(needKinds, n.Kind) && n.String() == text && ofSystem == (n.System != "")
}

// Needs returns why the request needs a person now, each cause once, the worst first.
func (s State) Needs() []Need {
	untold, _ := s.Unreached()
	switch {
	case s.AnswerUntold:
		return []Need{{Kind: NeedUntold}}
	case !s.Exists():
		return nil
	}
	var out []Need
	add := func(n Need) {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if s.FactsLost > 0 {
		add(Need{Kind: NeedShort})
	}
	if len(s.Unjudged()) > 0 {
		add(Need{Kind: NeedSecond})
	}
	if untold != "" {
		add(Need{Kind: NeedTell})
	}
	if s.Status.Ended() {
		return out
	}
	failed := false
	for _, t := range s.Tasks {
		if t.Status != TaskIsFailed {
			continue
		}
		failed = true
		kind := NeedTask
		switch {
		case t.End.Code == dsar.CodePlanTooLarge:
			kind = NeedPlan
		case t.End.Code == CodeLateTooMany:
			kind = NeedErased
		case t.End.Outcome == dsar.Manual:
			kind = NeedHand
		}
		add(Need{Kind: kind, System: t.System, Code: t.End.Code})
	}
	came := slices.ContainsFunc(s.Sent, func(p PersonSent) bool { return p.What != SentNoPassphrase && !p.At.Before(s.AwaitedSince) })
	switch {
	case s.Status == StatusReviewing:
		add(Need{Kind: NeedDecision})
	case s.Awaited == RemindProof && came:
		add(Need{Kind: NeedJudge})
	case s.Awaited == RemindProof:
		add(Need{Kind: NeedProof})
	case s.Awaited == RemindClarification && came:
		add(Need{Kind: NeedReply})
	case s.Awaited == RemindClarification:
		add(Need{Kind: NeedAnswer})
	case s.waitsForJudgement():
		if s.keysLost() {
			add(Need{Kind: NeedKeys})
			break
		}
		add(Need{Kind: NeedTheirs})
	case s.Status == StatusNeedsAttention && s.waitsForApproval():
		add(Need{Kind: NeedApproval})
	case s.Status == StatusNeedsAttention && !failed:
		add(Need{Kind: NeedStuck})
	}
	if s.Overdue && len(out) == 0 {
		add(Need{Kind: NeedOverdue})
	}
	slices.SortStableFunc(out, func(a, b Need) int { return a.Rank() - b.Rank() })
	return out
}
