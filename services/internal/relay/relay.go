// Package relay carries the messages of the journal's queue to Kafka: those that the
// journal's facts have. The queue itself is believed in nothing.
//
// MUST hold, and this package's tests prove: messages of one request are
// published in the order in which they were appended; a message leaves the
// queue only after it was acknowledged, so that a crash at any point sends some
// twice and loses none; while the broker is down nothing is dropped and one line
// is logged, not one for every try.
//
// Several processes may each run a relay on the same journal. With PostgreSQL
// they share the work; with SQLite a second one merely sends duplicates.
package relay

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"habeas.dev/services/internal/journal"
)

const (
	// DefaultBatch is how many messages are published at once: about what a busy
	// journal appends while the batch before is being acknowledged.
	DefaultBatch = 1000
	// maxBatchBytes bounds a batch's payloads, which are in memory twice.
	maxBatchBytes = 8 << 20
	// publishTimeout bounds one batch, on top of whatever the publisher has: by
	// then another process may have this one's part of the queue.
	publishTimeout = journal.Silence * 3 / 4
	// firstRetry and lastRetry are the waits after the first failure and after many
	// in a row. The last is how late at most the relay notices that the broker is
	// back.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
	// stopGrace is how long the batch that is on its way may take after the relay
	// was told to stop. Cut off, it would be sent again after the restart.
	stopGrace = 5 * time.Second
)

// Publisher publishes messages to Kafka. It returns nil when every one was
// acknowledged; on an error any of them may have been stored, and all of them are
// published again. Messages of one key MUST stay in their order. It MUST NOT change
// a message, its headers included.
type Publisher interface {
	Publish(ctx context.Context, messages []journal.Message) error
}

// Config configures a [Relay].
type Config struct {
	Queue     journal.Queue
	Publisher Publisher
	Log       *slog.Logger // nil: nothing is logged
	// Batch is how many messages are published at once; 0: DefaultBatch.
	Batch int
	// Refused reports whether an error of the publisher means that a message can
	// never be published, as one that is too large. Such a message is found by
	// halving the batch, logged as an error and dropped, so that it holds nobody
	// up: to the rest of the system it is a message that Kafka lost. nil: none is.
	Refused func(error) bool
	// Confirm compares messages with the journal's facts; lifecycle.Lifecycle's does. It
	// puts them as they are to be carried, and returns why those are dropped that aren't. nil:
	// whatever stands in the queue is carried.
	Confirm func(ctx context.Context, queued []journal.Message) (why []error, err error)
	// Dropped is told of each message that Confirm doesn't have carried; nil: nobody is.
	Dropped func(ctx context.Context, m journal.Message, why error)
	// Tracers get a span for each task that is carried; nil: none.
	Tracers trace.TracerProvider
}

// Relay carries messages from the journal's queue to Kafka. Step and Run MUST NOT
// be called at the same time.
type Relay struct {
	cfg    Config
	tracer trace.Tracer // nil: nothing is traced

	sent, refused, dropped atomic.Int64
	failing                atomic.Bool
	since                  time.Time // of the first failure in a row
}

// New returns a relay.
func New(cfg Config) *Relay {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Batch <= 0 {
		cfg.Batch = DefaultBatch
	}
	r := &Relay{cfg: cfg}
	if _, nothing := cfg.Tracers.(noop.TracerProvider); cfg.Tracers != nil && !nothing {
		r.tracer = cfg.Tracers.Tracer("habeas.dev/services/internal/relay")
	}
	return r
}

// Stats counts what a relay did so far.
type Stats struct {
	Sent    int64 // messages that were acknowledged
	Refused int64 // messages that were dropped, since they can't be published
	Dropped int64 // messages that were dropped, since the journal's facts don't have them
	Failing bool  // the last step failed: for the health check
}

// Stats returns what the relay did so far. It may be called at any time.
func (r *Relay) Stats() Stats {
	return Stats{Sent: r.sent.Load(), Refused: r.refused.Load(), Dropped: r.dropped.Load(), Failing: r.failing.Load()}
}

