package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
)

func TestMessageComesAsItWasSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 3)
	pub, ch := r.publisher(), r.subscribe(r.subscriber())

	tombstone := message.NewMessage("", nil)
	bus.SetKey(tombstone, "k")
	empty := message.NewMessage("", []byte{})
	bus.SetKey(empty, "k")
	full := message.NewMessage("ignored: ce_id is the id", []byte("payload"))
	full.Metadata = message.Metadata{"ce_id": "id-1", "ce_type": "x", "odd": "\xff\x00", "nothing": ""}
	bus.SetKey(full, "k")
	named := message.NewMessage("uuid-1", []byte("no ce_id"))
	bus.SetKey(named, "k")
	sent := []*message.Message{tombstone, empty, full, named}
	r.publish(pub, sent...)

	var got []*message.Message
	for range sent {
		m := r.next(ch)
		at, ok := bus.PositionOf(m.Context())
		if !ok || at.Topic != r.topic || at.Offset != int64(len(got)) {
			t.Errorf("position %+v, want offset %d of %s", at, len(got), r.topic)
		}
		if bus.Key(m) != "k" {
			t.Errorf("key %q, want k", bus.Key(m))
		}
		got = append(got, m)
		m.Ack()
	}
	if got[0].Payload != nil {
		t.Errorf("a tombstone came as %q", got[0].Payload)
	}
	if got[1].Payload == nil || len(got[1].Payload) != 0 {
		t.Errorf("an empty payload came as %v", got[1].Payload)
	}
	if !bytes.Equal(got[2].Payload, full.Payload) || got[2].UUID != "id-1" {
		t.Errorf("got %q with UUID %q", got[2].Payload, got[2].UUID)
	}
	want := message.Metadata{"ce_id": "id-1", "ce_type": "x", "odd": "\xff\x00", "nothing": ""}
	bus.SetKey(&message.Message{Metadata: want}, "k")
	if fmt.Sprint(got[2].Metadata) != fmt.Sprint(want) {
		t.Errorf("metadata %q, want %q", got[2].Metadata, want)
	}
	if got[3].UUID != "uuid-1" || len(got[3].Metadata) != 1 {
		t.Errorf("UUID %q, metadata %v", got[3].UUID, got[3].Metadata)
	}

	// On the wire, the key is the key and nothing else of ours is there.
	res, err := r.client().Fetch(t.Context(), &kafka.FetchRequest{Topic: r.topic, Partition: partitionOf(t, got[0], r), Offset: 2, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := res.Records.ReadRecord()
	for err == nil && rec.Offset < 2 { // the batch comes whole
		rec, err = res.Records.ReadRecord()
	}
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range rec.Headers {
		names = append(names, h.Key)
	}
	slices.Sort(names)
	if want := []string{"ce_id", "ce_type", "nothing", "odd"}; !slices.Equal(names, want) {
		t.Errorf("headers on the wire %q, want %q", names, want)
	}
}

func partitionOf(t *testing.T, m *message.Message, r *rig) int {
	t.Helper()
	at, ok := bus.PositionOf(m.Context())
	if !ok || at.Topic != r.topic {
		t.Fatalf("no position in the message's context: %+v", at)
	}
	return at.Partition
}

// TestKeysGoWhereJavaPutsThem pins the partitioner to values of Kafka's own
// murmur2 (Utils.murmur2 with the sign taken off, modulo partitions), so that
// producers in Java and in Go agree.
func TestKeysGoWhereJavaPutsThem(t *testing.T) {
	t.Parallel()
	// The hashes are those of Apache Kafka's UtilsTest.testMurmur2.
	for key, hash := range map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536} {
		want := (hash & 0x7fffffff) % 5
		r := newRig(t, brokers(t), 5)
		pub, ch := r.publisher(), r.subscribe(r.subscriber())
		r.publish(pub, msg(key, "x"))
		m := r.next(ch)
		if got := partitionOf(t, m, r); int32(got) != want {
			t.Errorf("key %q went to partition %d, Java's producer would send it to %d", key, got, want)
		}
		m.Ack()
	}
}

func TestTooLargeNamesTopicAndLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 1)
	pub := r.publisher()
	err := pub.Publish(r.topic, msg("a", "fits"), message.NewMessage("", make([]byte, 1_000_001)))
	var large *bus.TooLargeError
	if !errors.As(err, &large) || large.Topic != r.topic || large.Limit != 1_000_000 || large.Size < 1_000_001 {
		t.Fatalf("got %v", err)
	}
	ch := r.subscribe(r.subscriber())
	r.publish(pub, message.NewMessage("", make([]byte, 990_000))) // what is allowed passes
	if m := r.next(ch); len(m.Payload) != 990_000 {
		t.Fatalf("%d bytes came: something of the refused batch was sent", len(m.Payload))
	} else {
		m.Ack()
	}

	// A limit above the broker's: the broker's refusal is an error too, at once.
	wide, err := bus.NewPublisher(bus.PublisherConfig{Config: r.config, MaxMessageBytes: 10_000_000})
	if err != nil {
		t.Fatal(err)
	}
	defer wide.Close()
	if err := wide.Publish(r.topic, message.NewMessage("", make([]byte, 2_000_000))); !errors.Is(err, kafka.MessageSizeTooLarge) {
		t.Fatalf("got %v, want the broker's refusal", err)
	}
}

