package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/transport"
)

const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

// broker remembers what is published; topics that it was told to refuse fail.
type broker struct {
	mu     sync.Mutex
	got    map[string][]*message.Message
	refuse map[string]error
}

func (b *broker) Publish(topic string, messages ...*message.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuse[topic]; err != nil {
		return err
	}
	if b.got == nil {
		b.got = map[string][]*message.Message{}
	}
	b.got[topic] = append(b.got[topic], messages...)
	return nil
}

func TestPublishKeepsTheOrderOfATopic(t *testing.T) {
	t.Parallel()
	b := &broker{}
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "mine")
	var sent []journal.Message
	for i := range 20 {
		sent = append(sent, journal.Message{Topic: fmt.Sprint("t", i%3), Key: fmt.Sprint("k", i%5), Headers: map[string]string{"ce_id": fmt.Sprint("id", i), "n": fmt.Sprint(i)}, Payload: []byte(fmt.Sprint(i))})
	}
	if err := transport.NewCarrier(b).Publish(ctx, sent); err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for _, m := range sent {
		got := b.got[m.Topic][at[m.Topic]]
		at[m.Topic]++
		if got.UUID != m.Headers["ce_id"] || bus.Key(got) != m.Key || string(got.Payload) != string(m.Payload) || got.Metadata["n"] != m.Headers["n"] || got.Context().Value(key{}) != "mine" {
			t.Errorf("%+v, want %+v", got, m)
		}
	}
}

// TestPublishTellsOfATopicThatFails: the other topics go out all the same.
func TestPublishTellsOfATopicThatFails(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	b := &broker{refuse: map[string]error{"dsar.tasks.billing": down}}
	err := transport.NewCarrier(b).Publish(t.Context(), []journal.Message{
		{Topic: "dsar.tasks.billing", Headers: map[string]string{}}, {Topic: "dsar.events", Headers: map[string]string{}}})
	if !errors.Is(err, down) || !strings.Contains(err.Error(), "dsar.tasks.billing") {
		t.Error(err)
	}
	if len(b.got["dsar.events"]) != 1 {
		t.Error("the other topic was held up")
	}
}

func TestSendIsReadBack(t *testing.T) {
	t.Parallel()
	b := &broker{}
	e := event.Event{ID: "e1", Source: "test", Type: event.TypeReport, Subject: request, Time: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC), Data: []byte(`{"a":1}`)}
	if err := transport.NewCarrier(b).Send(t.Context(), "topic", e); err != nil {
		t.Fatal(err)
	}
	m := b.got["topic"][0]
	got, err := event.Decode(m.Metadata, m.Payload)
	if err != nil || !reflect.DeepEqual(got, e) || bus.Key(m) != request {
		t.Errorf("%+v, %v, key %s", got, err, bus.Key(m))
	}
}

// TestRejectionRepeatsNothing: what a stranger sent may be anybody's data.
func TestRejectionRepeatsNothing(t *testing.T) {
	t.Parallel()
	const canary = "camille.o'brien@example.com"
	at := time.Date(2026, 11, 20, 9, 30, 0, 123, time.UTC)
	m := transport.Received{Key: canary, Headers: map[string]string{event.HeaderID: canary, "x": canary}, Payload: []byte(canary)}
	e := transport.Rejection("habeas/test", "dsar.requests", "not-json", "The data is no JSON.", m, at)
	if text := fmt.Sprintf("%+v %s", e, e.Data); strings.Contains(text, "camille") || e.Subject != "" {
		t.Error(text)
	}
	var r event.Rejected
	if err := json.Unmarshal(e.Data, &r); err != nil || r.Bytes != len(canary) || r.Topic != "dsar.requests" || r.Code != "not-json" {
		t.Errorf("%+v, %v", r, err)
	}
	if again := transport.Rejection("habeas/test", "dsar.requests", "not-json", "The data is no JSON.", m, at.Add(time.Hour)); again.ID != e.ID {
		t.Error("the same message, seen again, is another rejection")
	}
	m.Key = request
	if e := transport.Rejection("habeas/test", "dsar.requests", "not-json", "The data is no JSON.", m, at); e.Subject != request {
		t.Errorf("the request isn't named: %q", e.Subject)
	}
}

// feed hands out messages as bus.Subscriber does: one that is not acknowledged
// comes again.
type feed struct {
	ch  chan *message.Message
	err error
}

func (f feed) Subscribe(context.Context, string) (<-chan *message.Message, error) {
	return f.ch, f.err
}

func incoming(key string, payload []byte) *message.Message {
	m := message.NewMessage(key, payload)
	bus.SetKey(m, key)
	return m
}

func TestLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := feed{ch: make(chan *message.Message)}
		var log strings.Builder
		release := make(chan struct{})
		ended := make(chan error, 1)
		go func() {
			ended <- transport.Loop(context.Background(), f, "topic", slog.New(slog.NewTextHandler(&log, nil)), func(_ context.Context, r transport.Received) error {
				switch r.Key {
				case "slow":
					<-release
				case "bad":
					return errors.New("no")
				case "tombstone":
					if r.Payload != nil {
						t.Error("a tombstone has a payload")
					}
				}
				return nil
			})
		}()
		slow, bad, tombstone := incoming("slow", []byte("1")), incoming("bad", []byte("2")), incoming("tombstone", nil)
		for _, m := range []*message.Message{slow, bad, tombstone} {
			f.ch <- m // one that takes its time holds up no other
		}
		<-bad.Nacked()
		<-tombstone.Acked()
		close(f.ch)
		synctest.Wait()
		select {
		case <-ended:
			t.Error("it ended before its last message was answered")
		default:
		}
		close(release)
		<-slow.Acked()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := log.String(); strings.Count(got, "a message is tried again") != 1 || !strings.Contains(got, "topic=topic") {
			t.Error(got)
		}
	})
}

// TestLoopTakesAllAtOnce: a crowd of messages is handled at the same time, and so is a second
// one, by those that had the first.
func TestLoopTakesAllAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const crowd = 500
		f := feed{ch: make(chan *message.Message)}
		var open atomic.Int32
		release := make(chan struct{})
		ended := make(chan error, 1)
		go func() {
			ended <- transport.Loop(context.Background(), f, "topic", slog.New(slog.DiscardHandler), func(context.Context, transport.Received) error {
				open.Add(1)
				<-release
				open.Add(-1)
				return nil
			})
		}()
		for range 2 {
			for range crowd {
				f.ch <- incoming("key", nil)
			}
			synctest.Wait()
			if n := open.Load(); n != crowd {
				t.Errorf("%d of %d are handled at once", n, crowd)
			}
			for range crowd {
				release <- struct{}{}
			}
			synctest.Wait()
		}
		close(f.ch)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestLoopWithoutATopic(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	err := transport.Loop(t.Context(), feed{err: gone}, "dsar.reports", slog.New(slog.DiscardHandler), nil)
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "dsar.reports") {
		t.Error(err)
	}
}