// Step carries one batch: it reads messages, publishes them and removes them from
// the queue. It returns how many messages were carried; 0 without an error means
// that nothing was pending. It waits for nothing but the queue and the publisher,
// so that a simulation can interleave it with everything else.
func (r *Relay) Step(ctx context.Context) (n int, err error) {
	pending, err := r.cfg.Queue.Pending(ctx, r.cfg.Batch)
	if err != nil || len(pending) == 0 {
		return 0, err
	}
	pending = pending[:fitting(pending)]
	ids := make([]int64, len(pending))
	messages := make([]journal.Message, len(pending))
	for i, p := range pending {
		ids[i], messages[i] = p.ID, p.Message
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	messages, dropped, err := r.confirmed(ctx, messages)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = r.publish(ctx, messages)
	r.record(ctx, messages, began, err)
	if err != nil {
		return 0, &publishError{err}
	}
	for _, d := range dropped { // before they go: told twice at worst, and never not at all
		r.dropped.Add(1)
		if r.cfg.Dropped != nil {
			r.cfg.Dropped(ctx, d.Message, d.why)
		}
	}
	if err := r.cfg.Queue.Sent(ctx, ids); err != nil {
		return 0, err
	}
	return len(ids), nil
}

// fitting returns how many of the messages fit into one batch: at least one.
func fitting(pending []journal.PendingMessage) int {
	bytes := 0
	for i := range pending {
		if bytes += len(pending[i].Payload); bytes > maxBatchBytes {
			return max(i, 1)
		}
	}
	return len(pending)
}

// dropped is a message that isn't carried, and why.
type dropped struct {
	journal.Message
	why error
}

// confirmed returns those messages that follow from the journal's facts, as those have them,
// and the others.
func (r *Relay) confirmed(ctx context.Context, queued []journal.Message) (carried []journal.Message, others []dropped, err error) {
	if r.cfg.Confirm == nil {
		return queued, nil, nil
	}
	why, err := r.cfg.Confirm(ctx, queued)
	if err != nil {
		return nil, nil, err
	}
	for i, m := range queued {
		if why[i] == nil {
			carried = append(carried, m)
		} else {
			others = append(others, dropped{m, why[i]})
		}
	}
	return carried, others, nil
}

// publish publishes messages in order, and leaves out those that are refused.
func (r *Relay) publish(ctx context.Context, messages []journal.Message) error {
	if len(messages) == 0 {
		return nil
	}
	err := r.cfg.Publisher.Publish(ctx, messages)
	switch {
	case err == nil:
		r.sent.Add(int64(len(messages)))
		return nil
	case r.cfg.Refused == nil || !r.cfg.Refused(err):
		return err
	case len(messages) == 1:
		m := messages[0]
		r.refused.Add(1)
		r.cfg.Log.Error("relay: a message can't be published and is dropped",
			"topic", m.Topic, "request_id", m.Key, "bytes", len(m.Payload), "error", err)
		return nil
	}
	half := len(messages) / 2
	if err := r.publish(ctx, messages[:half]); err != nil {
		return err
	}
	return r.publish(ctx, messages[half:])
}

// publishError marks an error as the publisher's, not the queue's.
type publishError struct{ error }

func (e *publishError) Unwrap() error { return e.error }

// Summary returns what was being done.
func (e *publishError) Summary() string { return "publishing" }

// Run carries batches until ctx ends, and finishes the one that is on its way. It
// returns nil then, or journal.ErrClosed if the journal was closed before.
func (r *Relay) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(stopGrace, cancel) })
	defer stop()

	wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(firstRetry),
		backoff.WithMaxInterval(lastRetry), backoff.WithMaxElapsedTime(0)) // forever
	for ctx.Err() == nil {
		n, err := r.Step(work)
		if err == nil && n == 0 {
			err = r.cfg.Queue.Wait(ctx)
			if ctx.Err() != nil {
				break
			}
		}
		if errors.Is(err, journal.ErrClosed) {
			return err
		}
		r.note(err)
		if err == nil {
			wait.Reset()
			continue
		}
		pause(ctx, wait.NextBackOff())
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// note logs a change between working and failing. A step that found nothing pending
// is a good one too: what couldn't be published stays pending until it is, here or
// elsewhere.
func (r *Relay) note(err error) {
	var publishing *publishError
	switch failing := r.failing.Load(); {
	case err != nil && !failing:
		r.failing.Store(true)
		r.since = time.Now()
		if errors.As(err, &publishing) {
			r.cfg.Log.Error("relay: Kafka takes no messages; they wait in the journal", "error", err)
		} else {
			r.cfg.Log.Error("relay: the queue can't be read; messages wait in the journal", "error", err)
		}
	case err == nil && failing:
		r.failing.Store(false)
		r.cfg.Log.Info("relay: messages are carried again", "after", time.Since(r.since).Round(time.Millisecond))
	}
}
