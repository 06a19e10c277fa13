package intake_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/broker"
)

// badInARow is what a broken upstream publishes between good ones.
const badInARow = 10_000

// TestFlood: 10,000 bad events in a row, through a broker, hold up none of the
// good ones around them, of the same key and of others; each is rejected.
func TestFlood(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	b, err := broker.Start(ctx, broker.Config{Dir: t.TempDir(), Topics: []string{event.TopicRequests}})
	must(t, err)
	defer b.Close()
	connection := bus.Config{Brokers: []string{b.Addr()}}
	publisher, err := bus.NewPublisher(bus.PublisherConfig{Config: connection})
	must(t, err)
	defer publisher.Close()

	id := func(n int) string { return fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f0f-%012d", n) }
	record := func(key string, data []byte) *message.Message {
		m := message.NewMessage("", data)
		m.Metadata = event.Event{ID: "1", Source: "signup-page", Type: event.TypeSubmitted, Data: data}.Headers()
		bus.SetKey(m, key)
		return m
	}
	var records []*message.Message
	records = append(records, record(id(1), text(t, request(with("request_id", id(1))))))
	for n := range badInARow {
		records = append(records, record(id(1+n%3), fmt.Appendf(nil, `{"request_id":"%s","n":%d}`, canary, n)))
	}
	for n := range 3 {
		records = append(records, record(id(1+n), text(t, request(with("request_id", id(1+n))))))
	}
	must(t, publisher.Publish(event.TopicRequests, records...))

	w := newFixture(t)
	all := &counting{fixture: w, want: badInARow, done: make(chan struct{})}
	w.Rejected = all
	subscriber, err := bus.NewSubscriber(bus.SubscriberConfig{Config: connection, Group: "habeas.intake"})
	must(t, err)
	defer subscriber.Close()
	work, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.Consume(work, subscriber) }()
	select {
	case <-all.done:
	case <-ctx.Done():
		t.Fatalf("%d of %d were rejected in time", all.n, badInARow)
	}
	for n := range 3 {
		for w.accepted(id(1+n)).RequestID == "" {
			if err := w.journal.Wait(ctx); err != nil {
				t.Fatalf("the good request %d is not taken in: %v", n, err)
			}
		}
	}
	stop()
	must(t, <-ended)
	if all.n != badInARow {
		t.Errorf("%d were rejected", all.n)
	}
}

// counting counts what is rejected, and holds one in a thousand against the
// contract.
type counting struct {
	*fixture
	want int
	mu   sync.Mutex
	n    int
	done chan struct{}
}

func (c *counting) Send(ctx context.Context, topic string, e event.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n++; c.n == c.want {
		close(c.done)
	}
	if c.n%1000 == 0 {
		return c.fixture.Send(ctx, topic, e)
	}
	return nil
}
