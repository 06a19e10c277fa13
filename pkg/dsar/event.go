package dsar

import "time"

// Event is a fact of a request's life, as the journal keeps it. The set is
// closed: only this package has the types.
type Event interface {
	// Type is the fact's name in the journal. On dsar.events the CloudEvent's
	// type is "dsar." + Type + ".v1".
	Type() string
}

// Accepted opens a request's journal.
type Accepted struct {
	RequestID    string       `json:"request_id"`
	Right        Right        `json:"right"`
	Jurisdiction string       `json:"jurisdiction"`
	ReceivedAt   time.Time    `json:"received_at"` // by the upstream system: the clock starts here
	AcceptedAt   time.Time    `json:"accepted_at"`
	DueAt        time.Time    `json:"due_at,omitzero"`
	Source       string       `json:"source"`
	Locale       string       `json:"locale,omitempty"`
	Identifiers  []Identifier `json:"identifiers"`
	Details      []byte       `json:"details,omitempty"` // sealed
	Systems      []System     `json:"systems"`
	// Digest is a keyed hash of what was submitted: the same request_id with
	// another digest is a conflict.
	Digest string `json:"digest"`
}

// StageStarted says that every system is now asked for one action. A system
// that has to wait for another is asked later in the stage.
type StageStarted struct {
	Stage Action    `json:"stage"`
	At    time.Time `json:"at"`
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
	System  string     `json:"system"`
	Action  Action     `json:"action"`
	Attempt int        `json:"attempt"`
	Reason  SendReason `json:"reason"`
	At      time.Time  `json:"at"`
	// Deadline is when it is sent again if nothing is heard of it.
	Deadline time.Time `json:"deadline"`
}

// TaskProgressed says that a worker is still at it.
type TaskProgressed struct {
	System   string    `json:"system"`
	Action   Action    `json:"action"`
	Attempt  int       `json:"attempt"`
	Records  int64     `json:"records,omitempty"`
	At       time.Time `json:"at"`
	Deadline time.Time `json:"deadline"`
}

// TaskParked says that a task waits until a time and is then sent again.
type TaskParked struct {
	System  string    `json:"system"`
	Action  Action    `json:"action"`
	Attempt int       `json:"attempt"`
	Until   time.Time `json:"until"`
	Code    string    `json:"code,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Detail  []byte    `json:"detail,omitempty"`
	At      time.Time `json:"at"`
}

// TaskEnded says how a task ended. Attempt is 0 where no worker was asked
// (not applicable).
type TaskEnded struct {
	System      string       `json:"system"`
	Action      Action       `json:"action"`
	Attempt     int          `json:"attempt,omitempty"`
	Outcome     Outcome      `json:"outcome"`
	Counts      []Counts     `json:"counts,omitempty"`
	Objects     []Object     `json:"objects,omitempty"`
	Identifiers []Identifier `json:"identifiers,omitempty"`
	Code        string       `json:"code,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	At          time.Time    `json:"at"`
}

// TaskFailed says that a task can't go on by machine. Outcome is Failed or Manual.
type TaskFailed struct {
	System  string    `json:"system"`
	Action  Action    `json:"action"`
	Attempt int       `json:"attempt,omitempty"`
	Outcome Outcome   `json:"outcome"`
	Counts  []Counts  `json:"counts,omitempty"`
	Code    string    `json:"code"`
	Reason  string    `json:"reason,omitempty"`
	Detail  []byte    `json:"detail,omitempty"`
	At      time.Time `json:"at"`
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
	AcceptPlan bool      `json:"accept_plan,omitempty"`
	At         time.Time `json:"at"`
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
	Bundle Object    `json:"bundle"`
	At     time.Time `json:"at"`
}

// The names of the facts. They never change: what a fact says is changed by a
// new name and an upcaster.
func (Accepted) Type() string        { return "request.accepted" }
func (StageStarted) Type() string    { return "stage.started" }
func (TaskSent) Type() string        { return "task.sent" }
func (TaskProgressed) Type() string  { return "task.progressed" }
func (TaskParked) Type() string      { return "task.parked" }
func (TaskEnded) Type() string       { return "task.ended" }
func (TaskFailed) Type() string      { return "task.failed" }
func (AttentionNeeded) Type() string { return "request.attention-needed" }
func (Retried) Type() string         { return "request.retried" }
func (Cancelled) Type() string       { return "request.cancelled" }
func (Overdue) Type() string         { return "request.overdue" }
func (Completed) Type() string       { return "request.completed" }
