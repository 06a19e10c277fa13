// Package timeline is the journal of one request as a person reads it: each
// system's steps, attempts, waits, outcomes and counts, and the raw facts below.
package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/remarks"
)

// Trace is one request's life. It holds no personal data; its JSON is what
// `habeas trace --json` prints.
type Trace struct {
	RequestID    string      `json:"request_id"`
	Right        dsar.Right  `json:"right"`
	Jurisdiction string      `json:"jurisdiction"`
	Source       string      `json:"source"`
	Locale       string      `json:"locale,omitempty"`
	Status       core.Status `json:"status"`
	ReceivedAt   time.Time   `json:"received_at"`
	AcceptedAt   time.Time   `json:"accepted_at"`
	// DueAt is in the time zone of the law, whose day it is the end of.
	DueAt     time.Time `json:"due_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Overdue   bool      `json:"overdue"`
	Attention string    `json:"attention,omitempty"`
	// Instead is the right that is answered, where it isn't the one that was asked.
	Instead dsar.Right `json:"instead,omitempty"`
	// Awaited is what the person is awaited for: proof or clarification.
	Awaited core.ReminderOf `json:"awaited,omitempty"`
	// Paused tells that the clock stands.
	Paused bool `json:"paused,omitempty"`
	// Extended tells that the due date was extended.
	Extended bool `json:"extended,omitempty"`
	// Ground is why it was refused.
	Ground string `json:"ground,omitempty"`
	// MergedInto is the request that answers this one.
	MergedInto string `json:"merged_into,omitempty"`
	// Assignee is who has it in hand.
	Assignee string `json:"assignee,omitempty"`
	// Holds are the legal holds that are on.
	Holds []Hold `json:"holds,omitempty"`
	// Notices are what is owed to the recipients of what was changed.
	Notices []Notice `json:"notices,omitempty"`
	// EarlierRequests counts the person's requests in the twelve months before, up to
	// [core.MaxEarlierRequests]; DuplicateOf is one that was open, for the same.
	EarlierRequests int    `json:"earlier_requests,omitempty"`
	DuplicateOf     string `json:"duplicate_of,omitempty"`
	// InDoubt are the other requests of which a person must say whether they are of the same
	// person.
	InDoubt []string `json:"in_doubt,omitempty"`
	// About is the earlier request that an appeal or a complaint is about.
	About       *core.About  `json:"about,omitempty"`
	Waiting     []string     `json:"waiting,omitempty"`
	Identifiers []Identifier `json:"identifiers"`
	Systems     []System     `json:"systems"`
	Bundle      *dsar.Object `json:"bundle,omitempty"`
	// May is what may be done now, where [Trace.Allow] was told.
	May     []May    `json:"may,omitempty"`
	Moments []Moment `json:"timeline"`
	Facts   []Fact   `json:"facts"`
	// Chain is "verified", or what is wrong with the journal's hash chain.
	Chain string `json:"chain"`
}

// Identifier says which kind of identifier is known, and whence.
type Identifier struct {
	Type      dsar.IdentifierType `json:"type"`
	Assurance dsar.Assurance      `json:"assurance"`
	FoundBy   string              `json:"found_by,omitempty"` // empty: the request gave it
	From      dsar.IdentifierType `json:"from,omitempty"`     // what it was found by
}

// Hold is the reach of a legal hold; empty names are everything.
type Hold struct {
	System  string `json:"system,omitempty"`
	Dataset string `json:"dataset,omitempty"`
}

// System is one system's track.
type System struct {
	System string `json:"system"`
	Steps  []Step `json:"steps"`
}

// Step is one action of one system, over all its attempts.
type Step struct {
	Action   dsar.Action     `json:"action"`
	Status   core.TaskStatus `json:"status"`
	Attempts int             `json:"attempts"`
	SentAt   time.Time       `json:"sent_at,omitzero"` // the first time
	EndedAt  time.Time       `json:"ended_at,omitzero"`
	Until    time.Time       `json:"parked_until,omitzero"`
	Outcome  dsar.Outcome    `json:"outcome,omitempty"`
	Counts   []dsar.Counts   `json:"counts,omitempty"`
	Code     string          `json:"code,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	// Doubtful are the identifiers of which a person must say whether they are the
	// person's, by type and fingerprint: `habeas answer --same` names them so.
	Doubtful []Doubtful `json:"doubtful,omitempty"`
}

