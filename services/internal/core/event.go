package core

import (
	"time"

	"habeas.dev/pkg/dsar"
)

// Event is a fact of a request's life, as the journal keeps it. The set is
// closed: only this package has the types.
type Event interface {
	// Type is the fact's name in the journal. On dsar.events the CloudEvent's
	// type is "dsar." + Type + ".v1".
	Type() string
}

// ManyEarlier is how far a person's earlier requests are counted: more than
// anybody makes, and enough to call the next one excessive.
const ManyEarlier = 20

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
	// Digest is a keyed hash of what was submitted: the same request_id with
	// another digest is a conflict.
	Digest string `json:"digest"`
	// Terms are what the law makes of it.
	Terms Terms `json:"terms,omitzero"`
	// Earlier is how many requests of the same person came in the twelve months
	// before: what an excessive request is measured by. [ManyEarlier] stands for
	// as many or more.
	Earlier int `json:"earlier,omitempty"`
	// DuplicateOf is an open request of the same person for the same.
	DuplicateOf string `json:"duplicate_of,omitempty"`
	// Lease is how long the aggregator's task, or that of a system which says
	// nothing itself, may go unheard of before it is sent again; 0 means
	// [DefaultLease].
	Lease time.Duration `json:"lease,omitempty"`
}

// StageStarted says that every system is now asked for one action. A system
// that has to wait for another is asked later in the stage.
type StageStarted struct {
	Stage dsar.Action `json:"stage"`
	At    time.Time   `json:"at"`
}

// SendReason says why a task was sent.
type SendReason string

// The reasons for sending a task.
const (
	SentFirst   SendReason = "first"   // it was its turn
	SentUnheard SendReason = "unheard" // nothing was heard of it within the lease
	SentParked  SendReason = "parked"  // the time until which it was parked has come
	SentRetried SendReason = "retried" // a person asked for it
	SentFurther SendReason = "further" // resolve: another identifier that it needs was found since
)

// TaskSent says that a task went out. It follows that a message is in the outbox.
type TaskSent struct {
	System  string      `json:"system"`
	Action  dsar.Action `json:"action"`
	Attempt int         `json:"attempt"`
	Reason  SendReason  `json:"reason"`
	At      time.Time   `json:"at"`
	// Deadline is when it is sent again if nothing is heard of it.
	Deadline time.Time `json:"deadline"`
}

// TaskProgressed says that a worker is still at it.
type TaskProgressed struct {
	System   string      `json:"system"`
	Action   dsar.Action `json:"action"`
	Attempt  int         `json:"attempt"`
	Records  int64       `json:"records,omitempty"`
	At       time.Time   `json:"at"`
	Deadline time.Time   `json:"deadline"`
}

// TaskParked says that a task waits until a time and is then sent again.
type TaskParked struct {
	System  string      `json:"system"`
	Action  dsar.Action `json:"action"`
	Attempt int         `json:"attempt"`
	Until   time.Time   `json:"until"`
	Code    string      `json:"code,omitempty"`
	Reason  string      `json:"reason,omitempty"`
	Detail  []byte      `json:"detail,omitempty"`
	Notes   []string    `json:"notes,omitempty"` // see [NotesOf]
	At      time.Time   `json:"at"`
}

// TaskEnded says how a task ended. Attempt is 0 where no worker was asked
// (not applicable).
type TaskEnded struct {
	System      string            `json:"system"`
	Action      dsar.Action       `json:"action"`
	Attempt     int               `json:"attempt,omitempty"`
	Outcome     dsar.Outcome      `json:"outcome"`
	Counts      []dsar.Counts     `json:"counts,omitempty"`
	Objects     []dsar.Object     `json:"objects,omitempty"`
	Identifiers []dsar.Identifier `json:"identifiers,omitempty"`
	Code        string            `json:"code,omitempty"`
	Reason      string            `json:"reason,omitempty"`
	Notes       []string          `json:"notes,omitempty"` // see [NotesOf]
	// By is the person who did it by hand; empty where a machine did.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
}

