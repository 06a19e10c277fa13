package bus_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/internal/observe"
)

// ledger holds what members commit against what they may.
type ledger struct {
	t  *testing.T
	mu sync.Mutex
	// busy are the members' generations that have a commit under way.
	busy map[string]bool
	// last is what a generation committed last, by partition.
	last map[string]map[int]int64
	// top is the highest offset that any commit succeeded with, by partition.
	top              map[int]int64
	commits, refused int
}

func (l *ledger) begin(member string, generation int32, offsets map[int]int64) (end func(error)) {
	id := fmt.Sprintf("%s/%d", member, generation)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[id] {
		l.t.Errorf("generation %d: two commits at the same time", generation)
	}
	l.busy[id] = true
	before := l.last[id]
	for p, offset := range offsets {
		if offset <= before[p] {
			l.t.Errorf("generation %d, partition %d: commits %d after %d", generation, p, offset, before[p])
		}
	}
	return func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.busy, id)
		if err != nil {
			l.refused++
			return
		}
		l.commits++
		if l.last[id] == nil {
			l.last[id] = make(map[int]int64)
		}
		maps.Copy(l.last[id], offsets)
		for p, offset := range offsets {
			// Another generation may have the partition by now; but then the
			// brokers refuse this one, or it began where that one ended.
			if offset < l.top[p] {
				l.t.Errorf("generation %d, partition %d: the brokers took %d after %d", generation, p, offset, l.top[p])
			}
			l.top[p] = max(l.top[p], offset)
		}
	}
}

// TestOneCommitterPerGeneration has members join and leave as fast as they can
// while messages flow and are committed every millisecond. No generation has two
// commits under way; no offset moves back, neither in what is committed nor in
// what the broker has; nothing is lost.
func TestOneCommitterPerGeneration(t *testing.T) {
	t.Parallel()
	const partitions, changes, atOnce = 4, 15, 3
	r := newRig(t, brokers(t), partitions)
	l := &ledger{t: t, busy: map[string]bool{}, last: map[string]map[int]int64{}, top: map[int]int64{}}
	y := newTally()
	var drinking sync.WaitGroup
	join := func() *bus.Subscriber {
		s := r.subscriber(func(c *bus.SubscriberConfig) { c.CommitInterval = time.Millisecond })
		ch, err := s.Subscribe(observe.WithCommits(context.Background(), l.begin), r.topic)
		if err != nil {
			t.Fatal(err)
		}
		drinking.Go(func() { y.drink(ch) })
		return s
	}

	ctx, stopWatching := context.WithCancel(t.Context())
	defer stopWatching()
	var watching sync.WaitGroup
	watching.Go(func() { watchOffsets(ctx, t, r, partitions) })
	storm, calm := context.WithCancel(t.Context())
	defer calm()
	published := make(chan int, 1)
	go func() { published <- publishUntil(storm, t, r) }()

	members := []*bus.Subscriber{join()}
	for range changes {
		members = append(members, join())
		if len(members) > atOnce {
			i := rand.IntN(len(members)) //nolint:gosec // any will do
			if err := members[i].Close(); err != nil {
				t.Fatal(err)
			}
			members = append(members[:i], members[i+1:]...)
		}
		_, before := y.count()
		r.until("messages flow", func() bool { _, n := y.count(); return n > before+50 })
	}
	calm()
	messages := <-published
	r.until("every message came", func() bool { n, _ := y.count(); return n == messages })
	r.until("everything is committed", func() bool {
		var sum int64
		for p := range partitions {
			sum += max(0, r.committed(p))
		}
		return sum == int64(messages)
	})
	stopWatching()
	watching.Wait()
	for _, m := range members {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	drinking.Wait()
	if len(l.last) < changes {
		t.Errorf("%d generations committed: no storm", len(l.last))
	}
	_, all := y.count()
	t.Logf("%d messages, %d duplicates; %d commits, %d refused, by %d generations of members", messages, all-messages, l.commits, l.refused, len(l.last))
}

// publishUntil publishes at a pace until ctx ends, and returns how many.
func publishUntil(ctx context.Context, t *testing.T, r *rig) int {
	pub := r.publisher()
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return n
		case <-pace.C:
		}
		for range 5 {
			if err := pub.Publish(r.topic, msg(fmt.Sprint(n%97), fmt.Sprint(n))); err != nil {
				t.Error(err)
				return n
			}
			n++
		}
	}
}

// watchOffsets looks at what the broker has until ctx ends: it never moves back.
func watchOffsets(ctx context.Context, t *testing.T, r *rig, partitions int) {
	client := r.client()
	last := make(map[int]int64)
	ids := make([]int, partitions)
	for p := range ids {
		ids[p] = p
	}
	looks := 0
	for ctx.Err() == nil {
		res, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: r.group, Topics: map[string][]int{r.topic: ids}})
		if err != nil || res.Error != nil {
			continue // no coordinator yet, or the end
		}
		looks++
		for _, p := range res.Topics[r.topic] {
			if max(0, p.CommittedOffset) < last[p.Partition] { // -1: none yet
				t.Errorf("partition %d: the broker's offset went from %d back to %d", p.Partition, last[p.Partition], p.CommittedOffset)
			}
			last[p.Partition] = max(last[p.Partition], p.CommittedOffset)
		}
	}
	if looks == 0 {
		t.Error("the broker's offsets were never seen")
	}
}
