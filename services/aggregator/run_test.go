package aggregator_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
)

// topics is a bus of one topic, and who takes what is answered.
type topics struct {
	in   chan *message.Message
	mu   sync.Mutex
	down bool
	sent map[string][]event.Event
}

func (b *topics) Subscribe(context.Context, string) (<-chan *message.Message, error) {
	return b.in, nil
}

func (b *topics) Send(_ context.Context, topic string, e event.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return errors.New("no broker")
	}
	b.sent[topic] = append(b.sent[topic], e)
	return nil
}

func newTopics(messages ...*message.Message) *topics {
	b := &topics{in: make(chan *message.Message, len(messages)), sent: map[string][]event.Event{}}
	for _, m := range messages {
		b.in <- m
	}
	close(b.in)
	return b
}

func asMessage(e event.Event, key string) *message.Message {
	m := message.NewMessage(e.ID, e.Data)
	m.Metadata = e.Headers()
	bus.SetKey(m, key)
	return m
}

// TestRun: tasks are answered with reports, what is no task is put aside with a
// reason that fits the schema and repeats nothing, and both are acknowledged.
func TestRun(t *testing.T) {
	t.Parallel()
	const canary = "kanarienvogel@example.com"
	validator, err := event.NewValidator()
	must(t, err)
	w := newWorld(t)
	good := taskEvent(t, w.task(t, w.gathered(t, 1, "x")))
	stranger := good
	stranger.Type, stranger.Subject = canary, canary
	messages := []*message.Message{
		asMessage(good, requestID), asMessage(stranger, canary), asMessage(event.Event{Data: []byte(canary)}, canary),
		asMessage(event.Event{ID: "1", Source: "x", Type: event.TypeTask, Subject: requestID, Data: []byte(`{"system":"` + canary + `"}`)}, requestID),
	}
	b := newTopics(messages...)
	must(t, w.Run(t.Context(), b, b))
	for i, m := range messages {
		select {
		case <-m.Acked():
		default:
			t.Errorf("message %d was not acknowledged", i)
		}
	}
	if n, rejected := len(b.sent[event.TopicReports]), b.sent[event.TopicRejected]; n != 1 || len(rejected) != 3 {
		t.Fatalf("%d reports, %d rejected", n, len(rejected))
	}
	for _, e := range b.sent[event.TopicRejected] {
		if err := validator.ValidateData(e.Type, e.Data); err != nil || !strings.Contains(string(e.Data), event.TopicTasks(dsar.Aggregator)) {
			t.Errorf("%s: %v", e.Data, err)
		}
		if strings.Contains(string(e.Data)+e.Subject, canary) {
			t.Errorf("it repeats what came: %s, about %s", e.Data, e.Subject)
		}
	}
}

// TestBrokerIsDown: a report that can't be sent leaves its task to come again.
func TestBrokerIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := asMessage(taskEvent(t, w.task(t, w.gathered(t, 1, "x"))), requestID)
	b := newTopics(m)
	b.down = true
	must(t, w.Run(t.Context(), b, b))
	select {
	case <-m.Nacked():
	default:
		t.Error("it was acknowledged")
	}
}
