package aggregator

import (
	"context"
	"errors"
	"fmt"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/transport"
)

// Sender puts one event on a topic and returns when it is there;
// transport.Carrier does.
type Sender interface {
	Send(ctx context.Context, topic string, e event.Event) error
}

// atOnce is how many bundles are written at the same time. It bounds the memory
// (under one MiB each, see services/internal/bundle) and is enough to keep the processors busy
// while others wait for the disk or the broker.
const atOnce = 32

// Run takes the aggregator's tasks until the context is over, and then returns
// when the last one is answered. A task's message is acknowledged after its
// report is in Kafka. What is no task goes to dsar.rejected.
func (a *Aggregator) Run(ctx context.Context, s transport.Subscriber, out Sender) error {
	places := make(chan struct{}, atOnce)
	return transport.Loop(ctx, s, event.TopicTasks(dsar.Aggregator), a.log, func(ctx context.Context, m transport.Received) error {
		e, err := event.Decode(m.Headers, m.Payload)
		if err != nil {
			return out.Send(ctx, event.TopicRejected, a.rejected(m, err))
		}
		report, err := a.handle(ctx, e, places)
		switch {
		case errors.Is(err, ErrNotATask):
			return out.Send(ctx, event.TopicRejected, a.rejected(m, err))
		case err != nil:
			return err
		}
		return out.Send(ctx, event.TopicReports, report)
	})
}

// handle is Handle with a place taken: while it waits for the broker, another
// bundle has it.
func (a *Aggregator) handle(ctx context.Context, e event.Event, places chan struct{}) (event.Event, error) {
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
		return a.Handle(ctx, e)
	case <-ctx.Done():
		return event.Event{}, fmt.Errorf("aggregator: %w", context.Cause(ctx))
	}
}

// rejected says that a message is no task. The message itself isn't repeated.
func (a *Aggregator) rejected(m transport.Received, err error) event.Event {
	code := event.Code(err)
	if code == "" {
		code = "not-a-task"
	}
	return transport.Rejection(source, event.TopicTasks(dsar.Aggregator), code, err.Error(), m, a.cfg.Now())
}
