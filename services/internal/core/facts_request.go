package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// requestFacts are the facts of what becomes of a request.
var requestFacts = []factType{
	fact[Accepted]("request.accepted"),
	fact[EarlierLookedUp]("earlier.looked-up"),
	fact[EarlierAwaited]("earlier.awaited"),
	fact[KeptLookedUp]("kept.looked-up"),
	fact[StageStarted]("stage.started"),
	fact[AttentionNeeded]("request.attention-needed"),
	fact[Retried]("request.retried"),
	fact[Cancelled]("request.cancelled"),
	fact[Overdue]("request.overdue"),
	fact[AnswerAvailable]("answer.available"),
	fact[Completed]("request.completed"),
	fact[Refused]("request.refused"),
	fact[PartRefused]("part.refused"),
	fact[Merged]("request.merged"),
	fact[Extended]("request.extended"),
	fact[Reminded]("request.reminded"),
	fact[Assigned]("request.assigned"),
	fact[Noted]("request.noted"),
}

// MaxEarlierRequests is how far a person's earlier requests are counted: more than
// anybody makes, and enough to call the next one excessive.
const MaxEarlierRequests = 20

// Accepted opens a request's journal.
type Accepted struct {
	RequestID    string            `json:"request_id"`
	Right        dsar.Right        `json:"right"`
	Jurisdiction string            `json:"jurisdiction"`
	ReceivedAt   time.Time         `json:"received_at"` // by the upstream system: the clock starts here
	AcceptedAt   time.Time         `json:"accepted_at"`
	DueAt        time.Time         `json:"due_at,omitzero"`
	Source       string            `json:"source"`
	Locale       string            `json:"locale,omitempty"`
	Identifiers  []dsar.Identifier `json:"identifiers"`
	Details      []byte            `json:"details,omitempty"` // sealed
	Systems      []dsar.System     `json:"systems"`
	// Recipients are those whom the law has told of what the request changes.
	Recipients []Recipient `json:"recipients,omitempty"`
	// Erasures are those of the same person that had erased or were to, and Kept is what
	// they had left then.
	Erasures []string      `json:"erasures,omitempty"`
	Kept     []KeptEarlier `json:"kept,omitempty"`
	// After are open requests of the person, to see what is held or about a refusal: nothing
	// is erased before they have ended ([AwaitEarlier]).
	After []string `json:"after,omitempty"`
	// Digest is a keyed hash of what was submitted: the same request_id with
	// another digest is a conflict.
	Digest string `json:"digest"`
	// OwnPrints tells that the digest, and every fingerprint in the request's facts, are by
	// keys of the request's own; in a journal of before they are by one key for all.
	OwnPrints bool `json:"own_prints,omitempty"`
	// Recipient is the age recipient that the answer is encrypted to, beside what opens it
	// for Habeas: who asked has the identity.
	Recipient string `json:"recipient,omitempty"`
	// Terms are what the law makes of it.
	Terms Terms `json:"terms,omitzero"`
	// EarlierRequests is how many requests of the same person came in the twelve months
	// before: what an excessive request is measured by. [MaxEarlierRequests] stands for
	// as many or more.
	EarlierRequests int `json:"earlier_requests,omitempty"`
	// About is the earlier request that it is about; with a grievance.
	About *About `json:"about,omitempty"`
	// DuplicateOf is an open request of the same person for the same.
	DuplicateOf string `json:"duplicate_of,omitempty"`
	// Lease is how long the aggregator's task, or that of a system which says
	// nothing itself, may go unheard of before it is sent again; 0 means
	// [DefaultLease].
	Lease time.Duration `json:"lease,omitempty"`
	// LooksBack tells that the request waits where it depends on other requests of the
	// person, until the coordinator has looked at those ([LookBack]).
	LooksBack bool `json:"looks_back,omitempty"`
	// LooksFirst tells that it does so before the first system is asked: another request has
	// left something, or may be of somebody else ([DoubtEarlier]).
	LooksFirst bool `json:"looks_first,omitempty"`
	// ProveAgain is how long after the answer to an erasure its systems are asked again
	// whether anything has come back; 0: not by itself.
	ProveAgain time.Duration `json:"prove_again,omitempty"`
	// EraseAgain tells that what has come back is then erased again without asking a
	// person.
	EraseAgain bool `json:"erase_again,omitempty"`
	// FourEyes are the kinds of acts that a second person must agree to.
	FourEyes []FourEyes `json:"four_eyes,omitempty"`
	// CorrectionReview says when a correction waits for a person; empty: [ReviewDoubt].
	CorrectionReview CorrectionReview `json:"correction_review,omitempty"`
	// Keep says how long Habeas keeps what it holds of the request, and that its end gets
	// a receipt; nil, in a journal of before, for ever and without.
	Keep *Keep `json:"keep,omitempty"`
	// CallsBack tells that the caller has an address at which it is told of every change of
	// the status.
	CallsBack bool `json:"calls_back,omitempty"`
	// ToldBy is the channel by which the person is told of the answer, before which the
	// request isn't completed; empty, as in a journal of before: it is completed as soon as
	// the answer is there.
	ToldBy Channel `json:"told_by,omitempty"`
}

