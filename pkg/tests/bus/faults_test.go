package bus_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"habeas.dev/pkg/bus"
)

// TestJoinIsTriedAgain: right after a broker's start the first join answers
// that the coordinator isn't available.
func TestJoinIsTriedAgain(t *testing.T) {
	t.Parallel()
	c := fake(t)
	r := newRig(t, c.ListenAddrs(), 1)
	c.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.FindCoordinator}, Err: kerr.CoordinatorNotAvailable, Count: 2},
		kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.CoordinatorLoadInProgress, Count: 2},
	)
	pub, ch := r.publisher(), r.subscribe(r.subscriber())
	r.publish(pub, msg("a", "1"))
	r.next(ch).Ack()
}

// TestOrderHoldsThroughRetries publishes in order while the broker fails in
// every way that is worth another try, and moves its leaders about.
func TestOrderHoldsThroughRetries(t *testing.T) {
	t.Parallel()
	const partitions, keys, perKey = 4, 8, 60
	c := fake(t, kfake.NumBrokers(3))
	r := newRig(t, c.ListenAddrs(), partitions)
	pub, ch := r.publisher(), r.subscribe(r.subscriber())
	for _, e := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.UnknownTopicOrPartition} {
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 6, When: func(kmsg.Request) bool { return rand.IntN(4) == 0 }})
	}
	stop := make(chan struct{})
	var moving sync.WaitGroup
	moving.Go(func() {
		tick := time.NewTicker(150 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				_ = c.MoveTopicPartition(r.topic, rand.Int32N(partitions), rand.Int32N(3))
			}
		}
	})
	var wg sync.WaitGroup
	for k := range keys {
		wg.Go(func() {
			for i := 0; i < perKey; i += 2 {
				if err := pub.Publish(r.topic, msg(fmt.Sprint(k), fmt.Sprint(i)), msg(fmt.Sprint(k), fmt.Sprint(i+1))); err != nil {
					t.Errorf("key %d, %d: %v", k, i, err)
					return
				}
			}
		})
	}
	last := make(map[string]int)
	missing := keys * perKey
	for missing > 0 {
		m := r.next(ch)
		var n int
		_, _ = fmt.Sscan(string(m.Payload), &n)
		key := bus.Key(m)
		before, ok := last[key]
		switch {
		case !ok && n == 0, n == before+1:
			last[key] = n
			missing--
		case n > before+1:
			t.Fatalf("key %s: %d came after %d", key, n, before)
		default:
			// A retry of something that was stored: it comes again.
		}
		m.Ack()
	}
	wg.Wait()
	close(stop)
	moving.Wait()
}

// TestBrokerRestart: publisher and subscriber live through it.
func TestBrokerRestart(t *testing.T) {
	t.Parallel()
	b := restartable(t)
	r := newRig(t, b.addrs, 2)
	pub, sub := r.publisher(), r.subscriber(func(c *bus.SubscriberConfig) { c.StallLimit = 300 * time.Millisecond })
	ch := r.subscribe(sub)
	y := newTally()
	go y.drink(ch)
	const n = 300
	done := make(chan error, 1)
	half := make(chan struct{})
	go func() {
		for i := range n {
			if i == n/2 {
				close(half)
			}
			if err := pub.Publish(r.topic, msg(fmt.Sprint(i), fmt.Sprint(i))); err != nil {
				done <- err
				return
			}
			time.Sleep(time.Millisecond) //nolint:forbidigo // an upstream's pace
		}
		done <- nil
	}()
	<-half
	b.stop()
	r.until("the watchdog barks", func() bool { return sub.Check(t.Context()) != nil })
	b.start()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r.until("every message came", func() bool { k, _ := y.count(); return k == n })
	r.until("the watchdog is quiet", func() bool { return sub.Check(t.Context()) == nil })
}

