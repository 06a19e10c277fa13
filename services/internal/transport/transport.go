// Package transport joins the services to the bus: messages of the journal go
// out, messages of a topic come in.
package transport

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/journal"
)

// Publisher publishes messages to a topic; bus.Publisher implements it. It returns
// when every message is acknowledged, or with an error.
type Publisher interface {
	Publish(topic string, messages ...*message.Message) error
}

// Carrier publishes the journal's messages and single events.
type Carrier struct{ publisher Publisher }

// NewCarrier returns a carrier that publishes by p.
func NewCarrier(p Publisher) Carrier { return Carrier{p} }

// Publish sends messages of the journal: one batch for each topic, all topics at
// the same time. Messages of one topic keep their order. On an error some may have
// been sent: send all of them again.
func (c Carrier) Publish(ctx context.Context, messages []journal.Message) error {
	batches := map[string][]*message.Message{}
	for _, m := range messages {
		msg := bus.NewMessage(m.Key, m.Headers, m.Payload)
		msg.SetContext(ctx)
		batches[m.Topic] = append(batches[m.Topic], msg)
	}
	return c.sendAll(batches)
}

// Send sends one event, keyed by its subject.
func (c Carrier) Send(ctx context.Context, topic string, e event.Event) error {
	msg := bus.NewMessage(e.Subject, e.Headers(), e.Data)
	msg.SetContext(ctx)
	return c.publisher.Publish(topic, msg)
}

func (c Carrier) sendAll(batches map[string][]*message.Message) error {
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	for topic, batch := range batches {
		all.Go(func() {
			if err := c.publisher.Publish(topic, batch...); err != nil {
				mu.Lock()
				defer mu.Unlock()
				first = fmt.Errorf("topic %s: %w", topic, err)
			}
		})
	}
	all.Wait()
	return first
}

// Received is a message as a handler gets it.
type Received struct {
	Key     string
	Headers map[string]string
	Payload []byte // nil: a tombstone
}

// Subscriber delivers a topic's messages; bus.Subscriber implements it. Messages of
// one key come one after the other, each only after the one before was
// acknowledged.
type Subscriber interface {
	Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error)
}

// Loop calls handle for each message of a topic until the context ends, and returns
// when the last one is answered. A message whose handling failed comes again after
// a while; handle MUST get rid of what can never succeed.
func Loop(ctx context.Context, s Subscriber, topic string, log *slog.Logger, handle func(context.Context, Received) error) error {
	messages, err := s.Subscribe(ctx, topic)
	if err != nil {
		return fmt.Errorf("topic %s: %w", topic, err)
	}
	answer := func(msg *message.Message) {
		err := handle(msg.Context(), Received{Key: bus.Key(msg), Headers: msg.Metadata, Payload: msg.Payload})
		if err != nil {
			if ctx.Err() == nil {
				log.Warn("a message is tried again", "topic", topic, "error", err)
			}
			msg.Nack()
			return
		}
		msg.Ack()
	}
	var (
		open sync.WaitGroup
		idle atomic.Int32
		next = make(chan *message.Message)
	)
	for msg := range messages {
		select {
		case next <- msg: // to one that has answered its last
		default:
			open.Go(func() {
				for more := true; more; idle.Add(-1) {
					answer(msg)
					if idle.Add(1) > maxIdle {
						idle.Add(-1)
						return
					}
					msg, more = <-next
				}
			})
		}
	}
	close(next)
	open.Wait()
	return nil
}

// maxIdle bounds the goroutines that wait for a topic's next message. Each has the stack that
// handling one takes, and a new one would grow it anew: 3 % of an erasure's processor time.
const maxIdle = 64
