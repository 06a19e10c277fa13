package worker

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
)

// batcher makes batches of the messages that come in and has them worked on. It
// is one goroutine, so that it needs no lock; calls run on others.
type batcher struct {
	w     *Worker
	c     Config
	calls context.Context //nolint:containedctx // that of every call, which outlives the subscription
	out   *reporter
	quiet time.Duration

	queues [len(actions)]queue
	freed  chan *queue
	busy   int  // calls that are out
	ending bool // no more comes in: nothing waits any longer
}

// queue is what waits for one action's call.
type queue struct {
	call  *ability // nil where the manifest doesn't declare it
	out   int      // calls that are out
	jobs  []*job
	first time.Time // when the oldest of jobs came
	last  time.Time // when the youngest did
}

func newBatcher(w *Worker, c Config, calls context.Context, out *reporter) *batcher {
	b := &batcher{w: w, c: c, calls: calls, out: out, quiet: c.BatchWait / quietShare}
	places := 0
	for i := range b.queues {
		b.queues[i].call = w.can[i]
		places += max(w.concurrency, DefaultConcurrency, DefaultBatches)
	}
	// With room for all, so that a call that returns too late for anybody to
	// hear of it doesn't stay for ever.
	b.freed = make(chan *queue, places)
	return b
}

// run works until the channel is closed and every call has returned. It is true
// where some didn't in time.
func (b *batcher) run(ctx context.Context, in <-chan *message.Message) (hung bool) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var giveUp <-chan time.Time
	stopped := ctx.Done()
	for {
		if wait, ok := b.dispatch(time.Now()); ok {
			timer.Reset(wait)
		}
		if b.ending && b.busy == 0 {
			return false
		}
		select {
		case msg, ok := <-in:
			if !ok {
				in, b.ending = nil, true
				continue
			}
			b.add(msg)
		case q := <-b.freed:
			q.out--
			b.busy--
		case <-timer.C:
		case <-stopped:
			stopped, b.ending = nil, true // what waits is sent at once; no more is handed out
			giveUp = time.After(b.c.Drain + 2*drainSlack)
		case <-giveUp:
			return true
		}
		if b.ending && in != nil && b.busy == 0 && b.idle() {
			// The channel closes when all that was handed out is answered.
			for msg := range in {
				msg.Nack()
			}
			in = nil
		}
	}
}

func (b *batcher) idle() bool {
	for i := range b.queues {
		if len(b.queues[i].jobs) > 0 {
			return false
		}
	}
	return true
}

// add reads a message into its action's queue.
func (b *batcher) add(msg *message.Message) {
	b.w.metrics.inFlight(b.calls, 1)
	e, err := event.Decode(msg.Metadata, msg.Payload)
	if err != nil {
		e.Data = msg.Payload
	}
	j := b.w.takeIn(e, b.c.Link, place(msg), err)
	j.msg = msg
	if j.answer.Type != "" {
		b.out.put(parcel{jobs: []*job{j}})
		return
	}
	now := time.Now()
	q := b.queue(j.task.Action)
	if len(q.jobs) == 0 {
		q.first = now
	}
	q.last = now
	q.jobs = append(q.jobs, j)
}

func (b *batcher) queue(a dsar.Action) *queue {
	for i := range actions {
		if actions[i] == a {
			return &b.queues[i]
		}
	}
	return &b.queues[0] // decode lets no other action through
}

// dispatch starts what is due. ok tells that something waits, and wait for how
// long.
func (b *batcher) dispatch(now time.Time) (wait time.Duration, ok bool) {
	for i := range b.queues {
		q := &b.queues[i]
		size := b.c.BatchSize
		if q.call == nil || q.call.alone.Load() {
			size = 1
		}
		for len(q.jobs) > 0 && q.out < b.w.atOnce(q.call) {
			left := min(b.c.BatchWait-now.Sub(q.first), b.quiet-now.Sub(q.last))
			if len(q.jobs) < size && left > 0 && !b.ending {
				if !ok || left < wait {
					wait, ok = left, true
				}
				break
			}
			n := min(len(q.jobs), size)
			jobs := q.jobs[:n:n]
			if q.jobs = q.jobs[n:]; len(q.jobs) == 0 {
				q.jobs = nil
			}
			q.out++
			b.busy++
			go b.work(q, jobs)
		}
	}
	return wait, ok
}

// work has a batch worked on. A task whose message nobody waits for any more
// (its partition went to another member) is left to the other.
func (b *batcher) work(q *queue, jobs []*job) {
	defer func() { b.freed <- q }()
	var lost []*job
	ours := jobs[:0:len(jobs)]
	for _, j := range jobs {
		if j.msg.Context().Err() != nil {
			lost = append(lost, j)
		} else {
			ours = append(ours, j)
		}
	}
	if len(lost) > 0 {
		b.out.put(parcel{jobs: lost})
	}
	if len(ours) == 0 {
		return
	}
	stop := b.watch(ours)
	defer stop()
	b.w.work(b.calls, b.c.Access, ours, func(done []*job) {
		for _, j := range done {
			j.settled.Store(true)
		}
		b.out.put(parcel{jobs: done})
	})
}

// place returns where a message lies on the topic, for a person who wants to look
// at it.
func place(msg *message.Message) (p *bus.Position) {
	if at, ok := bus.PositionOf(msg.Context()); ok {
		return &at
	}
	return nil
}
