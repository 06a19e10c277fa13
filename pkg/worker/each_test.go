package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
)

// TestEachReportsEarly: of jobs that came together, each is reported when it ends, and
// a slow one holds nobody back.
func TestEachReportsEarly(t *testing.T) {
	t.Parallel()
	first := true
	var mu sync.Mutex
	work := func(context.Context, Task, *Records) error {
		mu.Lock()
		waits := first
		first = false
		mu.Unlock()
		if waits {
			<-time.After(time.Hour / 2)
		}
		return nil
	}
	inBubble(t, gatherFunc(work), nil, func(t *testing.T, _ *Worker, net *wire, v *desk, _ func() error) {
		for n := range 20 {
			net.send(taskMessage(t, v, n+1))
		}
		quiet()
		if acked, _, reports := net.state(); acked != 19 || len(reports) != 19 {
			t.Errorf("while one is slow: %d acked, %d reports", acked, len(reports))
		}
		<-time.After(time.Hour / 2)
		synctest.Wait()
		if acked, _, _ := net.state(); acked != 20 {
			t.Errorf("at the end: %d acked", acked)
		}
	})
}

// TestEachIsLearned: a worker that goes through Each isn't made to wait for a batch
// again.
func TestEachIsLearned(t *testing.T) {
	t.Parallel()
	inBubble(t, gatherFunc(writeOne), nil, func(t *testing.T, _ *Worker, net *wire, v *desk, _ func() error) {
		net.send(taskMessage(t, v, 1))
		quiet()
		net.send(taskMessage(t, v, 2))
		synctest.Wait() // no time passes
		if _, _, reports := net.state(); len(reports) != 2 {
			t.Errorf("%d reports", len(reports))
		}
	})
}

// TestEachKeepsTroubleApart: errors and panics are each job's own.
func TestEachKeepsTroubleApart(t *testing.T) {
	t.Parallel()
	jobs := []*ResolveJob{{}, {}, {}, {}}
	jobs[3].Err = errors.New("its own")
	err := Each(t.Context(), jobs, func(_ context.Context, j *ResolveJob) error {
		switch j {
		case jobs[0]:
			panic("oops")
		case jobs[1]:
			return errors.New("broken")
		case jobs[3]:
			return errors.New("another")
		}
		j.Found = []Found{{Value: "x"}}
		return nil
	})
	if err != nil || errorOf(jobs[0].Err).Code != "panic" || jobs[1].Err == nil || jobs[2].Err != nil || len(jobs[2].Found) != 1 || jobs[3].Err.Error() != "its own" {
		t.Errorf("%v; %v, %v, %v, %v", err, jobs[0].Err, jobs[1].Err, jobs[2].Err, jobs[3].Err)
	}
	if err := Each(t.Context(), []*ResolveJob(nil), nil); err != nil {
		t.Error(err)
	}
}

// TestMiddleware: it goes around every call, the first outermost; it sees what became
// of each job, and its error and its panic are the jobs'.
func TestMiddleware(t *testing.T) {
	t.Parallel()
	var said []string
	note := func(name string) Middleware {
		return func(next Call) Call {
			return func(ctx context.Context, jobs []*Job) error {
				said = append(said, name+" before "+string(jobs[0].Action))
				err := next(ctx, jobs)
				said = append(said, name+" after "+errorOf(jobs[0].Err).Code)
				return err
			}
		}
	}
	w, err := New(shopManifest(), gatherFunc(func(context.Context, Task, *Records) error { return Permanent("broken", "", nil) }), WithMiddleware(note("a"), note("b")))
	if err != nil {
		t.Fatal(err)
	}
	jobs := []*job{{link: link.NewKey(), task: dsar.Task{Action: dsar.Gather}, open: Task{Action: dsar.Gather}}}
	jobs[0].ability = w.ability(dsar.Gather)
	w.perform(t.Context(), jobs, func([]*job) {})
	if want := []string{"a before gather", "b before gather", "b after broken", "a after broken"}; !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
	refuse := func(Call) Call { return func(context.Context, []*Job) error { return Permanent("closed", "", nil) } }
	burst := func(Call) Call { return func(context.Context, []*Job) error { panic("middleware") } }
	for code, m := range map[string]Middleware{"closed": refuse, "panic": burst} {
		w, err := New(shopManifest(), gatherFunc(writeOne), WithMiddleware(m), WithPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))
		if err != nil {
			t.Fatal(err)
		}
		jobs := []*job{{link: link.NewKey(), task: dsar.Task{Action: dsar.Gather}, ability: w.ability(dsar.Gather)}}
		w.perform(t.Context(), jobs, func([]*job) {})
		if errorOf(jobs[0].err).Code != code {
			t.Errorf("%s: %v", code, jobs[0].err)
		}
	}
}

// TestLimit: no more calls run at once than it says, and one that is cut off while it
// waits ends.
func TestLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		running, most := 0, 0
		var mu sync.Mutex
		call := Limit(2)(func(context.Context, []*Job) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-time.After(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		})
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := call(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := call(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call that was cut off: %v", err)
		}
		all.Wait()
		if most != 2 {
			t.Errorf("%d calls at once", most)
		}
	})
}
