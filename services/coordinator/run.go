package coordinator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/transport"
)

// Rejecter puts aside messages that can never be used; transport.Carrier implements
// it.
type Rejecter interface {
	Send(ctx context.Context, topic string, e event.Event) error
}

// source is the CloudEvents source of the coordinator's messages.
const source = "habeas/coordinator"

// tickEvery is the interval between looks at the timers, and so how late a parked
// task or a lease may be.
const tickEvery = 250 * time.Millisecond

// Run applies reports and timers until the context ends. Reports that can't be used
// go to dsar.rejected.
func (c *Coordinator) Run(ctx context.Context, s transport.Subscriber, r Rejecter) error {
	timers := make(chan struct{})
	go func() {
		defer close(timers)
		c.runTimers(ctx)
	}()
	defer func() {
		<-timers
		c.calls.all.Wait()
	}()
	return transport.Loop(ctx, s, event.TopicReports, c.Log, func(ctx context.Context, m transport.Received) error {
		e, err := event.Decode(m.Headers, m.Payload)
		if err == nil {
			err = c.Handle(ctx, e)
		} else {
			err = fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		if errors.Is(err, ErrUnreadable) {
			code := "unreadable-report"
			if lie := (*NotBelievedError)(nil); errors.As(err, &lie) {
				code = lie.Code
			}
			return r.Send(ctx, event.TopicRejected, transport.Rejection(source, event.TopicReports, code, err.Error(), m, c.Now()))
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
