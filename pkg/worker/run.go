package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
)

// ErrHung says that calls of the implementation didn't return though their
// context was over. Their tasks come again elsewhere.
var ErrHung = telemetry.Constant("worker: calls did not return after their context was over")

// Run takes the system's tasks from Kafka until the context is over or [Worker.Stop]
// is called, then lets the calls that are under way end, for at most
// Config.Drain, and returns nil. A worker runs once.
//
// A task's message is acknowledged only after its report is in Kafka: a worker
// that dies at any point is sent the task again. What can't be read goes to
// dsar.rejected. A call that takes longer than ten seconds is reported as in
// progress, which renews its lease.
//
// Tasks are read from the subscriber directly and not through watermill's
// Router: that starts a goroutine and walks a chain of middleware for each
// message, and hands them on one by one, where batches are the point here. What
// its middleware would give is in [Worker.Handle] already, and so is part of
// what a simulation tests: recovery from panics, retries, rejection, tracing.
func (w *Worker) Run(ctx context.Context, c Config) error {
	if err := c.defaults(w.system); err != nil {
		return err
	}
	link := c.Connection
	if link == nil {
		var err error
		if link, err = Connect(c.Kafka, w.log); err != nil {
			return err
		}
		defer func() { _ = link.Close() }() // the reporter has been told what was lost
	}
	sub, err := bus.NewSubscriber(bus.SubscriberConfig{
		Config: link.config, Group: c.Group, Logger: link.log,
		InFlight: max(inFlight, 2*c.BatchSize), DrainTimeout: c.Drain + drainSlack,
		HandleLimit: w.timeout + handleSlack, Meters: w.meters,
	})
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	w.life.Lock()
	w.watch = sub.Check
	w.life.Unlock()
	return w.run(ctx, c, sub, link.publisher)
}

// Check returns an error when the worker makes no progress, for a health check. Its
// error is one of bus.Subscriber's Check: it names the partition that doesn't get
// on, for how long, and how. Before Run it is nil.
func (w *Worker) Check(ctx context.Context) error {
	w.life.Lock()
	watch := w.watch
	w.life.Unlock()
	if watch == nil {
		return nil
	}
	return watch(ctx)
}

// Stop has Run end and waits until it has. It may be called more than once, by
// many, and before Run, which then returns at once (TestStopTwice). It MUST NOT
// be called by the implementation in a call.
func (w *Worker) Stop() {
	w.life.Lock()
	w.over = true
	stop, done := w.stop, w.done
	w.life.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

// begin marks the worker as running, until end is called.
func (w *Worker) begin(ctx context.Context) (_ context.Context, end func(), err error) {
	w.life.Lock()
	defer w.life.Unlock()
	if w.stop != nil {
		return nil, nil, errors.New("worker: " + w.system + " was run already")
	}
	ctx, cancel := context.WithCancel(ctx)
	w.stop, w.done = cancel, make(chan struct{})
	if w.over {
		cancel()
	}
	return ctx, func() { cancel(); close(w.done) }, nil
}

// run does what Run does, on any transport.
func (w *Worker) run(ctx context.Context, c Config, sub message.Subscriber, pub message.Publisher) error {
	ctx, end, err := w.begin(ctx)
	if err != nil {
		return errors.Join(err, sub.Close())
	}
	defer end()
	if ctx.Err() != nil {
		return sub.Close()
	}
	in, err := sub.Subscribe(ctx, event.TopicTasks(w.system))
	if err != nil {
		return errors.Join(fmt.Errorf("worker: %w", err), sub.Close())
	}
	// Calls go on after the stop, and are cut off after the drain.
	calls, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() {
		drain := time.NewTimer(c.Drain)
		defer drain.Stop()
		select {
		case <-drain.C:
			cut()
		case <-calls.Done():
		}
	})()

	w.log.InfoContext(ctx, "worker started", "system", w.system, "group", c.Group)
	out := newReporter(w, pub)
	b := newBatcher(w, c, calls, out)
	var publishing sync.WaitGroup
	publishing.Go(out.run)
	hung := b.run(ctx, in)
	if !hung {
		out.close()
		publishing.Wait()
	}
	closed := sub.Close()
	switch {
	case hung:
		return ErrHung
	case closed != nil:
		return fmt.Errorf("worker: %w", closed)
	case ctx.Err() == nil:
		return errors.New("worker: the subscription ended")
	}
	w.log.LogAttrs(ctx, slog.LevelInfo, "worker stopped", slog.String("system", w.system))
	return nil
}