func TestAbortedTransactionsDoNotCome(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 1)
	other, err := kgo.NewClient(kgo.SeedBrokers(r.config.Brokers...), kgo.TransactionalID(r.topic), kgo.DefaultProduceTopic(r.topic))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for i, how := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryAbort, kgo.TryCommit} {
		if err := other.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{"a", "b"} {
			if err := other.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(i, v))).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := other.EndTransaction(t.Context(), how); err != nil {
			t.Fatal(err)
		}
	}
	ch := r.subscribe(r.subscriber())
	for _, want := range []string{"0a", "0b", "3a", "3b"} {
		m := r.next(ch)
		if got := strings.ReplaceAll(string(m.Payload), " ", ""); got != want {
			t.Fatalf("got %q, want %s", got, want)
		}
		m.Ack()
	}
	r.nothing(ch)
	r.until("the markers are done with too", func() bool { return r.committed(0) == 12 })
}

func TestUnknownTopicIsAnError(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 0)
	err := r.publisher().Publish(r.topic, msg("a", "1"))
	// In these words it is said before the time for a Publish is over.
	if !errors.Is(err, kafka.UnknownTopicOrPartition) || !strings.Contains(err.Error(), r.topic) || !strings.Contains(err.Error(), "no such topic") {
		t.Fatalf("got %v", err)
	}
}

func TestNothingListens(t *testing.T) {
	t.Parallel()
	const addr = "127.0.0.1:1" // a port that no system gives to anybody
	c := bus.Config{Brokers: []string{addr}}
	wantBothCauses(t, bus.Ping(t.Context(), c), addr)
	pub, err := bus.NewPublisher(bus.PublisherConfig{Config: c, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	wantBothCauses(t, pub.Publish("topic", msg("a", "1")), addr)
}

func wantBothCauses(t *testing.T, err error, addr string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{addr, "nothing listens", "password"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q doesn't name %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is more than one line", err)
	}
}

func TestContextEndsAPublish(t *testing.T) {
	t.Parallel()
	c := fake(t)
	r := newRig(t, c.ListenAddrs(), 1)
	pub := r.publisher()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tries := 0
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1, When: func(kmsg.Request) bool {
		if tries++; tries == 2 { // it was answered once
			cancel()
		}
		return true
	}})
	m := msg("a", "1")
	m.SetContext(ctx)
	err := pub.Publish(r.topic, m)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, kafka.NotEnoughReplicas) {
		t.Fatalf("got %v, want the context's end and the cause", err)
	}
}

func TestEnsureTopicsNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 3)
	specs := []bus.TopicSpec{
		{Name: r.topic, Partitions: 5, Replicas: 1},
		{Name: r.topic + "-new", Partitions: 2, Replicas: 1, Config: map[string]string{"retention.ms": "1000"}},
	}
	err := bus.EnsureTopics(t.Context(), r.config, specs)
	var differ *bus.MismatchError
	if !errors.As(err, &differ) || len(differ.Topics) != 1 || differ.Topics[0] != (bus.TopicMismatch{Topic: r.topic, Want: 5, Has: 3}) {
		t.Fatalf("got %v", err)
	}
	if err := bus.EnsureTopics(t.Context(), r.config, specs[1:]); err != nil {
		t.Fatalf("the other topic was not created: %v", err)
	}
}

// TestNothingIsLeftRunning is not parallel: it looks at every goroutine.
func TestNothingIsLeftRunning(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := newRig(t, c.ListenAddrs(), 2)
	before := goleak.IgnoreCurrent()
	pub, sub := r.publisher(), r.subscriber()
	ch := r.subscribe(sub)
	for i := range 100 {
		r.publish(pub, msg(fmt.Sprint(i), "x"))
		r.next(ch).Ack()
	}
	_ = pub.Close()
	_ = sub.Close()
	// The broker's own connections end when it sees the other side close, and
	// the client's when the fetch that was under way is answered, within
	// fetchWait: it can't be called back.
	var left error
	defer func() {
		if t.Failed() {
			t.Log(left)
		}
	}()
	r.until("nothing is left", func() bool {
		left = goleak.Find(before, goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*clientConn).read"),
			goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*clientConn).write"), goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*clientConn).read.func1"))
		return left == nil
	})
}
