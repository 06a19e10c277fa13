package coordinator

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/transport"
)

// Rejecter takes what can never be used; transport.Carrier does.
type Rejecter interface {
	Send(ctx context.Context, topic string, e event.Event) error
}

// tickEvery is how often timers are looked at: a parked task or a lease is
// accurate to this much.
const tickEvery = 250 * time.Millisecond

// Run applies reports and timers until the context is over. Reports that can't
// be used go to dsar.rejected.
func (c *Coordinator) Run(ctx context.Context, s transport.Subscriber, r Rejecter) error {
	timers := make(chan struct{})
	go func() {
		defer close(timers)
		c.runTimers(ctx)
	}()
	defer func() { <-timers }()
	return transport.Loop(ctx, s, event.TopicReports, c.Log, func(ctx context.Context, m transport.Received) error {
		e, err := event.Decode(m.Headers, m.Payload)
		if err == nil {
			err = c.Handle(ctx, e)
		} else {
			err = errors.Join(ErrUnreadable, err)
		}
		if errors.Is(err, ErrUnreadable) {
			return r.Send(ctx, event.TopicRejected, c.rejected(m, e, err))
		}
		return err
	})
}

func (c *Coordinator) runTimers(ctx context.Context) {
	beat := time.NewTicker(tickEvery)
	defer beat.Stop()
	for {
		n, err := c.Tick(ctx)
		if err != nil && ctx.Err() == nil {
			c.Log.Warn("timers are tried again", "error", err)
		}
		if n == tickBatch {
			continue // a crowd: more are due
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

// rejected says which report was dropped and why. Nothing of the report's own
// text is repeated: nobody vouches for it.
func (c *Coordinator) rejected(m transport.Received, e event.Event, err error) event.Event {
	now := c.Now()
	data, _ := json.Marshal(struct { //nolint:errchkjson // strings, a number and a time
		Topic  string    `json:"topic"`
		Code   string    `json:"code"`
		Reason string    `json:"reason"`
		At     time.Time `json:"at"`
		Bytes  int       `json:"bytes"`
	}{event.TopicReports, "unreadable-report", err.Error(), now, len(m.Payload)})
	return event.Event{ID: event.ID("rejected", event.TopicReports, e.ID, m.Key), Source: "habeas/coordinator", Type: event.TypeRejected, Subject: m.Key, Time: now, Data: data}
}
