package broker_test

import (
	"context"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/internal/broker"
)

// ctx is for what has no test's.
var ctx = context.Background()

func TestRecordsOutliveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, dir)
	publish(t, b, "one")
	if got := receive(t, b, 1); got[0] != "one" {
		t.Fatalf("got %q", got)
	}
	b.Close()

	b = start(t, dir)
	publish(t, b, "two")
	if got := receive(t, b, 1); got[0] != "two" {
		t.Fatalf("after a restart got %q, want only what wasn't done", got)
	}
}

func start(t *testing.T, dir string) *broker.Broker {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Dir: dir, Topics: []string{"t"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func publish(t *testing.T, b *broker.Broker, payloads ...string) {
	t.Helper()
	pub, err := bus.NewPublisher(bus.PublisherConfig{Config: bus.Config{Brokers: []string{b.Addr()}}})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	for _, p := range payloads {
		if err := pub.Publish("t", message.NewMessage("", []byte(p))); err != nil {
			t.Fatal(err)
		}
	}
}

func receive(t *testing.T, b *broker.Broker, n int) []string {
	t.Helper()
	sub, err := bus.NewSubscriber(bus.SubscriberConfig{Config: bus.Config{Brokers: []string{b.Addr()}}, Group: "g"})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	msgs, err := sub.Subscribe(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // a busy machine's
	defer cancel()
	var got []string
	for len(got) < n {
		select {
		case m := <-msgs:
			got = append(got, string(m.Payload))
			m.Ack()
		case <-ctx.Done():
			t.Fatalf("got %d of %d", len(got), n)
		}
	}
	return got
}
