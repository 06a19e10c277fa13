package bus_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
)

// TestRebalanceLosesNothing has members join and leave while messages flow.
func TestRebalanceLosesNothing(t *testing.T) {
	t.Parallel()
	const partitions, keys, perKey = 6, 60, 60
	r := newRig(t, brokers(t), partitions)
	pub := r.publisher()
	y := newTally()
	var wg sync.WaitGroup
	join := func() *bus.Subscriber {
		s := r.subscriber()
		ch := r.subscribe(s)
		wg.Go(func() { y.drink(ch) })
		return s
	}
	members := []*bus.Subscriber{join()}
	published := make(chan error, 1)
	go func() {
		for i := range perKey {
			for k := range keys {
				if err := pub.Publish(r.topic, msg(fmt.Sprint(k), fmt.Sprintf("%d/%d", k, i))); err != nil {
					published <- err
					return
				}
			}
			time.Sleep(20 * time.Millisecond) //nolint:forbidigo // an upstream's pace
		}
		published <- nil
	}()
	waitMore := func() {
		_, before := y.count()
		r.until("messages flow", func() bool { _, n := y.count(); return n > before+keys })
	}
	waitMore()
	members = append(members, join())
	waitMore()
	members = append(members, join())
	waitMore()
	if err := members[0].Close(); err != nil {
		t.Fatal(err)
	}
	waitMore()
	if err := members[1].Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	r.until("every message came", func() bool { n, _ := y.count(); return n == keys*perKey })
	r.until("everything is committed", func() bool {
		var sum int64
		for p := range partitions {
			sum += max(0, r.committed(p))
		}
		return sum == keys*perKey
	})
	if err := members[2].Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	distinct, all := y.count()
	t.Logf("%d messages, %d duplicates over 5 rebalances", distinct, all-distinct)
}

// TestLostMemberCannotMoveOffsets: what a member acknowledges after its
// partitions went to another isn't committed.
func TestLostMemberCannotMoveOffsets(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 1)
	pub := r.publisher()
	for i := range 10 {
		r.publish(pub, msg("k", fmt.Sprint(i)))
	}
	first := r.subscriber(func(c *bus.SubscriberConfig) { c.DrainTimeout = 10 * time.Millisecond })
	ch := r.subscribe(first)
	late := r.next(ch) // held past the end of the generation

	second := r.subscriber()
	ch2 := r.subscribe(second)
	r.until("the first gave up its message", func() bool { return late.Context().Err() != nil })
	// One of the two has the partition now; both are drunk.
	y := newTally()
	var wg sync.WaitGroup
	wg.Go(func() { y.drink(ch) })
	wg.Go(func() { y.drink(ch2) })
	r.until("all ten came", func() bool { n, _ := y.count(); return n == 10 })
	r.until("all ten are committed", func() bool { return r.committed(0) == 10 })
	late.Ack()
	time.Sleep(100 * time.Millisecond) //nolint:forbidigo // five commit intervals in which nothing may happen
	if got := r.committed(0); got != 10 {
		t.Fatalf("a late acknowledgement moved the offset to %d", got)
	}
	_ = first.Close()
	_ = second.Close()
	if got := r.committed(0); got != 10 {
		t.Fatalf("closing moved the offset to %d", got)
	}
	wg.Wait()
}

func TestTopicThatComesLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 0)
	ch := r.subscribe(r.subscriber())
	r.nothing(ch)
	r.ensure(2)
	pub := r.publisher()
	r.publish(pub, msg("a", "first"))
	m := r.next(ch)
	if string(m.Payload) != "first" {
		t.Fatalf("got %q", m.Payload)
	}
	m.Ack()
}

func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 1)
	pub := r.publisher()
	sub := r.subscriber()
	ch := r.subscribe(sub)
	for i := range 20 {
		r.publish(pub, msg("a", fmt.Sprint(i)))
		r.next(ch).Ack()
	}
	r.until("all is committed", func() bool { return r.committed(0) == 20 })
	res, err := r.client().DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{r.topic}})
	if err != nil || res.Errors[r.topic] != nil {
		t.Fatal(err, res.Errors)
	}
	r.until("nothing is read", func() bool { return len(sub.Stats().Partitions) == 0 })
	r.ensure(1)
	r.publish(pub, msg("a", "anew"))
	m := r.next(ch)
	if string(m.Payload) != "anew" {
		t.Fatalf("got %q", m.Payload)
	}
	m.Ack()
}

// TestTopicMadeAnewUnderLoad: a topic is deleted and made again while a message
// of it is in flight. What is answered then says nothing of the new one, all of
// whose messages come.
func TestTopicMadeAnewUnderLoad(t *testing.T) {
	t.Parallel()
	const before, after = 20, 30
	r := newRig(t, brokers(t), 1)
	pub := r.publisher()
	noticed := make(chan struct{}, 1)
	sub := r.subscriber(func(c *bus.SubscriberConfig) {
		c.Logger = slog.New(tellOf{"joining the group again", noticed})
	})
	ch := r.subscribe(sub)
	for i := range before - 1 {
		r.publish(pub, msg("a", fmt.Sprint("old ", i)))
		r.next(ch).Ack()
	}
	r.publish(pub, msg("a", "old and late"))
	late := r.next(ch)
	r.until("all else is committed", func() bool { return r.committed(0) == before-1 })
	select { // one that joined anew before has noticed something else
	case <-noticed:
	default:
	}
	res, err := r.client().DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{r.topic}})
	if err != nil || res.Errors[r.topic] != nil {
		t.Fatal(err, res.Errors)
	}
	<-noticed
	r.ensure(1)
	for i := range after {
		r.publish(pub, msg("a", fmt.Sprint("new ", i)))
	}
	late.Ack()
	y := newTally()
	var drinking sync.WaitGroup
	drinking.Go(func() { y.drink(ch) })
	r.until("all of the new ones came", func() bool { n, _ := y.count(); return n == after })
	_ = sub.Close()
	drinking.Wait()
}

// tellOf tells when a line is logged that ends so.
type tellOf struct {
	end  string
	told chan struct{}
}

func (tellOf) Enabled(context.Context, slog.Level) bool { return true }
func (h tellOf) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h tellOf) WithGroup(string) slog.Handler          { return h }

func (h tellOf) Handle(_ context.Context, r slog.Record) error {
	if strings.HasSuffix(r.Message, h.end) {
		select {
		case h.told <- struct{}{}:
		default:
		}
	}
	return nil
}

// TestOffsetBeyondTheEnd: the log lost what the group had committed. It is
// read from its start, so that nothing written since is missed.
func TestOffsetBeyondTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 1)
	pub := r.publisher()
	r.publish(pub, msg("a", "1"), msg("a", "2"))
	r.commit(kafka.OffsetCommit{Partition: 0, Offset: 1000})
	ch := r.subscribe(r.subscriber())
	for _, want := range []string{"1", "2"} {
		m := r.next(ch)
		if string(m.Payload) != want {
			t.Fatalf("got %q, want %s", m.Payload, want)
		}
		m.Ack()
	}
	r.until("the commit is moved back", func() bool { return r.committed(0) == 2 })
}
