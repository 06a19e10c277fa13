package bus_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
)

// grow adds partitions to the rig's topic, up to n, and waits until the broker
// tells of them: its answer comes before that.
func (r *rig) grow(n int32) {
	r.t.Helper()
	res, err := r.client().CreatePartitions(r.t.Context(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: r.topic, Count: n}}})
	if err != nil || res.Errors[r.topic] != nil {
		r.t.Fatal(err, res)
	}
	r.until("the broker knows the partitions", func() bool {
		m, err := r.client().Metadata(r.t.Context(), &kafka.MetadataRequest{Topics: []string{r.topic}})
		return err == nil && len(m.Topics) == 1 && len(m.Topics[0].Partitions) == int(n)
	})
}

// readers returns how many partitions are read, over all members.
func readers(members []*bus.Subscriber) int {
	read := make(map[int]bool)
	for _, m := range members {
		for _, p := range m.Stats().Partitions {
			read[p.Partition] = true
		}
	}
	return len(read)
}

// requests are keys whose messages follow one another as the tasks of a request
// do: the next is published when the one before is done.
type requests struct {
	mu         sync.Mutex
	done       map[string]int // the number of the last
	partitions map[string]map[int]bool
	wrong      []string
	next       chan string
}

// take is the worker: it checks the order, and has the key's next be published.
func (q *requests) take(m *message.Message) {
	at, _ := bus.PositionOf(m.Context())
	key := bus.Key(m)
	var n int
	_, _ = fmt.Sscan(string(m.Payload), &n)
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case n == q.done[key]+1:
		q.done[key] = n
		if q.partitions[key] == nil {
			q.partitions[key] = make(map[int]bool)
		}
		q.partitions[key][at.Partition] = true
		m.Ack()
		q.next <- key
		return
	case n > q.done[key]:
		q.wrong = append(q.wrong, fmt.Sprintf("key %s: %d came after %d", key, n, q.done[key]))
	default:
		// Once more, after a rebalance.
	}
	m.Ack()
}

func (q *requests) all() (sum, moved int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, n := range q.done {
		sum += n
		if len(q.partitions[key]) > 1 {
			moved++
		}
	}
	return sum, moved
}

// TestPartitionsAreAddedUnderLoad grows a topic twice while tasks flow, some one
// after the other by request, some in a stream. Nothing is lost, a request's
// tasks stay in order though its key moves to another partition, and readers
// and writers take the new partitions up: within a second of watching and a
// rebalance, and within the 5 s after which a publisher looks.
func TestPartitionsAreAddedUnderLoad(t *testing.T) {
	t.Parallel()
	const keys = 60
	r := newRig(t, brokers(t), 2)
	pub := r.publisher()
	q := &requests{done: map[string]int{}, partitions: map[string]map[int]bool{}, next: make(chan string, keys)}
	y := newTally()
	var drinking sync.WaitGroup
	var members []*bus.Subscriber
	for range 2 {
		s := r.subscriber(func(c *bus.SubscriberConfig) { c.WatchInterval = time.Second })
		ch := r.subscribe(s)
		members = append(members, s)
		drinking.Go(func() {
			for m := range ch {
				if bus.Key(m)[0] == 'r' {
					q.take(m)
					continue
				}
				y.mu.Lock()
				y.seen[string(m.Payload)]++
				y.mu.Unlock()
				m.Ack()
			}
		})
	}
	load, enough := context.WithCancel(t.Context())
	defer enough()
	sent := make(chan map[string]int, 1)
	go func() { sent <- q.publish(load, t, r, pub) }()
	streamed := make(chan int, 1)
	go func() { streamed <- publishUntil(load, t, r) }()

	for i := range keys {
		q.next <- fmt.Sprintf("r%d", i)
	}
	for _, n := range []int{5, 9} {
		before, _ := q.all()
		r.until("tasks flow", func() bool { sum, _ := q.all(); return sum > before+5*keys })
		r.grow(int32(n))
		began := time.Now()
		r.until("all partitions are read", func() bool { return readers(members) == n })
		read := time.Since(began)
		r.until("all partitions are written to", func() bool { return written(members) == n })
		t.Logf("%d partitions: read after %s, written to after %s", n, read.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
		before, _ = q.all()
		r.until("tasks flow on", func() bool { sum, _ := q.all(); return sum > before+5*keys })
	}
	enough()
	want, stream := <-sent, <-streamed
	r.until("every task came", func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return maps.Equal(q.done, want)
	})
	r.until("the whole stream came", func() bool { n, _ := y.count(); return n == stream })
	for _, m := range members {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	drinking.Wait()
	if len(q.wrong) > 0 {
		t.Errorf("%d out of order: %s", len(q.wrong), q.wrong[0])
	}
	sum, moved := q.all()
	if moved < keys/4 {
		t.Errorf("%d keys changed their partition: nothing was tried", moved)
	}
	t.Logf("%d tasks of %d requests, %d of which changed their partition; %d others", sum, keys, moved, stream)
}

// written returns how many partitions hold records.
func written(members []*bus.Subscriber) int {
	n := make(map[int]bool)
	for _, m := range members {
		for _, p := range m.Stats().Partitions {
			if p.End > 0 {
				n[p.Partition] = true
			}
		}
	}
	return len(n)
}

// publish publishes each key's next task when the one before is done, until ctx
// ends. It returns the last of each.
func (q *requests) publish(ctx context.Context, t *testing.T, r *rig, pub *bus.Publisher) map[string]int {
	last := make(map[string]int)
	for {
		var batch []*message.Message
		select {
		case key := <-q.next:
			for more := true; more; {
				last[key]++
				batch = append(batch, msg(key, fmt.Sprint(last[key])))
				select {
				case key = <-q.next:
				default:
					more = false
				}
			}
		case <-ctx.Done():
			return last
		}
		if err := pub.Publish(r.topic, batch...); err != nil {
			t.Error(err)
			return last
		}
	}
}

// TestAddedPartitionIsReadFromItsStart: also by one that began at the end.
func TestAddedPartitionIsReadFromItsStart(t *testing.T) {
	t.Parallel()
	for _, fromEnd := range []bool{false, true} {
		t.Run(fmt.Sprintf("FromEnd=%t", fromEnd), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, brokers(t), 1)
			old := r.publisher()
			r.publish(old, msg("a", "old"))
			sub := r.subscriber(func(c *bus.SubscriberConfig) { c.FromEnd, c.WatchInterval = fromEnd, 2*time.Second })
			ch := r.subscribe(sub)
			if fromEnd {
				r.until("it is at the end", func() bool { st := sub.Stats(); return len(st.Partitions) == 1 && st.Partitions[0].Done == 1 })
			} else {
				r.next(ch).Ack()
				r.until("it is committed", func() bool { return r.committed(0) == 1 })
			}
			r.grow(4)
			// One that knows the partitions from its start writes to all of
			// them, most likely before they are read.
			pub := r.publisher()
			const messages = 40
			for i := range messages {
				r.publish(pub, msg(fmt.Sprint(i), fmt.Sprint(i)))
			}
			came, partitions := make(map[string]bool), make(map[int]bool)
			for len(came) < messages { // one may come twice
				m := r.next(ch)
				partitions[partitionOf(t, m, r)] = true
				came[string(m.Payload)] = true
				m.Ack()
			}
			if came["old"] || len(partitions) != 4 {
				t.Errorf("%v came, from %d partitions", slices.Sorted(maps.Keys(came)), len(partitions))
			}
		})
	}
}