func TestWatermarkNeverSkips(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 1)
	pub := r.publisher()
	const n = 50
	for i := range n {
		r.publish(pub, msg(fmt.Sprint(i), fmt.Sprint(i)))
	}
	sub := r.subscriber(func(c *bus.SubscriberConfig) { c.DrainTimeout = 50 * time.Millisecond })
	ch := r.subscribe(sub)
	for range n {
		if m := r.next(ch); string(m.Payload) != "7" {
			m.Ack()
		}
	}
	r.until("the first seven are committed", func() bool { return r.committed(0) == 7 })
	r.nothing(ch)
	if got := r.committed(0); got != 7 {
		t.Fatalf("committed %d past the message that isn't done", got)
	}
	if err := sub.Close(); err != nil {
		t.Fatal(err)
	}
	if got := r.committed(0); got != 7 {
		t.Fatalf("after Close committed %d", got)
	}
	// The next member gets it, and what came after it.
	ch = r.subscribe(r.subscriber())
	seen := make(map[string]bool)
	for range n - 7 {
		m := r.next(ch)
		seen[string(m.Payload)] = true
		m.Ack()
	}
	if !seen["7"] || len(seen) != n-7 {
		t.Fatalf("%d came again, the stuck one among them: %t", len(seen), seen["7"])
	}
	r.until("all is committed", func() bool { return r.committed(0) == n })
}

func TestNackedMessageComesAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 1)
	pub, ch := r.publisher(), r.subscribe(r.subscriber())
	r.publish(pub, msg("a", "1"), msg("a", "2"))
	for range 5 {
		m := r.next(ch)
		if string(m.Payload) != "1" {
			t.Fatalf("%q came before 1 was done", m.Payload)
		}
		ctx := m.Context()
		m.Nack()
		select {
		case <-ctx.Done():
		case <-time.After(patience):
			t.Fatal("the message's context goes on after the nack")
		}
	}
	for _, want := range []string{"1", "2"} {
		m := r.next(ch)
		if string(m.Payload) != want {
			t.Fatalf("got %q, want %s", m.Payload, want)
		}
		m.Ack()
	}
}

func TestCloseWaitsForWhatIsInFlight(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 1)
	pub, sub := r.publisher(), r.subscriber(func(c *bus.SubscriberConfig) { c.DrainTimeout = patience })
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), valueKey{}, "value"))
	ch, err := sub.Subscribe(ctx, r.topic)
	if err != nil {
		t.Fatal(err)
	}
	r.publish(pub, msg("a", "1"), msg("b", "2"), msg("a", "3"))
	one, two := r.next(ch), r.next(ch)
	closed := make(chan error, 2)
	cancel()
	go func() { closed <- sub.Close() }()
	go func() { closed <- sub.Close() }()
	r.nothing2(closed)
	if one.Context().Err() != nil {
		t.Fatal("the handler's context ended while Close waits for it")
	}
	if one.Context().Value(valueKey{}) != "value" {
		t.Fatal("the subscriber's context isn't the messages'")
	}
	one.Ack()
	two.Ack()
	for range 2 {
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := <-ch; ok {
		t.Fatal("a message was handed out while closing")
	}
	if got := r.committed(0); got != 2 {
		t.Fatalf("committed %d, want 2: what was acknowledged while closing", got)
	}
	if _, err := sub.Subscribe(context.Background(), r.topic); !errors.Is(err, bus.ErrClosed) {
		t.Fatalf("subscribe after close: %v", err)
	}
	if err := pub.Close(); err != nil {
		t.Fatal(err)
	}
	if err := pub.Publish(r.topic, msg("a", "x")); !errors.Is(err, bus.ErrClosed) {
		t.Fatalf("publish after close: %v", err)
	}
}

type valueKey struct{}

func (r *rig) nothing2(ch <-chan error) {
	r.t.Helper()
	select {
	case <-ch:
		r.t.Fatal("Close returned while messages are in flight")
	case <-time.After(100 * time.Millisecond):
	}
}

func TestStatsAndTheWatchdog(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 2)
	pub, sub := r.publisher(), r.subscriber(func(c *bus.SubscriberConfig) { c.HandleLimit = 50 * time.Millisecond })
	patient := r.subscriber(func(c *bus.SubscriberConfig) { c.Group += "-patient" })
	ch, theirs := r.subscribe(sub), r.subscribe(patient)
	for i := range 20 {
		r.publish(pub, msg("stuck", fmt.Sprint(i)))
	}
	m := r.next(ch)
	stuck := partitionOf(t, m, r)
	r.until("all is fetched", func() bool { return sub.Stats().Held == 20 })
	st := sub.Stats()
	if st.InFlight != 1 || len(st.Partitions) != 2 || st.HeldBytes == 0 {
		t.Fatalf("stats %+v", st)
	}
	if p := st.Partitions[stuck]; p.Lag() != 20 || p.Done != 0 || p.End != 20 || p.Waiting == 0 {
		t.Fatalf("partition %+v", p)
	}
	r.next(theirs)
	r.until("the watchdog barks", func() bool { return sub.Check(t.Context()) != nil })
	var stalled *bus.StalledError
	if err := patient.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sub.Check(t.Context()); !errors.As(err, &stalled) || stalled.Topic != r.topic || stalled.Offset != 0 {
		t.Fatalf("got %v", err)
	}
	m.Ack()
	for range 19 {
		r.next(ch).Ack()
	}
	r.until("nothing is left", func() bool {
		st := sub.Stats()
		return st.Held == 0 && st.InFlight == 0 && st.HeldBytes == 0 && st.Partitions[stuck].Lag() == 0 && st.Partitions[stuck].Committed == 20
	})
	if err := sub.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
}