// When implements Event.
func (e Accepted) When() time.Time { return e.AcceptedAt }

// Who implements Event.
func (e Accepted) Who() string { return "" }

func (e Accepted) evolve(s State) State {
	s = State{Version: s.Version, Accepted: e, Identifiers: slices.Clone(e.Identifiers), Right: e.Right, DueAt: e.DueAt, After: e.After}
	s.Status = s.goingOn()
	s.Erasures, s.KeptElsewhere = slices.Clone(e.Erasures), e.Kept
	if len(e.Erasures) == 0 { // accepted by Habeas 0.1
		for _, k := range e.Kept {
			if !slices.Contains(s.Erasures, k.RequestID) {
				s.Erasures = append(s.Erasures, k.RequestID)
			}
		}
	}
	return s
}

// StageStarted says that every system is now asked for one action. A system
// that has to wait for another is asked later in the stage.
type StageStarted struct {
	Stage dsar.Action `json:"stage"`
	Moment
}

func (e StageStarted) evolve(s State) State {
	s.Stage, s.Status = e.Stage, statusOf[e.Stage]
	return s
}

// AttentionNeeded says that nothing moves any more until a person acts.
type AttentionNeeded struct {
	// Systems are those whose task failed or needs a person.
	Systems []string `json:"systems"`
	Reason  string   `json:"reason"`
	// Code says why, where that is no task's ([CodePerhapsTheirs], [CodeEarlierNoKeys]).
	Code string `json:"code,omitempty"`
	Moment
}

func (e AttentionNeeded) evolve(s State) State {
	s.Status, s.Attention = StatusNeedsAttention, e
	return s
}

// Retried says that a person had failed tasks taken up again.
type Retried struct {
	Act
	Systems []string `json:"systems"`
	// AcceptPlan lifts the brake: the person has seen the counts.
	AcceptPlan bool `json:"accept_plan,omitempty"`
	// Anew are the systems whose erasure begins again with its plan, since a part
	// of one could not be reached, and those that are erased after it.
	Anew []string `json:"anew,omitempty"`
}

func (e Retried) evolve(s State) State {
	s = s.attended()
	if len(e.Anew) > 0 {
		s = s.beginAnew(e.Anew)
	}
	return s
}

// Cancelled ends a request without an answer.
type Cancelled struct{ Act }

func (e Cancelled) evolve(s State) State { return s.end(StatusCancelled, e.At) }

// Overdue says that the answer was due and the request is still open. The
// request goes on as before.
type Overdue struct {
	DueAt time.Time `json:"due_at"`
	Moment
}

func (e Overdue) evolve(s State) State {
	s.Overdue = true
	return s
}

// AnswerAvailable says that the answer is in the outbox, where it is served from. The person
// isn't told yet: only then it is answered.
type AnswerAvailable struct {
	Bundle dsar.Object `json:"bundle"`
	Moment
}

func (e AnswerAvailable) evolve(s State) State {
	s.Status, s.Bundle = StatusDelivering, e.Bundle
	s.RecordsForgotten = time.Time{} // there is an answer again
	return s.withoutActs().toTell(e.At)
}

// Completed ends a request: its bundle is in the outbox, and the person was told; of a later
// certificate, which answers nothing that is due, they are told afterwards.
type Completed struct {
	Bundle dsar.Object `json:"bundle"`
	Moment
}

