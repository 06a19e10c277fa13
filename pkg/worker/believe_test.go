package worker_test

import (
	"context"
	"sync/atomic"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/worker"
)

// TestOldBytesDoNothing: what changes something is begun once by the same bytes, in this
// process or in another; a further attempt is begun once more, and what changes nothing is
// done as often as it comes.
func TestOldBytesDoNothing(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var calls atomic.Int32
	did := func(context.Context, worker.Task) ([]dsar.Counts, error) { calls.Add(1); return nil, nil }
	i := impl{erase: did, plan: did, restrict: did,
		rectify: func(ctx context.Context, tk worker.Task, _ []worker.Change) ([]dsar.Counts, error) {
			return did(ctx, tk)
		}}
	for _, a := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove, dsar.Rectify, dsar.Restrict} {
		calls.Store(0)
		details := func(tk *dsar.Task) {
			tk.Right = dsar.Restriction
			tk.Details = details(t, v, anna, event.Details{Corrections: []event.Correction{{Column: "city", Value: "Lyon"}}})
		}
		first := task(t, v, anna, a, details)
		for _, e := range []event.Event{first, first, first} {
			handle(t, newWorker(t, shop(), i), v, e) // each time as another process
		}
		want := int32(3)
		if a.Destructive() {
			want = 1
		}
		if calls.Load() != want {
			t.Errorf("%s was begun %d times by the same bytes, want %d", a, calls.Load(), want)
		}
		if r := handle(t, newWorker(t, shop(), i), v, first)[0]; a.Destructive() && (r.Kind != dsar.ReportParked || r.Code != worker.CodeBegunBefore) {
			t.Errorf("%s: %+v", a, r)
		}
		calls.Store(0)
		if r := handle(t, newWorker(t, shop(), i), v, task(t, v, anna, a, details, func(tk *dsar.Task) { tk.Attempt = 2 }))[0]; r.Kind != dsar.ReportEnded || calls.Load() != 1 {
			t.Errorf("a further attempt of %s: %+v", a, r)
		}
	}
}

// TestStrangersTasks: what another key has sealed, and what none has, is rejected, whatever
// it asks for, and nothing is done.
func TestStrangersTasks(t *testing.T) {
	t.Parallel()
	v, stranger := newVault(t), newVault(t)
	called := false
	w := newWorker(t, gatherOnly(), impl{gather: func(context.Context, worker.Task, *worker.Records) error { called = true; return nil }})
	e := task(t, stranger, anna, dsar.Gather)
	sealed, err := stranger.Send(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]event.Event{"of a stranger's key": sealed, "unsealed": e} {
		if a := w.Handle(t.Context(), v.Access("shop"), []event.Event{e})[0]; a.Type != event.TypeRejected || called {
			t.Errorf("%s: %s %s, called %v", name, a.Type, a.Data, called)
		}
	}
}
