package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

const (
	// routeTTL is how long a topic's layout is used without looking; an error
	// makes it be looked up at once.
	routeTTL = time.Second
	// refreshInterval is how often, at most, the layout is asked for anew
	// because of errors.
	refreshInterval = 200 * time.Millisecond
	// unknownTopicWait is how long a topic that isn't there is waited for: one
	// that was just made may not be known to every broker yet.
	unknownTopicWait = 5 * time.Second
	// unknownTopicTries is how often it is looked for at least: on a machine that
	// is busy, one look may take most of that time, and show what was known before
	// the topic was made.
	unknownTopicTries = 10
)

// routes caches which broker leads which partition.
type routes struct {
	brokers   []string
	transport *kafka.Transport
	config    Config

	mu        sync.RWMutex
	topics    map[string]*route
	refreshed time.Time
}

// route is the layout of one topic.
type route struct {
	leaders    []int32 // by partition
	partitions []int   // 0, 1, 2, …, as the balancer wants them
	at         time.Time
	next       atomic.Uint32 // partition for the next message without a key
}

func newRoutes(c Config, t *kafka.Transport) *routes {
	return &routes{brokers: c.Brokers, transport: t, config: c, topics: make(map[string]*route)}
}

// find waits until topic has partitions that all have leaders.
func (r *routes) find(ctx context.Context, topic string) (*route, error) {
	r.mu.RLock()
	has := r.topics[topic]
	r.mu.RUnlock()
	if has != nil && time.Since(has.at) < routeTTL {
		return has, nil
	}
	start := time.Now()
	for try := 1; ; try++ {
		found, err := r.lookUp(ctx, topic)
		switch {
		case err == nil:
			return found, nil
		case !temporary(err):
			return nil, explain(r.brokers, err)
		case errors.Is(err, kafka.UnknownTopicOrPartition) && try >= unknownTopicTries && time.Since(start) > unknownTopicWait:
			return nil, fmt.Errorf("there is no such topic: create it, or look for a typing error: %w", err)
		}
		r.refresh()
		if !pause(ctx, refreshInterval) {
			return nil, explain(r.brokers, err)
		}
	}
}

func (r *routes) lookUp(ctx context.Context, topic string) (*route, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	res, err := r.transport.RoundTrip(ctx, r.config.addr(), &metadata.Request{TopicNames: []string{topic}})
	if err != nil {
		return nil, err
	}
	for _, t := range res.(*metadata.Response).Topics {
		if t.Name != topic {
			continue
		}
		if t.ErrorCode != 0 {
			return nil, kafka.Error(t.ErrorCode)
		}
		found := &route{leaders: make([]int32, len(t.Partitions)), partitions: make([]int, len(t.Partitions)), at: time.Now()}
		for i, p := range t.Partitions {
			if p.PartitionIndex != int32(i) || p.LeaderID < 0 {
				return nil, kafka.LeaderNotAvailable
			}
			found.leaders[i], found.partitions[i] = p.LeaderID, i
		}
		if len(found.leaders) == 0 {
			return nil, kafka.LeaderNotAvailable
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if had := r.topics[topic]; had != nil {
			found.next.Store(had.next.Load())
		}
		r.topics[topic] = found
		return found, nil
	}
	return nil, kafka.UnknownTopicOrPartition
}

// refresh drops the cached layout, so that the next look-up asks a broker. The
// transport by itself would go on for seconds with what it has.
func (r *routes) refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.refreshed) < refreshInterval {
		return
	}
	r.refreshed = time.Now()
	clear(r.topics)
	r.transport.CloseIdleConnections()
}