// Doubtful is an identifier that may be somebody else's.
type Doubtful struct {
	Type        dsar.IdentifierType `json:"type"`
	Fingerprint string              `json:"fingerprint"`
}

// Moment is one fact in words.
type Moment struct {
	At     time.Time `json:"at"`
	System string    `json:"system,omitempty"`
	Text   string    `json:"text"`
	// By is who of the company did it, by name; Person tells that the person did.
	By     string `json:"by,omitempty"`
	Person bool   `json:"person,omitempty"`
	// Stage is the one that the request was in then.
	Stage dsar.Action `json:"stage,omitempty"`
	// Trouble tells that something went wrong, or late.
	Trouble bool `json:"trouble,omitempty"`
}

// Fact is one raw fact: what the journal holds, without its sealed data.
type Fact struct {
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	Type    string    `json:"type"`
	Hash    string    `json:"hash"`
}

// Build reads a request's facts. They MUST be all of them, in order.
func Build(facts []journal.Fact, local Local) (Trace, error) {
	return BuildIn(facts, English, ByName, local)
}

// BuildIn builds a trace as [Build] does, in another language, and calls systems and
// datasets in its sentences by their titles. What people and systems said stays as they
// said it.
func BuildIn(facts []journal.Fact, say Say, titled Titles, local Local) (Trace, error) {
	events, err := journal.Events(facts, func(e core.Event) (core.Event, error) { return remarks.Closed(e), nil })
	if err != nil {
		return Trace{}, err
	}
	return BuildOpened(facts, events, say, titled, local), nil
}

// BuildOpened builds a trace as [BuildIn] does, of what the facts say where it was read already:
// with the remarks of people in it, as remarks.Remarks opens them. There MUST be one event for
// each fact.
func BuildOpened(facts []journal.Fact, events []core.Event, say Say, titled Titles, local Local) Trace {
	var t Trace
	var state core.State
	sent := map[[2]string]time.Time{}
	for i, f := range facts {
		e := say.gone(events[i])
		state = core.Evolve(state, e)
		if task, ok := e.(core.TaskSent); ok {
			key := [2]string{task.System, string(task.Action)}
			if _, ok := sent[key]; !ok {
				sent[key] = task.At
			}
		}
		m := Moment{At: f.At, Stage: state.Stage, Trouble: isTrouble(e)}
		m.By, m.Person = say.who(e)
		m.System, m.Text = say.words(local.of(titled.of(core.MapActor(e, say.actor)), state.Accepted.Jurisdiction), state, titled)
		t.Moments = append(t.Moments, m)
		t.Facts = append(t.Facts, Fact{Version: f.Version, At: f.At, Type: f.Type, Hash: fmt.Sprintf("%x", f.Hash)})
	}
	t.Chain = "verified"
	if err := journal.VerifyChain(facts); err != nil {
		t.Chain = err.Error()
	}
	t.describe(state, sent)
	t.DueAt = local.due(t.Jurisdiction, t.DueAt)
	if state.Attention.Reason != "" {
		t.Attention = say.attention(state.Attention, state, titled)
	}
	return t
}

// gone says in words that a remark can't be opened any more.
func (say Say) gone(e core.Event) core.Event {
	said, _ := core.MapRemarks(e, func(text string) (string, error) { // never fails
		if text == remarks.Gone {
			return say("words that nobody can open any more"), nil
		}
		return text, nil
	})
	return said
}

