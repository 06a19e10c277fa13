package workertest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
)

// Desk plays the coordinator to workers, in memory: it has a vault, and a link to each. Its
// tasks don't expire.
type Desk struct {
	*vault.Vault
	keys link.Memory
	hub  *link.Hub
}

// NewDesk returns a desk, for the time of a test.
func NewDesk(t testing.TB) *Desk {
	t.Helper()
	d := newDesk(t)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// newDesk makes a desk that needs no closing.
func newDesk(t T) *Desk {
	helper(t)
	v, err := vault.InMemory(context.Background())
	if err != nil {
		t.Fatalf("workertest: %v", err)
	}
	d := &Desk{Vault: v}
	d.hub = link.NewHub(v, &d.keys, func() time.Time { return time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC) })
	return d
}

// Access returns what a system's worker has of its own.
func (d *Desk) Access(system string) worker.Access {
	key, _ := d.keys.Key(system) // it makes one
	return worker.Access{Link: key, Objects: d.Objects}
}

// Send seals a task that [Seal] made, as its worker is sent it.
func (d *Desk) Send(ctx context.Context, task event.Event) (event.Event, error) {
	var err error
	task.Data, err = d.hub.SealTask(ctx, task.Data)
	return task, err
}

// Read opens what a worker answered, as the coordinator reads it: a report is then a
// dsar.Report in JSON, with the worker's words, which the coordinator keeps sealed. What is
// no report stays as it is.
func (d *Desk) Read(ctx context.Context, answer event.Event) (event.Event, error) {
	if answer.Type != event.TypeReport {
		return answer, nil
	}
	e, err := link.Parse(answer.Data)
	if err != nil {
		return answer, err
	}
	r, err := d.hub.OpenReport(ctx, e)
	if err != nil {
		return answer, err
	}
	if err := d.restore(ctx, &r); err != nil {
		return answer, err
	}
	answer.Data, err = json.Marshal(r)
	return answer, err
}

// restore puts a worker's words back to where it said them, which the coordinator leaves
// sealed: a test of the worker looks at them. The underlying error stays sealed.
func (d *Desk) restore(ctx context.Context, r *dsar.Report) error {
	if len(r.Detail) == 0 {
		return nil
	}
	keys, err := d.Keys(ctx, r.RequestID)
	if err != nil {
		return err
	}
	w, err := link.OpenWords(keys, r.Detail)
	if err != nil {
		return err
	}
	r.Reason, r.Notes, r.Detail = w.Reason, w.Notes, nil
	for i := range r.Counts {
		if said := w.Uncovered[r.Counts[i].Dataset]; said != "" {
			r.Counts[i].Uncovered = said
		}
	}
	if w.Error != "" {
		r.Detail, err = keys.Seal([]byte(w.Error), vault.ReportDetail)
	}
	return err
}

// Handle sends tasks that [Seal] made to a worker, and reads its answers. A task that is
// none is handed in as it is.
func (d *Desk) Handle(ctx context.Context, w *worker.Worker, tasks []event.Event) []event.Event {
	sent := make([]event.Event, len(tasks))
	for i, task := range tasks {
		var err error
		if sent[i], err = d.Send(context.WithoutCancel(ctx), task); err != nil {
			sent[i] = task
		}
	}
	answers := w.Handle(ctx, d.Access(w.System()), sent)
	for i := range answers {
		if read, err := d.Read(context.WithoutCancel(ctx), answers[i]); err == nil {
			answers[i] = read
		}
	}
	return answers
}
