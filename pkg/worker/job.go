package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"go.opentelemetry.io/otel/trace"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
)

// job is one task on its way through a worker.
type job struct {
	event event.Event // as it came
	task  dsar.Task
	keys  *vault.Keys // nil where they couldn't be had
	vault *vault.Vault
	open  Task // what the implementation sees
	// changes are the corrections that concern this system, with rectify.
	changes []Change
	began   time.Time
	span    trace.Span // nil where nothing is traced

	// plan is what an erasure or its proof goes by.
	plan *Plan

	// The last try: what the implementation was given, and what it gave.
	given   any
	pub     *Job // given's
	taken   bool
	out     *Records
	planned *PlanWriter
	// assembled is the answer.
	assembled dsar.Object
	found     []Found
	counts    []dsar.Counts
	notes     []string
	err       error

	// ability is the action's, early settles a job before its call is over, and
	// settled tells that it did.
	ability *ability
	early   func(*job)
	done    atomic.Bool
	most    int // calls at once

	// end is set where the task ends without a call.
	end dsar.Outcome
	// code and reason explain end.
	code, reason string

	answer event.Event // zero until settled, and where there is none to give

	// With Kafka.
	msg     *message.Message
	settled atomic.Bool             // progress is no longer reported
	live    atomic.Pointer[Records] // out, for whoever reports progress
}

// errRejected says that a message is no task of this worker's. Its text names
// no content.
type errRejected struct{ code, reason string }

func (e *errRejected) Error() string { return e.reason }

// decode reads the task of an event. Its error is an errRejected.
func (w *Worker) decode(e event.Event) (dsar.Task, error) {
	var t dsar.Task
	if e.Type != event.TypeTask {
		return t, &errRejected{"unknown-type", "not a " + event.TypeTask}
	}
	if err := json.Unmarshal(e.Data, &t); err != nil {
		// The decoder's text may quote the data.
		return t, &errRejected{"not-json", "the data is not a task in JSON"}
	}
	switch {
	case t.RequestID == "" || t.RequestID != e.Subject && e.Subject != "":
		return t, &errRejected{"invalid", "the task's request_id is missing or not the event's subject"}
	case t.System != w.system:
		return t, &errRejected{"wrong-system", "the task is for another system than " + w.system}
	case t.Attempt < 1:
		return t, &errRejected{"invalid", "the task's attempt is not positive"}
	case !slices.Contains(actions[:], t.Action):
		return t, &errRejected{"invalid", "the task's action is not one that a system can take"}
	}
	return t, nil
}

// goesAlone notes that the job's method goes through [Each].
func (j *job) goesAlone() {
	if j != nil {
		j.ability.alone.Store(true)
	}
}

// bind has what the implementation writes to end with the call.
func (j *job) bind(ctx context.Context) {
	if j.out != nil {
		j.out.ctx = ctx
	}
	if j.planned != nil {
		j.planned.ctx = ctx
	}
}

// atOnce returns how many jobs of one call may run at once.
func (j *job) atOnce() int { return j.most }

// settleEarly settles a job while its call goes on for others.
func (j *job) settleEarly() {
	if j != nil {
		j.early(j)
	}
}

// ability returns the ability that an action takes; nil where there is none.
func (w *Worker) ability(a dsar.Action) *ability {
	if i := slices.Index(actions[:], a); i >= 0 {
		return w.can[i]
	}
	return nil
}

// prepare opens what the task has sealed. It leaves in the job an error, or the
// end of a task that needs no call.
func (w *Worker) prepare(ctx context.Context, v *vault.Vault, j *job) {
	j.vault = v
	if j.ability = w.ability(j.task.Action); j.ability == nil {
		j.err = Permanent("no-ability", "this system's worker has no ability to "+string(j.task.Action), nil)
		return
	}
	if j.task.Action == dsar.Assemble {
		// What is wrong with the keys is for the assembler to say.
		j.keys, _ = v.Keys(ctx, j.task.RequestID)
		j.open = w.opened(j.task)
		return
	}
	keys, err := v.Keys(ctx, j.task.RequestID)
	switch {
	case errors.Is(err, vault.ErrShredded):
		j.err = Permanent("shredded", "the request's keys are destroyed: nothing of it can be read any more", nil)
		return
	case err != nil:
		j.err = Transient("vault", "the request's keys could not be read from the vault", err)
		return
	}
	j.keys = keys
	j.open = w.opened(j.task)
	for _, id := range j.task.Identifiers {
		// A resolve goes on from what the system itself found.
		if !slices.Contains(w.needs, id.Type) && (j.task.Action != dsar.Resolve || !slices.Contains(w.finds, id.Type)) {
			continue
		}
		plain, err := keys.Open(id.Sealed, vault.Identifier)
		if err != nil {
			j.err = Permanent("unreadable-identifier", "an identifier can't be opened with the request's key", err)
			return
		}
		j.open.Identifiers = append(j.open.Identifiers, Identifier{Type: id.Type, Value: string(plain), Assurance: id.Assurance})
	}
	if len(j.open.Identifiers) == 0 {
		j.end, j.code, j.reason = dsar.NotApplicable, "no-identifier", "none of the identifiers that it can be asked by is known"
		return
	}
	if j.task.ByKeys && (j.task.Action == dsar.Erase || j.task.Action == dsar.Prove) {
		j.open.ByKeys, j.open.Owner, j.open.Identifiers = true, j.open.Identifiers, nil
	}
	w.prepareDetails(j)
	if j.err == nil && (j.task.Action == dsar.Erase || j.task.Action == dsar.Prove) {
		j.plan, j.err = w.openPlan(ctx, j)
	}
}

