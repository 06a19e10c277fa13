package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// taskFacts are the facts of how its tasks go.
var taskFacts = []factType{
	fact[TaskSent]("task.sent"),
	fact[TaskProgressed]("task.progressed"),
	fact[TaskParked]("task.parked"),
	fact[TaskEnded]("task.ended"),
	fact[TaskFailed]("task.failed"),
	fact[MessageRejected]("message.rejected"),
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
	// SentRestored is one whose report may be lost: the journal was restored since.
	SentRestored SendReason = "restored"
)

// TaskSent says that a task went out. It follows that a message waits for the relay.
type TaskSent struct {
	System  string      `json:"system"`
	Action  dsar.Action `json:"action"`
	Attempt int         `json:"attempt"`
	Reason  SendReason  `json:"reason"`
	// Deadline is when it is sent again if nothing is heard of it.
	Deadline time.Time `json:"deadline"`
	Moment
}

func (e TaskSent) evolve(s State) State {
	after := 0
	var asked []string
	if e.Action == dsar.Resolve {
		for _, id := range s.Usable() {
			asked = append(asked, id.Fingerprint)
		}
	}
	if erase := s.Task(e.System, dsar.Erase); erase != nil && e.Action == dsar.Prove {
		after = erase.Attempt
	}
	if e.Action == dsar.Assemble {
		after = s.gatherings()
	}
	return s.planChanges(e.System, e.Action).erasedAgain(e).change(e.System, e.Action, func(t *TaskState) {
		if e.Reason == SentRetried {
			t.Unread = append(slices.Clip(t.Unread), t.unread()...)
		}
		t.Status, t.Attempt, t.Deadline = TaskIsSent, e.Attempt, e.Deadline
		t.Asked, t.After = asked, after
		if e.Action == dsar.Resolve && (e.Reason == SentFirst || e.Reason == SentFurther) {
			t.Rounds++
		}
		switch e.Reason {
		case SentUnheard:
			t.Unheard++
		case SentParked:
			t.Unheard = 0
		default:
			t.Unheard, t.Parked = 0, 0
		}
	})
}

// TaskProgressed says that a worker is still at it.
type TaskProgressed struct {
	System   string      `json:"system"`
	Action   dsar.Action `json:"action"`
	Attempt  int         `json:"attempt"`
	Records  int64       `json:"records,omitempty"`
	Deadline time.Time   `json:"deadline"`
	Moment
}

func (e TaskProgressed) evolve(s State) State {
	return s.change(e.System, e.Action, func(t *TaskState) { t.Deadline, t.Unheard = e.Deadline, 0 })
}

// What the three facts below say in explanation is in the open, and so is no word of a
// worker's: Code and Cause are codes and names that were looked up, Reason and Notes are
// the core's own sentences, or those of the person who did it (of facts before v0.2.0 the
// worker's). Findings are what the worker noticed of its system besides. Detail is what it
// said in its own words, sealed: a [dsar.Words].