// TaskFailed says that a task can't go on by machine. Outcome is Failed, Manual or
// Incomplete.
type TaskFailed struct {
	System  string        `json:"system"`
	Action  dsar.Action   `json:"action"`
	Attempt int           `json:"attempt,omitempty"`
	Outcome dsar.Outcome  `json:"outcome"`
	Counts  []dsar.Counts `json:"counts,omitempty"`
	// Objects are what a person must look at, or what was gathered of a system
	// that is [Incomplete].
	Objects []dsar.Object `json:"objects,omitempty"`
	Code    string        `json:"code"`
	Reason  string        `json:"reason,omitempty"`
	Detail  []byte        `json:"detail,omitempty"`
	Notes   []string      `json:"notes,omitempty"` // see [NotesOf]
	At      time.Time     `json:"at"`
}

// NotesOf are what a worker noted of its system when it said what a fact says: a
// column that the manifest doesn't declare, what outlives an erasure. Whatever a
// worker answers to a task, its notes are in the fact (TestReportsInAnyOrder), so that
// they are in every trace that it touches.
func NotesOf(e Event) []string {
	switch e := e.(type) {
	case TaskParked:
		return e.Notes
	case TaskEnded:
		return e.Notes
	case TaskFailed:
		return e.Notes
	default:
		return nil
	}
}

// AttentionNeeded says that nothing moves any more until a person acts.
type AttentionNeeded struct {
	// Systems are those whose task failed or needs a person.
	Systems []string  `json:"systems"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// Retried says that a person had failed tasks taken up again.
type Retried struct {
	By      string   `json:"by"`
	Reason  string   `json:"reason,omitempty"`
	Systems []string `json:"systems"`
	// AcceptPlan lifts the brake: the person has seen the counts.
	AcceptPlan bool `json:"accept_plan,omitempty"`
	// Anew are the systems whose erasure begins again with its plan, since a part
	// of one could not be reached, and those that are erased after it.
	Anew []string  `json:"anew,omitempty"`
	At   time.Time `json:"at"`
}

// Cancelled ends a request without an answer.
type Cancelled struct {
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Overdue says that the answer was due and the request is still open. The
// request goes on as before.
type Overdue struct {
	DueAt time.Time `json:"due_at"`
	At    time.Time `json:"at"`
}

// Completed ends a request: its bundle is in the outbox.
type Completed struct {
	Bundle dsar.Object `json:"bundle"`
	At     time.Time   `json:"at"`
}

// ProofAsked says that the person was asked for proof, and is awaited.
type ProofAsked struct {
	By     string       `json:"by"`
	Reason string       `json:"reason,omitempty"`
	Checks []dsar.Check `json:"checks"`
	// Pauses tells that the clock stands until it is judged.
	Pauses bool      `json:"pauses,omitempty"`
	At     time.Time `json:"at"`
}

// ProofJudged says whether the proof was accepted, and that the request goes on.
type ProofJudged struct {
	By       string `json:"by"`
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason,omitempty"`
	// Instead is the right that is answered from now on, where the proof was
	// not accepted and the law has a lesser answer.
	Instead dsar.Right `json:"instead,omitempty"`
	// DueAt is the due date from now on, where the clock had stood.
	DueAt time.Time `json:"due_at,omitzero"`
	At    time.Time `json:"at"`
}

// ClarificationAsked says that the person was asked what is meant, and is awaited.
type ClarificationAsked struct {
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	Pauses bool      `json:"pauses,omitempty"`
	At     time.Time `json:"at"`
}

// ClarificationGiven says that the person has answered, and that the request goes on.
type ClarificationGiven struct {
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	DueAt  time.Time `json:"due_at,omitzero"`
	At     time.Time `json:"at"`
}

// Extended says that the answer is due later, and why.
type Extended struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	DueAt  time.Time `json:"due_at"`
	At     time.Time `json:"at"`
}

