package bus_test

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkThroughput carries messages of 600 bytes with eight headers over
// ten topics, publisher, broker and subscribers in one process. cpu-µs/msg
// holds all three.
func BenchmarkThroughput(b *testing.B) {
	for _, batch := range []int{1, 10, 100} {
		for _, partitions := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("batch=%d/partitions=%d", batch, partitions), func(b *testing.B) { throughput(b, batch, partitions) })
		}
	}
}

// BenchmarkRate is the same at 10,000 messages a second, published one by one
// from 64 goroutines: what the CPU costs where there is no hurry.
func BenchmarkRate(b *testing.B) {
	for _, partitions := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("partitions=%d", partitions), func(b *testing.B) {
			const perSecond, publishers = 10_000, 64
			drive(b, 1, partitions, publishers, publishers*time.Second/perSecond)
		})
	}
}

func throughput(b *testing.B, batch, partitions int) { drive(b, batch, partitions, 16, 0) }

// drive publishes b.N messages from so many goroutines, each of which waits
// for every between two calls, and waits until all have come.
func drive(b *testing.B, batch, partitions, publishers int, every time.Duration) {
	const topics = 10
	config := bus.Config{Brokers: brokers(b)}
	var specs []bus.TopicSpec
	run := fmt.Sprint(time.Now().UnixNano())
	for i := range topics {
		specs = append(specs, bus.TopicSpec{Name: fmt.Sprintf("bench-%s-%d", run, i), Partitions: partitions, Replicas: 1})
	}
	if err := bus.EnsureTopics(b.Context(), config, specs); err != nil {
		b.Fatal(err)
	}
	pub, err := bus.NewPublisher(bus.PublisherConfig{Config: config})
	if err != nil {
		b.Fatal(err)
	}
	defer pub.Close()
	var got atomic.Int64
	var wg sync.WaitGroup
	for i, s := range specs {
		sub, err := bus.NewSubscriber(bus.SubscriberConfig{Config: config, Group: fmt.Sprintf("g%s-%d", run, i)})
		if err != nil {
			b.Fatal(err)
		}
		defer sub.Close()
		msgs, err := sub.Subscribe(context.Background(), s.Name)
		if err != nil {
			b.Fatal(err)
		}
		wg.Go(func() {
			for m := range msgs {
				m.Ack()
				got.Add(1)
			}
		})
	}
	warm(b, pub, specs, &got)
	got.Store(0)
	b.ResetTimer()
	before := cpu()
	start := time.Now()
	var next atomic.Int64
	var pubs sync.WaitGroup
	for range publishers {
		pubs.Go(func() {
			tick := time.NewTicker(max(every, 1))
			defer tick.Stop()
			for {
				if every > 0 {
					<-tick.C
				}
				n := int(next.Add(int64(batch))) - batch
				if n >= b.N {
					return
				}
				msgs := make([]*message.Message, 0, batch)
				for i := n; i < min(n+batch, b.N); i++ {
					msgs = append(msgs, sample(i))
				}
				if err := pub.Publish(specs[n/batch%topics].Name, msgs...); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	pubs.Wait()
	for got.Load() < int64(b.N) {
		time.Sleep(time.Millisecond) //nolint:forbidigo // waits for the condition
	}
	spent := cpu() - before
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "msg/s")
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-µs/msg")
}

func warm(b *testing.B, pub *bus.Publisher, specs []bus.TopicSpec, got *atomic.Int64) {
	b.Helper()
	for _, s := range specs {
		if err := pub.Publish(s.Name, sample(0)); err != nil {
			b.Fatal(err)
		}
	}
	for end := time.Now().Add(30 * time.Second); got.Load() < int64(len(specs)); time.Sleep(time.Millisecond) { //nolint:forbidigo // waits for the condition
		if time.Now().After(end) {
			b.Fatalf("warming up: got %d of %d", got.Load(), len(specs))
		}
	}
}

func sample(i int) *message.Message {
	m := message.NewMessage("", make([]byte, 600))
	id := fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f0f-%012d", i)
	bus.SetKey(m, id)
	for _, h := range [][2]string{
		{"content-type", "application/json"}, {"ce_specversion", "1.0"}, {"ce_id", id}, {"ce_source", "habeas/bench"},
		{"ce_type", "dsar.task.v1"}, {"ce_subject", id}, {"ce_time", "2026-11-20T09:30:00Z"},
		{"ce_traceparent", "00-9f0d6c0e6f0f4b439f0f3a9c3c0f7a11-3a9c3c0f7a11aabb-01"},
	} {
		m.Metadata[h[0]] = h[1]
	}
	return m
}

// BenchmarkLone is a message alone: from the call of Publish to its delivery.
func BenchmarkLone(b *testing.B) {
	config := bus.Config{Brokers: brokers(b)}
	topic := fmt.Sprintf("lone-%d", time.Now().UnixNano())
	if err := bus.EnsureTopics(b.Context(), config, []bus.TopicSpec{{Name: topic, Partitions: 2, Replicas: 1}}); err != nil {
		b.Fatal(err)
	}
	pub, err := bus.NewPublisher(bus.PublisherConfig{Config: config})
	if err != nil {
		b.Fatal(err)
	}
	defer pub.Close()
	sub, err := bus.NewSubscriber(bus.SubscriberConfig{Config: config, Group: topic})
	if err != nil {
		b.Fatal(err)
	}
	defer sub.Close()
	msgs, err := sub.Subscribe(context.Background(), topic)
	if err != nil {
		b.Fatal(err)
	}
	once := func(i int) (sent, through time.Duration) {
		start := time.Now()
		if err := pub.Publish(topic, sample(i)); err != nil {
			b.Fatal(err)
		}
		sent = time.Since(start)
		(<-msgs).Ack()
		return sent, time.Since(start)
	}
	once(0)
	var sent, through []time.Duration
	for b.Loop() {
		s, d := once(len(through))
		sent, through = append(sent, s), append(through, d)
	}
	report := func(name string, d []time.Duration) {
		sort.Slice(d, func(i, j int) bool { return d[i] < d[j] })
		b.ReportMetric(float64(d[len(d)/2].Microseconds()), name+"-p50-µs")
		b.ReportMetric(float64(d[len(d)*99/100].Microseconds()), name+"-p99-µs")
	}
	report("ack", sent)
	report("delivered", through)
}