func (t *Trace) describe(s core.State, sent map[[2]string]time.Time) {
	a := s.Accepted
	t.RequestID, t.Right, t.Jurisdiction, t.Source, t.Locale = a.RequestID, a.Right, a.Jurisdiction, a.Source, a.Locale
	t.Status, t.ReceivedAt, t.AcceptedAt, t.DueAt, t.EndedAt = s.Status, a.ReceivedAt, a.AcceptedAt, s.DueAt, s.EndedAt
	t.Overdue, t.Attention, t.Waiting = s.Overdue, s.Attention.Reason, core.Waiting(s)
	if s.Right != a.Right {
		t.Instead = s.Right
	}
	t.Awaited, t.Paused, t.Extended, t.Ground, t.MergedInto = s.Awaited, s.Paused, s.Extensions > 0, s.Refusal.Ground, s.MergedInto
	t.Assignee = s.Assignee
	t.EarlierRequests, t.DuplicateOf, t.About = a.EarlierRequests, a.DuplicateOf, a.About
	for _, d := range s.InDoubt() {
		t.InDoubt = append(t.InDoubt, d.RequestID)
	}
	for _, h := range s.Holds {
		t.Holds = append(t.Holds, Hold(h))
	}
	for _, n := range s.Notices {
		t.Notices = append(t.Notices, Notice{Recipient: n.Recipient, By: n.By, Status: n.Status, SentAt: n.Sent, Waits: n.Waits()})
	}
	if s.Status == core.StatusCompleted || s.Status == core.StatusDelivering {
		t.Bundle = &s.Bundle
	}
	for _, id := range s.Identifiers {
		t.Identifiers = append(t.Identifiers, Identifier{Type: id.Type, Assurance: id.Assurance, FoundBy: id.FoundBy, From: typeOf(s.Identifiers, id.From)})
	}
	for _, name := range append(names(a.Systems), dsar.Aggregator) {
		track := System{System: name}
		for _, task := range s.Tasks {
			if task.System != name {
				continue
			}
			step := Step{Action: task.Action, Status: task.Status, Attempts: task.Attempt, SentAt: sent[[2]string{name, string(task.Action)}]}
			switch task.Status {
			case core.TaskIsParked:
				step.Until, step.Code, step.Reason = task.Until, task.End.Code, cmp.Or(task.End.Reason, task.End.Cause.Said())
			case core.TaskIsEnded, core.TaskIsFailed:
				end := task.End
				step.EndedAt, step.Outcome, step.Counts, step.Code, step.Reason = end.At, end.Outcome, end.Counts, end.Code, cmp.Or(end.Reason, end.Cause.Said())
			}
			if task.Action == dsar.Resolve {
				for _, id := range s.Doubtful(name) {
					step.Doubtful = append(step.Doubtful, Doubtful{id.Type, id.Fingerprint})
				}
			}
			track.Steps = append(track.Steps, step)
		}
		if len(track.Steps) > 0 || name != dsar.Aggregator {
			t.Systems = append(t.Systems, track)
		}
	}
}

func names(systems []dsar.System) []string {
	var out []string
	for _, s := range systems {
		out = append(out, s.Name)
	}
	return out
}

func typeOf(ids []dsar.Identifier, fingerprint string) dsar.IdentifierType {
	i := slices.IndexFunc(ids, func(id dsar.Identifier) bool { return fingerprint != "" && id.Fingerprint == fingerprint })
	if i < 0 {
		return ""
	}
	return ids[i].Type
}

// EarlierCount returns EarlierRequests as people read it: 20+ where they were only counted
// so far.
func (t Trace) EarlierCount() string {
	if t.EarlierRequests >= core.MaxEarlierRequests {
		return strconv.Itoa(core.MaxEarlierRequests) + "+"
	}
	return strconv.Itoa(t.EarlierRequests)
}

// Notice is what is owed to a recipient of data that was changed.
type Notice struct {
	Recipient string            `json:"recipient"`
	By        core.Way          `json:"by"`
	Status    core.NoticeStatus `json:"status"`
	// SentAt is when it was last told.
	SentAt time.Time `json:"sent_at,omitzero"`
	// Waits tells that a person must see to it.
	Waits bool `json:"waits,omitempty"`
}