// Refused ends a request without an answer, on a ground of the law.
type Refused struct {
	By     string    `json:"by"`
	Ground string    `json:"ground"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Merged ends a request that another one answers.
type Merged struct {
	By     string    `json:"by"`
	Into   string    `json:"into"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// ReminderOf is what a reminder is about.
type ReminderOf string

// What a reminder is about.
const (
	RemindDue           ReminderOf = "due"           // the answer is due soon
	RemindProof         ReminderOf = "proof"         // the person has sent no proof
	RemindClarification ReminderOf = "clarification" // the person has not said what is meant
	RemindAttention     ReminderOf = "attention"     // nobody has acted
)

// Reminded says that something has waited for long.
type Reminded struct {
	About ReminderOf `json:"about"`
	At    time.Time  `json:"at"`
}

// HoldPlaced says that records must not be erased until the hold is lifted.
type HoldPlaced struct {
	By      string    `json:"by"`
	Reason  string    `json:"reason"`
	System  string    `json:"system,omitempty"`  // empty: every system
	Dataset string    `json:"dataset,omitempty"` // empty: every dataset
	At      time.Time `json:"at"`
}

// HoldLifted says that a hold of that reach is over.
type HoldLifted struct {
	By      string    `json:"by"`
	Reason  string    `json:"reason,omitempty"`
	System  string    `json:"system,omitempty"`
	Dataset string    `json:"dataset,omitempty"`
	At      time.Time `json:"at"`
}

// RetentionEnded says that records which an answered erasure had to keep may go
// now: the request is taken up again for these systems.
type RetentionEnded struct {
	Systems []string  `json:"systems"`
	At      time.Time `json:"at"`
}

// Letter is a kind of letter to the person.
type Letter string

// The letters.
const (
	LetterConfirmation  Letter = "confirmation"  // the request was received
	LetterProof         Letter = "proof"         // proof is wanted
	LetterClarification Letter = "clarification" // it is asked what is meant
	LetterExtension     Letter = "extension"     // the answer comes later
	LetterRefusal       Letter = "refusal"       // there is no answer
	LetterAnswer        Letter = "answer"        // the answer is there
	LetterCertificate   Letter = "certificate"   // what was erased, and what was kept
)

// LetterSent says that the person was written to.
type LetterSent struct {
	Letter   Letter `json:"letter"`
	Language string `json:"language"`
	// Cause is the version of the fact that it was written about: of one fact,
	// one letter.
	Cause int `json:"cause"`
	// Channel is how it went: outbox or smtp.
	Channel string    `json:"channel"`
	At      time.Time `json:"at"`
}

// The names of the facts. They never change: what a fact says is changed by a
// new name and an upcaster.
func (Accepted) Type() string           { return "request.accepted" }
func (StageStarted) Type() string       { return "stage.started" }
func (TaskSent) Type() string           { return "task.sent" }
func (TaskProgressed) Type() string     { return "task.progressed" }
func (TaskParked) Type() string         { return "task.parked" }
func (TaskEnded) Type() string          { return "task.ended" }
func (TaskFailed) Type() string         { return "task.failed" }
func (AttentionNeeded) Type() string    { return "request.attention-needed" }
func (Retried) Type() string            { return "request.retried" }
func (Cancelled) Type() string          { return "request.cancelled" }
func (Overdue) Type() string            { return "request.overdue" }
func (Completed) Type() string          { return "request.completed" }
func (ProofAsked) Type() string         { return "proof.asked" }
func (ProofJudged) Type() string        { return "proof.judged" }
func (ClarificationAsked) Type() string { return "clarification.asked" }
func (ClarificationGiven) Type() string { return "clarification.given" }
func (Extended) Type() string           { return "request.extended" }
func (Refused) Type() string            { return "request.refused" }
func (Merged) Type() string             { return "request.merged" }
func (Reminded) Type() string           { return "request.reminded" }
func (HoldPlaced) Type() string         { return "hold.placed" }
func (HoldLifted) Type() string         { return "hold.lifted" }
func (RetentionEnded) Type() string     { return "retention.ended" }
func (LetterSent) Type() string         { return "letter.sent" }

// IdentifiersRevealed says that somebody looked at what identifies the person.
type IdentifiersRevealed struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Type implements Event.
func (IdentifiersRevealed) Type() string { return "identifiers.revealed" }

// DeliveryAsked says that the person is to be told again where the answer is.
type DeliveryAsked struct {
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Type implements Event.
func (DeliveryAsked) Type() string { return "delivery.asked" }

// Assigned says who has the request in hand from now on; nobody, with an empty To.
type Assigned struct {
	By     string    `json:"by"`
	To     string    `json:"to,omitempty"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Type implements Event.
func (Assigned) Type() string { return "request.assigned" }