// opened returns what the implementation sees of a task beside what is sealed.
func (w *Worker) opened(t dsar.Task) Task {
	return Task{RequestID: t.RequestID, Action: t.Action, Right: t.Right, Jurisdiction: t.Jurisdiction, Attempt: t.Attempt, Holds: t.Holds}
}

func (w *Worker) prepareDetails(j *job) {
	if len(j.task.Details) == 0 {
		if j.task.Action == dsar.Rectify {
			j.err = Permanent("no-correction", "the request names no corrected field", nil)
		}
		return
	}
	plain, err := j.keys.Open(j.task.Details, vault.RequestDetails)
	if err != nil {
		j.err = Permanent("unreadable-details", "the request's details can't be opened with its key", err)
		return
	}
	var d event.Details
	if err := json.Unmarshal(plain, &d); err != nil {
		j.err = Permanent("unreadable-details", "the request's details are not what they should be", err)
		return
	}
	j.open.Purposes, j.open.Lift = d.Purposes, d.Lift && j.task.Action == dsar.Restrict
	if j.open.Lift && !w.lifts {
		j.err = Permanent("no-lift", "this system's worker can't undo what it restricted; a person must", nil)
		return
	}
	if j.task.Action != dsar.Rectify {
		return
	}
	if j.changes = w.changes(d.Corrections); len(j.changes) == 0 {
		j.end, j.code, j.reason = dsar.NotApplicable, "no-correction", "none of the corrected fields is held here"
	}
}

// changes returns the corrections that concern this system: a correction without a
// dataset is meant for every dataset that has the column.
func (w *Worker) changes(corrections []event.Correction) []Change {
	var out []Change
	for _, c := range corrections {
		if c.System != "" && c.System != w.system {
			continue
		}
		for _, d := range w.order {
			if _, has := d.columns[c.Column]; has && (c.Dataset == "" || c.Dataset == d.section.Dataset) {
				out = append(out, Change{Dataset: d.section.Dataset, Column: c.Column, Value: c.Value})
			}
		}
	}
	return out
}

// fingerprint returns the fingerprint of the identifier that another was found by:
// the subject's only one where the worker didn't say.
func (j *job) fingerprint(id Identifier) string {
	if id.Value == "" && len(j.open.Identifiers) == 1 {
		id = j.open.Identifiers[0]
	}
	if id.Value == "" {
		return ""
	}
	return j.vault.Fingerprint(id.Type, id.Value)
}

// seal returns what a resolve found, sealed, each once, without what the task knew.
func (j *job) seal() ([]dsar.Identifier, error) {
	out := make([]dsar.Identifier, 0, len(j.found))
	seen := make(map[string]struct{}, len(j.found)+len(j.task.Identifiers))
	for _, id := range j.task.Identifiers {
		seen[id.Fingerprint] = struct{}{}
	}
	for _, f := range j.found {
		fp := j.vault.Fingerprint(f.Type, f.Value)
		if _, known := seen[fp]; known {
			continue
		}
		seen[fp] = struct{}{}
		sealed, err := j.keys.Seal([]byte(f.Value), vault.Identifier)
		if err != nil {
			return nil, fmt.Errorf("worker: seal an identifier: %w", err)
		}
		out = append(out, dsar.Identifier{Type: f.Type, Fingerprint: fp, Sealed: sealed, Assurance: dsar.AssuranceFound, From: j.fingerprint(f.From)})
	}
	return out, nil
}
