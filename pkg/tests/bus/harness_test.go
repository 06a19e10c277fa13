package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/bus/kafkatest"
)

// patience is how long a test waits for what must come: longer than a broker
// takes to start on a busy machine.
const patience = 3 * time.Minute

// brokers returns those of KAFKA_BROKERS (host:port,…), or of a broker in the
// process that ends with the test.
func brokers(t testing.TB) []string {
	t.Helper()
	if b := os.Getenv("KAFKA_BROKERS"); b != "" {
		return strings.Split(b, ",")
	}
	return fake(t).ListenAddrs()
}

// fake returns a broker in the process, for tests that make it fail.
func fake(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// stoppable is a broker that can be stopped, and started again with its data.
type stoppable struct {
	addrs       []string
	stop, start func()
}

// restartable starts Apache Kafka where that is asked for, else a broker in the
// process.
func restartable(t testing.TB) stoppable {
	t.Helper()
	if kafkatest.Enabled() {
		b := kafkatest.Start(t, kafkatest.Own())
		return stoppable{b.Addrs(kafkatest.Plaintext), func() { b.Stop(t) }, func() { b.StartAgain(t) }}
	}
	port, release := kafkatest.ClaimPort()
	t.Cleanup(release)
	dir := t.TempDir()
	again := func() *kfake.Cluster { return fake(t, kfake.DataDir(dir), kfake.Ports(port)) }
	c := again()
	return stoppable{c.ListenAddrs(), func() { c.Close() }, func() { c = again() }}
}

// rig is a topic and a group of its own on some broker.
type rig struct {
	t      testing.TB
	config bus.Config
	topic  string
	group  string

	asking sync.Once
	asker  *kafka.Client // for the group's offsets, over and over
}

func newRig(t testing.TB, addrs []string, partitions int) *rig {
	t.Helper()
	r := &rig{t: t, config: bus.Config{Brokers: addrs, ClientID: "test"}}
	r.topic = fmt.Sprintf("%s-%d", strings.NewReplacer("/", "-", "=", "-", ",", "-").Replace(t.Name()), time.Now().UnixNano())
	r.group = "group-" + r.topic
	if partitions > 0 {
		r.ensure(partitions)
	}
	return r
}

func (r *rig) ensure(partitions int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	if err := bus.EnsureTopics(ctx, r.config, []bus.TopicSpec{{Name: r.topic, Partitions: partitions, Replicas: 1}}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) publisher() *bus.Publisher {
	r.t.Helper()
	p, err := bus.NewPublisher(bus.PublisherConfig{Config: r.config, Timeout: patience})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = p.Close() })
	return p
}

func (r *rig) subscriber(change ...func(*bus.SubscriberConfig)) *bus.Subscriber {
	r.t.Helper()
	c := bus.SubscriberConfig{
		Config: r.config, Group: r.group, CommitInterval: 20 * time.Millisecond, DrainTimeout: time.Second,
		Logger:        slog.New(slog.NewTextHandler(r.t.Output(), nil)),
		WatchInterval: 200 * time.Millisecond, NackMin: time.Millisecond, NackMax: 10 * time.Millisecond,
	}
	for _, f := range change {
		f(&c)
	}
	s, err := bus.NewSubscriber(c)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = s.Close() })
	return s
}

func (r *rig) subscribe(s *bus.Subscriber) <-chan *message.Message {
	r.t.Helper()
	ch, err := s.Subscribe(context.Background(), r.topic)
	if err != nil {
		r.t.Fatal(err)
	}
	return ch
}

func (r *rig) publish(p *bus.Publisher, msgs ...*message.Message) {
	r.t.Helper()
	if err := p.Publish(r.topic, msgs...); err != nil {
		r.t.Fatal(err)
	}
}

// next returns the next message, or the end of the test.
func (r *rig) next(ch <-chan *message.Message) *message.Message {
	r.t.Helper()
	select {
	case m, ok := <-ch:
		if !ok {
			r.t.Fatal("the channel is closed")
		}
		return m
	case <-time.After(patience):
		r.t.Fatal("no message came")
	}
	return nil
}

// nothing waits for a moment in which nothing comes.
func (r *rig) nothing(ch <-chan *message.Message) {
	r.t.Helper()
	select {
	case m, ok := <-ch:
		if ok {
			r.t.Fatalf("%q came", m.Payload)
		}
		r.t.Fatal("the channel is closed")
	case <-time.After(150 * time.Millisecond):
	}
}

// until waits for a condition.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	end := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(end) {
			r.t.Fatalf("never happened: %s", what)
		}
		time.Sleep(5 * time.Millisecond) //nolint:forbidigo // waits for the condition
	}
}

func (r *rig) client() *kafka.Client {
	tr := &kafka.Transport{}
	r.t.Cleanup(tr.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(r.config.Brokers...), Transport: tr, Timeout: patience}
}

// committed returns the group's offset of a partition, -1 where there is none.
func (r *rig) committed(partition int) int64 {
	r.t.Helper()
	r.asking.Do(func() { r.asker = r.client() })
	offset := int64(-1)
	r.settled("the group's offset is known", func() error {
		res, err := r.asker.OffsetFetch(r.t.Context(), &kafka.OffsetFetchRequest{GroupID: r.group, Topics: map[string][]int{r.topic: {partition}}})
		if err != nil {
			return err
		}
		if res.Error != nil {
			return res.Error
		}
		offset = res.Topics[r.topic][0].CommittedOffset
		return res.Topics[r.topic][0].Error
	})
	return offset
}

// commit sets offsets of the group, which has no members.
func (r *rig) commit(offsets ...kafka.OffsetCommit) {
	r.t.Helper()
	client := r.client()
	r.settled("the offsets are committed", func() error {
		res, err := client.OffsetCommit(r.t.Context(), &kafka.OffsetCommitRequest{GroupID: r.group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{r.topic: offsets}})
		if err != nil {
			return err
		}
		for _, p := range res.Topics[r.topic] {
			if p.Error != nil {
				return p.Error
			}
		}
		return nil
	})
}

// settled asks a broker until it doesn't answer any more that somebody is being
// elected; any other error ends the test.
func (r *rig) settled(what string, ask func() error) {
	r.t.Helper()
	r.until(what, func() bool {
		err := ask()
		if code := kafka.Error(0); errors.As(err, &code) && code.Temporary() {
			return false
		}
		if err != nil {
			r.t.Fatalf("%s: %v", what, err)
		}
		return true
	})
}

func msg(key, payload string) *message.Message {
	m := message.NewMessage("", []byte(payload))
	bus.SetKey(m, key)
	return m
}

// tally counts what comes, by payload.
type tally struct {
	mu   sync.Mutex
	seen map[string]int
	all  int
}

func newTally() *tally { return &tally{seen: make(map[string]int)} }

// drink acknowledges everything until the channel closes.
func (y *tally) drink(ch <-chan *message.Message) {
	for m := range ch {
		y.mu.Lock()
		y.seen[string(m.Payload)]++
		y.all++
		y.mu.Unlock()
		m.Ack()
	}
}

func (y *tally) count() (distinct, all int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.seen), y.all
}
