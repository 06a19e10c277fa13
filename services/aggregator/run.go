package aggregator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

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
// (under one MiB each, see pkg/bundle) and is enough to keep the processors busy
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
			return out.Send(ctx, event.TopicRejected, a.rejected(m, e, err))
		}
		report, err := a.handle(ctx, e, places)
		switch {
		case errors.Is(err, ErrNotATask):
			return out.Send(ctx, event.TopicRejected, a.rejected(m, e, err))
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

// rejection is the data of dsar.rejected.v1 (schemas/). The record itself isn't
// repeated: what is no task may be anything.
type rejection struct {
	Topic  string    `json:"topic"`
	Code   string    `json:"code"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	Bytes  int       `json:"bytes"`
}

func (a *Aggregator) rejected(m transport.Received, e event.Event, err error) event.Event {
	r := rejection{Topic: event.TopicTasks(dsar.Aggregator), Code: event.Code(err), Reason: err.Error(), At: a.cfg.Now().UTC(), Bytes: len(m.Payload)}
	if r.Code == "" {
		r.Code = "not-a-task"
	}
	data, _ := json.Marshal(r) //nolint:errchkjson // strings, a number and a time
	return event.Event{
		ID: event.ID("rejected", r.Topic, e.ID, m.Key, r.Code), Source: source, Type: event.TypeRejected, Subject: m.Key, Time: r.At, Data: data,
	}
}
