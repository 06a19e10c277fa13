// Package group commits concurrent appends together: many callers each append
// one thing, one goroutine writes what has come up in the meantime as one
// transaction, and every caller gets a verdict of its own.
package group

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"habeas.dev/services/internal/journal"
)

const (
	// MaxAppends bounds a group. A larger one saves nothing more (the commit's
	// fixed cost is spread far enough) and makes the first caller wait longer.
	MaxAppends = 256
	// MaxBytes bounds a group's content: four of the largest appends.
	MaxBytes = 4 * journal.MaxBytes
	// MaxQueue bounds how many appends wait for the writer. Callers beyond it
	// wait outside, where their context can end them.
	MaxQueue = 4096
)

// Call is one append that waits for the writer.
type Call struct {
	Append *journal.Append
	// Messages holds the append's messages, encoded by the caller's goroutine;
	// empty where there are none.
	Messages []byte
	// Err is the append's result, set by the commit function.
	Err error

	size  int
	state atomic.Int32
	done  chan struct{}
}

// The states of a call: who comes first decides, the writer that takes it or
// the caller that gives up.
const (
	queued int32 = iota
	taken
	withdrawn
)

// Writer commits appends in groups: one goroutine takes whatever calls wait, and
// commits them together.
type Writer struct {
	commit func(group []*Call)
	slots  chan struct{} // a token for every call that waits
	wake   chan struct{}
	ended  chan struct{}

	mu      sync.Mutex
	waiting []*Call
	closed  bool
	kickAt  time.Time
}

// New starts a writer that commits groups with commit. commit is called by one
// goroutine at a time with 1 to [MaxAppends] calls in the order in which they came,
// and sets each call's Err. It is called with none where [Writer.Kick] asked for
// it.
func New(commit func(group []*Call)) *Writer {
	w := &Writer{
		commit: commit,
		slots:  make(chan struct{}, MaxQueue),
		wake:   make(chan struct{}, 1),
		ended:  make(chan struct{}),
	}
	go w.run()
	return w
}

// Append checks an append, queues it and waits until it is committed or refused. If
// ctx ends before the writer has taken it, it is not written and ctx's error
// returned; after that the verdict is waited for, so that the caller knows.
func (w *Writer) Append(ctx context.Context, a *journal.Append) error {
	size, err := journal.Check(a)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &Call{Append: a, size: size, done: make(chan struct{})}
	if len(a.Messages) > 0 {
		// A header's and a name's lengths take a few bytes more than size counts.
		c.Messages = journal.EncodeMessages(make([]byte, 0, size+size/8+64), a.Messages)
	}
	select {
	case w.slots <- struct{}{}:
	default:
		select {
		case w.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		case <-w.ended:
			return journal.ErrClosed
		}
	}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		<-w.slots
		return journal.ErrClosed
	}
	w.waiting = append(w.waiting, c)
	w.mu.Unlock()
	w.signal()

	select {
	case <-c.done:
		return c.Err
	case <-ctx.Done():
		if c.state.CompareAndSwap(queued, withdrawn) {
			return ctx.Err()
		}
		<-c.done
		return c.Err
	}
}

// Kick makes the writer call commit within the given time, with whatever is queued,
// or nothing.
func (w *Writer) Kick(within time.Duration) {
	at := time.Now().Add(within)
	w.mu.Lock()
	sooner := w.kickAt.IsZero() || at.Before(w.kickAt)
	if sooner {
		w.kickAt = at
	}
	w.mu.Unlock()
	if sooner {
		w.signal()
	}
}

// Close refuses further calls, commits those that are queued, and returns when the
// writer has ended. commit is called once more at the end, maybe with no call, so
// that it can write what it holds back.
func (w *Writer) Close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
	<-w.ended
}

func (w *Writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Writer) run() {
	defer close(w.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	group := make([]*Call, 0, MaxAppends)
	for {
		group = group[:0]
		more, due, closed := w.take(&group)
		if len(group) > 0 || due {
			w.commit(group)
			for i, c := range group {
				close(c.done)
				group[i] = nil
			}
			continue
		}
		if closed && !more {
			w.commit(nil)
			return
		}
		if more { // all that was taken had been withdrawn
			continue
		}
		w.wait(timer)
	}
}

// take moves calls of those that wait to a group. due tells that a kick's time has
// come (it is then done with).
func (w *Writer) take(group *[]*Call) (more, due, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, size := 0, 0
	for _, c := range w.waiting {
		if len(*group) > 0 && (len(*group) == MaxAppends || size+c.size > MaxBytes) {
			break
		}
		n++
		if c.state.CompareAndSwap(queued, taken) {
			*group = append(*group, c)
			size += c.size
		}
	}
	rest := copy(w.waiting, w.waiting[n:])
	clear(w.waiting[rest:])
	w.waiting = w.waiting[:rest]
	for range n {
		<-w.slots
	}
	if !w.kickAt.IsZero() && (len(*group) > 0 || !time.Now().Before(w.kickAt)) {
		w.kickAt = time.Time{}
		due = true
	}
	return rest > 0, due, w.closed
}

func (w *Writer) wait(timer *time.Timer) {
	w.mu.Lock()
	kick := w.kickAt
	w.mu.Unlock()
	if kick.IsZero() {
		<-w.wake
		return
	}
	timer.Reset(time.Until(kick))
	select {
	case <-w.wake:
	case <-timer.C:
	}
	timer.Stop()
}
