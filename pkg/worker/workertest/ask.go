package workertest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
)

// T is what is needed of a *testing.T. In an example, log.Default() is one.
type T interface {
	Fatalf(format string, args ...any)
}

// Ask asks a worker for one action for one person, as Habeas would, and returns what
// it reported and left behind. An erasure is planned first, and goes by that plan. Nothing else is needed: no
// Kafka, no vault.
//
//	got := workertest.Ask(t, w, "gather", "anna@example.com")
//
// An identifier is written as its value where the type is plain: an address with an @,
// a telephone number with a +, else the one that the worker needs; otherwise as
// type=value.
func Ask(t T, w *worker.Worker, action dsar.Action, identifiers ...string) Answer {
	helper(t)
	r := NewRequest(t, w, identifiers...)
	if action == dsar.Erase {
		r.Ask(dsar.Plan)
	}
	return r.Ask(action)
}

// Answer is what became of a task.
type Answer struct {
	dsar.Report
	// Records are those that were gathered, in the order in which they were written.
	Records []Record
	// Found are the identifiers that were found.
	Found []worker.Identifier
	// Plan is what was planned.
	Plan []worker.Entry
	// Underlying is the text of the error that the report has sealed.
	Underlying string
}

// String says in one line what became of the task.
func (a Answer) String() string {
	var b strings.Builder
	b.WriteString(string(a.Kind))
	if a.Outcome != "" && string(a.Outcome) != string(a.Kind) {
		b.WriteString(" " + string(a.Outcome))
	}
	for _, c := range a.Counts {
		b.WriteString("; " + c.Dataset)
		for _, n := range []struct {
			what string
			n    int64
		}{
			{"found", c.Found}, {"gathered", c.Gathered}, {"erased", c.Erased}, {"anonymised", c.Anonymised}, {"rectified", c.Rectified},
			{"restricted", c.Restricted}, {"retained", c.Kept()}, {"gone", c.Gone}, {"late", c.Late},
		} {
			if n.n > 0 {
				fmt.Fprintf(&b, " %s %d", n.what, n.n)
			}
		}
		if c.Uncovered != "" {
			b.WriteString(" not covered: " + c.Uncovered)
		}
	}
	for _, id := range a.Found {
		fmt.Fprintf(&b, "; %s=%s", id.Type, id.Value)
	}
	if a.Code != "" {
		fmt.Fprintf(&b, "; %s: %s", a.Code, a.Reason)
	}
	return b.String()
}

// Request is one person's request to one worker: its tasks, one after the other. Its
// fields may be changed between them.
type Request struct {
	ID string
	// Right is the one that the tasks are for; where empty, it follows from the action.
	Right dsar.Right
	// Details are what the request says beside its subject: corrections, purposes.
	Details event.Details
	// Holds are the datasets of which nothing may be erased.
	Holds []string
	// Plan is what an erasure and its proof go by: that of the last plan, an empty one where
	// nothing was planned. Nothing is erased without.
	Plan *dsar.Object

	t           T
	w           *worker.Worker
	vault       *Desk
	identifiers []worker.Identifier
	attempt     int
}

// NewRequest makes a request of a person, by identifiers as [Ask] takes them.
func NewRequest(t T, w *worker.Worker, identifiers ...string) *Request {
	helper(t)
	r := &Request{ID: uuid.NewString(), t: t, w: w, vault: newDesk(t)}
	for _, text := range identifiers {
		id, err := identifier(text, w.Manifest().Needs)
		if err != nil {
			t.Fatalf("workertest: %v", err)
		}
		r.identifiers = append(r.identifiers, id)
	}
	return r
}

// Ask asks for one action.
func (r *Request) Ask(action dsar.Action) Answer {
	helper(r.t)
	return r.Deliver(r.Task(action))[0]
}

// Task makes the message of a further task, for [Request.Deliver].
func (r *Request) Task(action dsar.Action) event.Event {
	helper(r.t)
	r.attempt++
	t := dsar.Task{RequestID: r.ID, System: r.w.System(), Action: action, Attempt: r.attempt, Right: r.Right, Jurisdiction: "EEA", ReceivedAt: time.Now().UTC(), Holds: r.Holds}
	if t.Right == "" {
		t.Right = rightOf(action)
	}
	if action == dsar.Erase || action == dsar.Prove {
		t.Plan = r.Plan
	}
	if action == dsar.Restrict {
		t.Purposes = r.Details.Purposes
	}
	return seal(r.t, r.vault, t, r.identifiers, r.Details)
}

// Deliver hands tasks of the request to the worker, together, and returns what became
// of each. The same task may be delivered twice.
func (r *Request) Deliver(tasks ...event.Event) []Answer {
	helper(r.t)
	out := make([]Answer, len(tasks))
	for i, e := range r.vault.Handle(context.Background(), r.w, tasks) {
		if e.Type != event.TypeReport {
			r.t.Fatalf("workertest: the answer to a task is a %q: %s", e.Type, e.Data)
		}
		a := &out[i]
		if err := json.Unmarshal(e.Data, &a.Report); err != nil {
			r.t.Fatalf("workertest: a report: %v", err)
		}
		r.open(a)
		if a.Action == dsar.Plan && a.Kind == dsar.ReportEnded {
			if len(a.Objects) > 0 {
				r.Plan = &a.Objects[0]
			} else {
				r.Plan = LeavePlan(r.t, r.vault, r.w.System(), r.ID)
			}
		}
	}
	return out
}

// open opens what a report has sealed, and what its task left in the vault.
func (r *Request) open(a *Answer) {
	helper(r.t)
	keys, err := r.vault.Keys(context.Background(), r.ID)
	if err != nil {
		r.t.Fatalf("workertest: %v", err)
	}
	for _, id := range a.Identifiers {
		value, err := keys.Open(id.Sealed, vault.Identifier)
		if err != nil {
			r.t.Fatalf("workertest: an identifier: %v", err)
		}
		a.Found = append(a.Found, worker.Identifier{Type: id.Type, Value: string(value), Assurance: id.Assurance})
	}
	if a.Underlying = strings.TrimSuffix(strings.TrimPrefix(Detail(r.vault, a.Report), "("), ")"); a.Action == dsar.Plan {
		a.Plan = plan(r.t, r.vault, a.Report)
		return
	}
	a.Records = left(r.t, r.vault, a.Report)
}

func rightOf(a dsar.Action) dsar.Right {
	switch a {
	case dsar.Rectify:
		return dsar.Rectification
	case dsar.Restrict:
		return dsar.Restriction
	case dsar.Plan, dsar.Erase, dsar.Prove:
		return dsar.Erasure
	default:
		return dsar.Access
	}
}

// identifier reads an identifier's text.
func identifier(text string, needs []dsar.IdentifierType) (worker.Identifier, error) {
	id := worker.Identifier{Value: text, Assurance: dsar.AssuranceVerified}
	typ, value, typed := strings.Cut(text, "=")
	switch {
	case typed && slices.Contains(needs, dsar.IdentifierType(typ)):
		id.Type, id.Value = dsar.IdentifierType(typ), value
	case strings.Contains(text, "@") && slices.Contains(needs, "email"):
		id.Type = "email"
	case strings.HasPrefix(text, "+") && slices.Contains(needs, "phone"):
		id.Type = "phone"
	case len(needs) == 1:
		id.Type = needs[0]
	default:
		return id, fmt.Errorf("which of %v is it? write the identifier as type=value", needs)
	}
	return id, nil
}

func helper(t T) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
}