func (e Completed) evolve(s State) State {
	if s.Status != StatusDelivering {
		s = s.toTell(e.At)
	}
	s.Status, s.Bundle, s.EndedAt, s.Receipted = StatusCompleted, e.Bundle, e.At, false
	s.RecordsForgotten = time.Time{} // there is an answer again
	if s.AnsweredAt.IsZero() {
		s.AnsweredAt = e.At
	}
	if s.AgainAt = (time.Time{}); s.Right == dsar.Erasure && s.Accepted.ProveAgain > 0 && len(s.provable()) > 0 {
		s.AgainAt = e.At.Add(s.Accepted.ProveAgain)
	}
	if s.Right == dsar.Erasure {
		s.KeptThen = s.keptNow()
	}
	return s
}

// Refused ends a request without an answer, on a ground of the law.
type Refused struct {
	Act
	Ground string `json:"ground"`
}

func (e Refused) evolve(s State) State {
	s.Refusal = e
	return s.refusedBy(e.By).end(StatusRefused, e.At).toTell(e.At)
}

// Merged ends a request that another one answers.
type Merged struct {
	Act
	Into string `json:"into"`
}

func (e Merged) evolve(s State) State {
	s.MergedInto = e.Into
	return s.end(StatusMerged, e.At)
}

// Extended says that the answer is due later, and why.
type Extended struct {
	ReasonedAct
	// ToPerson is the reason as the person is told it; empty: Reason.
	ToPerson string    `json:"to_person,omitempty"`
	DueAt    time.Time `json:"due_at"`
}

func (e Extended) evolve(s State) State {
	s.Extensions, s.DueAt, s.RemindedDue = s.Extensions+1, e.DueAt, false
	return s
}

// ReminderOf is what a reminder is about.
type ReminderOf string

// What a reminder is about.
const (
	RemindDue           ReminderOf = "due"           // the answer is due soon
	RemindProof         ReminderOf = "proof"         // the person has sent no proof
	RemindClarification ReminderOf = "clarification" // the person has not said what is meant
	RemindAttention     ReminderOf = "attention"     // nobody has acted
	RemindTell          ReminderOf = "tell"          // nobody has told the person
)

// Reminded says that something has waited for long.
type Reminded struct {
	About ReminderOf `json:"about"`
	Moment
}

func (e Reminded) evolve(s State) State {
	switch e.About {
	case RemindDue:
		s.RemindedDue = true
	case RemindTell:
		s.TellLate, s.RemindedAt = true, e.At
	default:
		s.RemindedAt = e.At
	}
	return s
}

// Assigned says who has the request in hand from now on; nobody, with an empty To.
type Assigned struct {
	Act
	To string `json:"to,omitempty"`
}

func (e Assigned) evolve(s State) State {
	s.Assignee = e.To
	return s
}

// Noted is what somebody wrote down about the request, for colleagues: its reason is the
// note. It changes nothing, but that somebody has looked, and the person never reads it.
type Noted struct{ ReasonedAct }

func (e Noted) evolve(s State) State {
	s.AnswerUntold, s.FactsLost = false, 0
	return s
}

// EarlierLookedUp says that it was looked, by these identifiers, for other requests of the
// person, and what of those identifies the person here, too.
type EarlierLookedUp struct {
	// LookedUp are the identifiers' fingerprints.
	LookedUp []string `json:"looked_up"`
	// Identifiers are those by which an earlier erasure had found what it had to keep.
	Identifiers []dsar.Identifier `json:"identifiers,omitempty"`
	// Carried says of which request each of them came, and of those that were known before.
	Carried []Carried `json:"carried,omitempty"`
	Moment
}

// Carried is an identifier that an earlier request has, and that a later one goes by.
type Carried struct {
	Fingerprint string `json:"fingerprint"`
	Request     string `json:"request"` // the earlier one
	// Replaced tells that the earlier one, a correction, set another in its place: by now it may
	// be somebody else's.
	Replaced bool `json:"replaced,omitempty"`
}

func (e EarlierLookedUp) evolve(s State) State {
	s.LookedUp = append(slices.Clip(s.LookedUp), e.LookedUp...)
	s.Identifiers = merge(s.Identifiers, e.Identifiers)
	s.Carried = append(slices.Clip(s.Carried), e.Carried...)
	return s
}
