package bus

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/internal/observe"
)

// subscription is one member of a consumer group, for one topic.
type subscription struct {
	sub    *Subscriber
	topic  string
	log    *slog.Logger
	limits limits

	commitInterval time.Duration
	watchInterval  time.Duration
	drainTimeout   time.Duration

	out     chan *message.Message
	caller  context.Context // the values for messages
	closing context.Context // ends when the subscription is to end
	close   context.CancelFunc

	// partitions is how many the topic had when it was last looked at.
	partitions int
	// old is how many the topic had when the subscription began.
	old int

	count   counts
	commits observe.Commit

	mu       sync.Mutex
	current  *generation // nil while outside of the group
	last     *generation // the current one, or the one before
	outSince time.Time
	lastErr  error
	troubled time.Time // since when there is a lastErr
}

func (s *Subscriber) newSubscription(ctx context.Context, topic string) *subscription {
	c := s.config
	closing, cancel := context.WithCancel(ctx)
	return &subscription{
		sub: s, topic: topic, log: s.log,
		limits:         limits{inFlight: c.InFlight, window: c.Window, bytes: c.HeldBytes, nackMin: c.NackMin, nackMax: c.NackMax},
		commitInterval: c.CommitInterval, watchInterval: c.WatchInterval, drainTimeout: c.DrainTimeout,
		out: make(chan *message.Message), caller: ctx, closing: closing, close: cancel, commits: observe.Commits(ctx), outSince: time.Now(),
	}
}

// run works through one generation after the other until the subscription closes.
func (s *subscription) run() {
	defer close(s.out)
	defer s.close()
	s.old = math.MaxInt // all, where nobody can say
	if n, err := s.sub.countPartitions(s.closing, s.topic); err == nil {
		s.partitions, s.old = n, n
	}
	start := kafka.FirstOffset
	if s.sub.config.FromEnd {
		start = kafka.LastOffset
	}
	session := s.sub.config.SessionTimeout
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: s.sub.config.Group, Brokers: s.sub.config.Brokers, Dialer: s.sub.dialer, Topics: []string{s.topic},
		HeartbeatInterval: session / heartbeats, SessionTimeout: session, RebalanceTimeout: rebalanceTimeout,
		JoinGroupBackoff: joinBackoff, StartOffset: start,
	})
	if err != nil {
		// Only for a configuration that NewSubscriber should have refused.
		s.log.Error("bus: cannot make a consumer group", "topic", s.topic, "error", err)
		return
	}
	defer group.Close() //nolint:errcheck // leaving the group fails where the broker is gone, and then it times out
	for s.closing.Err() == nil {
		gen, err := group.Next(s.closing)
		if err != nil {
			if s.closing.Err() != nil || errors.Is(err, kafka.ErrGroupClosed) {
				return
			}
			// The group tries again by itself, after joinBackoff.
			s.trouble(explain(s.sub.config.Brokers, err))
			continue
		}
		s.well()
		s.count.rebalances.Add(1)
		g := newGeneration(s, gen)
		s.setGeneration(g)
		ended := make(chan struct{})
		gen.Start(func(ctx context.Context) {
			defer close(ended)
			g.run(ctx)
		})
		<-ended
		s.setGeneration(nil)
	}
}

func (s *subscription) setGeneration(g *generation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = g
	if g == nil {
		s.outSince = time.Now()
		return
	}
	s.last = g
}

// outside returns for how long this member has been outside of its group.
func (s *subscription) outside() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		return 0
	}
	return time.Since(s.outSince)
}

// trouble keeps an error for Check, and logs it where it is of another kind than the last
// one: a broker that goes away breaks connections, then refuses them, then answers with
// codes, and all of that is one outage.
func (s *subscription) trouble(err error) {
	s.mu.Lock()
	news := s.lastErr == nil || (!temporary(err) && s.lastErr.Error() != err.Error())
	if s.lastErr == nil {
		s.troubled = time.Now()
	}
	s.lastErr = err
	s.mu.Unlock()
	if news {
		s.log.Warn("bus: trouble, trying again", "topic", s.topic, "group", s.sub.config.Group, "error", err)
	}
}

// well says that a trouble is over, where there was one.
func (s *subscription) well() {
	s.mu.Lock()
	over, since := s.lastErr != nil, s.troubled
	s.lastErr = nil
	s.mu.Unlock()
	if over {
		s.log.Info("bus: the trouble is over", "topic", s.topic, "group", s.sub.config.Group, "after", time.Since(since).Round(time.Millisecond))
	}
}