// TaskParked says that a task waits until a time and is then sent again.
type TaskParked struct {
	System   string       `json:"system"`
	Action   dsar.Action  `json:"action"`
	Attempt  int          `json:"attempt"`
	Until    time.Time    `json:"until"`
	Code     string       `json:"code,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Cause    *dsar.Cause  `json:"cause,omitempty"`
	Findings []dsar.Cause `json:"findings,omitempty"`
	Detail   []byte       `json:"detail,omitempty"`
	Notes    []string     `json:"notes,omitempty"`
	Moment
}

func (e TaskParked) evolve(s State) State {
	return s.change(e.System, e.Action, func(t *TaskState) {
		t.Status, t.Until = TaskIsParked, e.Until
		t.Parked++
		t.End = ActionEnd{Action: e.Action, At: e.At, Code: e.Code, Reason: e.Reason, Cause: e.Cause, Fact: s.Version}
		t.Words = e.Detail
	})
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
	Cause       *dsar.Cause       `json:"cause,omitempty"`
	Findings    []dsar.Cause      `json:"findings,omitempty"`
	Detail      []byte            `json:"detail,omitempty"`
	Notes       []string          `json:"notes,omitempty"`
	// Redacted are the values that a person has taken out of what a worker gathered.
	Redacted []Redaction `json:"redacted,omitempty"`
	// By is the person who did it by hand; empty where a machine did.
	By string `json:"by,omitempty"`
	Moment
}

// Who implements Event.
func (e TaskEnded) Who() string { return e.By }

func (e TaskEnded) evolve(s State) State {
	s = s.planChanges(e.System, e.Action).change(e.System, e.Action, func(t *TaskState) {
		if t.Status = TaskIsEnded; e.By != "" {
			t.Rejected = slices.Clone(t.Rejected)
			for _, c := range t.Candidates {
				if !slices.ContainsFunc(e.Identifiers, func(id dsar.Identifier) bool { return id.Fingerprint == c.Fingerprint }) {
					t.Rejected = append(t.Rejected, c.Fingerprint)
				}
			}
		}
		t.Candidates, t.Notes, t.Words = nil, e.Notes, e.Detail
		t.End = ActionEnd{Action: e.Action, Outcome: e.Outcome, At: e.At, Counts: e.Counts, Objects: e.Objects, Code: e.Code, Reason: e.Reason, Cause: e.Cause, By: e.By, Fact: s.Version}
	})
	if e.Action == dsar.Erase && len(e.Objects) > 0 {
		s = s.change(e.System, dsar.Plan, func(t *TaskState) { t.Late = append(slices.Clip(t.Late), e.Objects...) })
	}
	s.Identifiers = merge(s.Identifiers, e.Identifiers)
	if e.By != "" && s.Status == StatusNeedsAttention {
		s = s.attended()
	}
	return s
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
	// Identifiers are those that a resolve found and of which a person must say whether
	// they are the person's.
	Identifiers []dsar.Identifier `json:"identifiers,omitempty"`
	Code        string            `json:"code"`
	Reason      string            `json:"reason,omitempty"`
	Cause       *dsar.Cause       `json:"cause,omitempty"`
	Findings    []dsar.Cause      `json:"findings,omitempty"`
	Detail      []byte            `json:"detail,omitempty"`
	Notes       []string          `json:"notes,omitempty"`
	Moment
}

func (e TaskFailed) evolve(s State) State {
	return s.planChanges(e.System, e.Action).backIn(e).change(e.System, e.Action, func(t *TaskState) {
		t.Status, t.Candidates, t.Notes, t.Words = TaskIsFailed, e.Identifiers, e.Notes, e.Detail
		t.End = ActionEnd{Action: e.Action, Outcome: e.Outcome, At: e.At, Counts: e.Counts, Objects: e.Objects, Code: e.Code, Reason: e.Reason, Cause: e.Cause, Fact: s.Version}
	})
}

// MessageRejected says that a message came which said to be of the request and wasn't
// believed: its seal didn't open, it was of another attempt, or it said what it may not.
// Nothing was done because of it. Of the first [MaxRejections] only there is a fact.
type MessageRejected struct {
	System  string      `json:"system"`
	Action  dsar.Action `json:"action"`
	Attempt int         `json:"attempt"`
	Message Message     `json:"message"`
	Code    string      `json:"code"`
	// Last tells that of further ones there will be no fact.
	Last bool `json:"last,omitempty"`
	Moment
}

func (e MessageRejected) evolve(s State) State {
	s.Rejections++
	return s
}

// NotesOf returns what stands in words of what a worker noticed of its system when it said
// what a fact says.
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

// FindingsOf returns what a worker noticed of its system when it said what a fact says: a
// column that the manifest doesn't declare, what outlives an erasure. Whatever a worker
// answers to a task, its findings are in the fact (TestReportsInAnyOrder), so that they
// are in every trace that it touches.
func FindingsOf(e Event) []dsar.Cause {
	switch e := e.(type) {
	case TaskParked:
		return e.Findings
	case TaskEnded:
		return e.Findings
	case TaskFailed:
		return e.Findings
	default:
		return nil
	}
}
