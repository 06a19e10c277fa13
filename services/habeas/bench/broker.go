package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/topics"
)

// offsets are the ends of the logs, by topic and partition.
type offsets map[string]map[int]int64

// endOffsets returns the ends of all of Habeas' topics.
func endOffsets(ctx context.Context, as func(string) bus.Config) (offsets, error) {
	c := as(topics.UserOperator)
	transport, err := c.Transport()
	if err != nil {
		return nil, err
	}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport}
	meta, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, err
	}
	asked := map[string][]kafka.OffsetRequest{}
	for _, t := range meta.Topics {
		if !strings.HasPrefix(t.Name, "dsar.") {
			continue
		}
		for _, p := range t.Partitions {
			asked[t.Name] = append(asked[t.Name], kafka.LastOffsetOf(p.ID))
		}
	}
	answer, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: asked})
	if err != nil {
		return nil, err
	}
	ends := offsets{}
	for topic, partitions := range answer.Topics {
		ends[topic] = map[int]int64{}
		for _, p := range partitions {
			if p.Error != nil {
				return nil, fmt.Errorf("offsets of %s: %w", topic, p.Error)
			}
			ends[topic][p.Partition] = p.LastOffset
		}
	}
	return ends, nil
}

// traffic is how many messages went through the broker, and how large they are
// on average, headers included.
type traffic struct {
	count int64
	size  int // 0 where they couldn't be read
}

func (t traffic) sizeNote() string {
	if t.size == 0 {
		return ""
	}
	return fmt.Sprintf("of %d bytes", t.size)
}

// reader returns who reads a topic, where they can be asked.
func (t *target) reader(topic string) (bus.Config, bool) {
	if len(t.systems) == 0 {
		return bus.Config{}, false
	}
	for _, a := range topics.Accesses(t.systems) {
		if slices.Contains(a.Reads, topic) {
			return t.as(a.User), true
		}
	}
	return bus.Config{}, false
}

// maxWait is how long a fetch waits for more; a reader that is closed waits for its
// last one.
const maxWait = 50 * time.Millisecond

// samplesOf is how many messages of a topic are looked at for their size.
const samplesOf = 200

// trafficSince returns what went through since the logs had these ends.
func (from *target) trafficSince(ctx context.Context, before offsets) (traffic, error) {
	after, err := endOffsets(ctx, from.as)
	if err != nil {
		return traffic{}, err
	}
	var t traffic
	bytes := 0.0
	for topic, partitions := range after {
		var count int64
		sampled := -1
		for p, end := range partitions {
			if n := end - before[topic][p]; n > 0 {
				count += n
				sampled = p
			}
		}
		if count == 0 {
			continue
		}
		t.count += count
		reader, ok := from.reader(topic)
		if !ok {
			continue
		}
		size, err := meanSize(ctx, reader, topic, sampled, before[topic][sampled], min(samplesOf, partitions[sampled]-before[topic][sampled]))
		if err != nil {
			return t, err
		}
		bytes += size * float64(count)
	}
	if t.count > 0 {
		t.size = int(bytes / float64(t.count))
	}
	return t, nil
}

func meanSize(ctx context.Context, as bus.Config, topic string, partition int, from, count int64) (float64, error) {
	dialer, err := as.Dialer()
	if err != nil {
		return 0, err
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: as.Brokers, Dialer: dialer, Topic: topic, Partition: partition, MaxWait: maxWait})
	defer func() { _ = r.Close() }() // it was only read
	if err := r.SetOffset(from); err != nil {
		return 0, err
	}
	bytes := 0
	for range count {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return 0, fmt.Errorf("sample of %s: %w", topic, err)
		}
		bytes += len(m.Key) + len(m.Value)
		for _, h := range m.Headers {
			bytes += len(h.Key) + len(h.Value)
		}
	}
	return float64(bytes) / float64(count), nil
}

// rawBroker returns how long kafka-go alone takes to write so many messages of that
// size, and to read them: by several writers in large batches, and a reader for
// each partition, without a group.
func rawBroker(ctx context.Context, as func(string) bus.Config, t traffic) (time.Duration, error) {
	const topic, writers, batch = event.TopicRejected, 4, 500 // a topic that nobody reads here
	ends, err := endOffsets(ctx, as)
	if err != nil {
		return 0, err
	}
	dialer, err := as(topics.UserOperator).Dialer()
	if err != nil {
		return 0, err
	}
	writer := as(topics.UserIntake)
	transport, err := writer.Transport()
	if err != nil {
		return 0, err
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var read atomic.Int64
	var readers, writing sync.WaitGroup
	for p, end := range ends[topic] {
		r := kafka.NewReader(kafka.ReaderConfig{Brokers: writer.Brokers, Dialer: dialer, Topic: topic, Partition: p, MaxWait: maxWait})
		if err := r.SetOffset(end); err != nil {
			return 0, err
		}
		readers.Go(func() {
			defer func() { _ = r.Close() }() // it was only read
			for {
				if _, err := r.ReadMessage(ctx); err != nil {
					cancel(err)
					return
				}
				if read.Add(1) == t.count {
					cancel(errAllRead)
				}
			}
		})
	}
	w := &kafka.Writer{Addr: kafka.TCP(writer.Brokers...), Transport: transport, Topic: topic, BatchSize: batch, BatchTimeout: time.Millisecond, RequiredAcks: kafka.RequireAll, Balancer: &kafka.RoundRobin{}}
	began := time.Now()
	var left atomic.Int64
	left.Store(t.count)
	for range writers {
		writing.Go(func() {
			for ctx.Err() == nil {
				n := left.Add(-batch) + batch // what was left before
				if n <= 0 {
					return
				}
				messages := make([]kafka.Message, min(batch, n))
				for i := range messages {
					messages[i].Value = make([]byte, t.size)
				}
				if err := w.WriteMessages(ctx, messages...); err != nil {
					cancel(err)
				}
			}
		})
	}
	readers.Wait()
	took := time.Since(began)
	writing.Wait()
	_ = w.Close()
	if err := context.Cause(ctx); !errors.Is(err, errAllRead) {
		return 0, fmt.Errorf("kafka-go alone: %w", err)
	}
	return took, nil
}

var errAllRead = errors.New("all is read")
