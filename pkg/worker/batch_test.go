package worker_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

func TestBatch(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var sizes []int
	w := newWorker(t, gatherOnly(), batch(func(_ context.Context, jobs []*worker.GatherJob) error {
		sizes = append(sizes, len(jobs))
		for _, j := range jobs {
			if j.RequestID == bob {
				j.Err = worker.Permanent("locked", "", nil)
				continue
			}
			if err := j.Records.Write("profile", record.Record{"email": email(j.Task)}); err != nil {
				return err
			}
		}
		return nil
	}))
	rs := handle(t, w, v, task(t, v, anna, dsar.Gather), task(t, v, bob, dsar.Gather), task(t, v, charlie, dsar.Gather))
	if !slices.Equal(sizes, []int{3}) {
		t.Errorf("batches of %v", sizes)
	}
	if rs[0].Outcome != dsar.Gathered || rs[1].Code != "locked" || rs[2].Outcome != dsar.Gathered {
		t.Errorf("reports %+v", rs)
	}
	if err := errors.Join(contains(object(t, v, rs[0]), address(anna)), contains(object(t, v, rs[2]), address(charlie))); err != nil {
		t.Error(err)
	}
}

// TestBatchRetriesOnlyWhatFailed: jobs that have succeeded aren't done again
// because another one failed.
func TestBatchRetriesOnlyWhatFailed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var calls [][]string
	w := newWorker(t, gatherOnly(), batch(func(_ context.Context, jobs []*worker.GatherJob) error {
		var ids []string
		for _, j := range jobs {
			ids = append(ids, j.RequestID)
			if j.RequestID == bob {
				j.Err = errVendor
			} else if len(calls) == 1 && j.RequestID == charlie {
				j.Err = errVendor
			}
		}
		calls = append(calls, ids)
		return nil
	}))
	rs := handle(t, w, v, task(t, v, anna, dsar.Gather), task(t, v, bob, dsar.Gather), task(t, v, charlie, dsar.Gather))
	if want := [][]string{{anna, bob, charlie}, {bob}, {bob}}; !reflect.DeepEqual(calls, want) {
		t.Errorf("calls %v", calls)
	}
	if rs[1].Kind != dsar.ReportParked || rs[0].Kind != dsar.ReportEnded || rs[2].Kind != dsar.ReportEnded {
		t.Errorf("reports %+v", rs)
	}
}

// TestBatchPanicHitsOneJob: after a panic each job gets its own call.
func TestBatchPanicHitsOneJob(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), batch(func(_ context.Context, jobs []*worker.GatherJob) error {
		for _, j := range jobs {
			if j.RequestID == bob {
				panic("bob")
			}
			_ = j.Records.Write("scores", record.Record{"score": 1})
		}
		return nil
	}))
	rs := handle(t, w, v, task(t, v, anna, dsar.Gather), task(t, v, bob, dsar.Gather), task(t, v, charlie, dsar.Gather))
	if rs[0].Outcome != dsar.Gathered || rs[1].Code != "panic" || rs[2].Outcome != dsar.Gathered || rs[2].Objects[0].Records != 1 {
		t.Errorf("reports %+v", rs)
	}
}

// TestOnePersonsRowFailsNobodyElse: what fails a call for good, as one person's row does, is
// that person's alone: each other gets their own call, and is done.
func TestOnePersonsRowFailsNobodyElse(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var calls [][]string
	w := newWorker(t, gatherOnly(), batch(func(_ context.Context, jobs []*worker.GatherJob) error {
		var ids []string
		for _, j := range jobs {
			ids = append(ids, j.RequestID)
		}
		calls = append(calls, ids)
		for _, j := range jobs {
			if j.RequestID == charlie {
				j.Err = worker.Permanent("own", "", nil)
			}
		}
		for _, j := range jobs {
			if j.RequestID == bob {
				return worker.Permanent("no-key", "a row has no value in its key's column", nil)
			}
			if j.Err == nil {
				_ = j.Records.Write("scores", record.Record{"score": 1})
			}
		}
		return nil
	}))
	rs := handle(t, w, v, task(t, v, anna, dsar.Gather), task(t, v, bob, dsar.Gather), task(t, v, charlie, dsar.Gather))
	if rs[0].Outcome != dsar.Gathered || rs[0].Objects[0].Records != 1 || rs[1].Kind != dsar.ReportFailed || rs[1].Code != "no-key" || rs[2].Code != "own" {
		t.Errorf("reports %+v", rs)
	}
	if want := [][]string{{anna, bob, charlie}, {anna}, {bob}}; !reflect.DeepEqual(calls, want) {
		t.Errorf("calls %v, want %v", calls, want)
	}
}

func TestBatchErrorHitsAll(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), batch(func(_ context.Context, jobs []*worker.GatherJob) error {
		jobs[0].Err = worker.Permanent("own", "", nil)
		return worker.RetryAfter(time.Hour, "all", "", nil)
	}))
	rs := handle(t, w, v, task(t, v, anna, dsar.Gather), task(t, v, bob, dsar.Gather))
	if rs[0].Code != "own" || rs[1].Code != "all" || rs[1].Kind != dsar.ReportParked {
		t.Errorf("reports %+v", rs)
	}
}

func TestOneAtATimeIsBounded(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var mu sync.Mutex
	running, most := 0, 0
	full := make(chan struct{})
	w := newWorker(t, gatherOnly(), impl{gather: func(context.Context, worker.Task, *worker.Records) error {
		mu.Lock()
		running++
		most = max(most, running)
		if running == 3 {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-full
		mu.Lock()
		running--
		mu.Unlock()
		return nil
	}}, worker.WithConcurrency(3))
	var tasks []event.Event
	for n := range 20 {
		tasks = append(tasks, task(t, v, anna, dsar.Gather, func(tk *dsar.Task) { tk.Attempt = n + 1 }))
	}
	handle(t, w, v, tasks...)
	if most != 3 {
		t.Errorf("%d calls at once", most)
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := worker.New(shop(), struct{ worker.Gatherer }{}); err == nil || !strings.Contains(err.Error(), "resolve") || !strings.Contains(err.Error(), "implement worker.Resolver") {
		t.Errorf("error %v", err)
	}
	if _, err := worker.New(nil, impl{}); err == nil {
		t.Error("no error without a manifest")
	}
	if _, err := worker.New(gatherOnly(), struct{ worker.Gatherer }{}); err != nil {
		t.Error(err)
	}
}
