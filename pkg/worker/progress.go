package worker

import (
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
)

// progressAfter is how long a task takes before it is reported as in progress.
// It is below any sensible lease, and above what nearly all tasks take.
const progressAfter = 10 * time.Second

// watch reports jobs as in progress until they are settled or stop is called:
// first after progressAfter, then at doubling distances, up to a third of the
// lease, so that two reports may get lost.
func (b *batcher) watch(jobs []*job) (stop func()) {
	most := b.w.lease / 3
	every := min(progressAfter, most)
	var mu sync.Mutex // AfterFunc may run once more while stop is called
	over, n := false, 0
	var timer *time.Timer
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(every, func() {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return
		}
		n++
		b.out.offer(parcel{progress: b.w.progress(jobs, n)})
		every = min(2*every, most)
		timer.Reset(every)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		timer.Stop()
	}
}

// progress says of the jobs that aren't settled how far they are.
func (w *Worker) progress(jobs []*job, n int) []event.Event {
	var out []event.Event
	for _, j := range jobs {
		if j.settled.Load() {
			continue
		}
		r := dsar.Report{RequestID: j.task.RequestID, System: w.system, Action: j.task.Action, Attempt: j.task.Attempt, Kind: dsar.ReportProgress}
		if live := j.live.Load(); live != nil {
			r.Records = live.written.Load()
		}
		if e, err := w.reportEvent(j, r, n); err == nil { // else the lease runs out
			out = append(out, e)
		}
	}
	return out
}
