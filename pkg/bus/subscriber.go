package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"
	"go.opentelemetry.io/otel/metric"

	"habeas.dev/pkg/telemetry"
)

// The defaults of SubscriberConfig, and what isn't configurable.
const (
	defaultInFlight       = 512
	defaultWindow         = 8192
	defaultHeldBytes      = 32 << 20
	defaultCommitInterval = 200 * time.Millisecond
	defaultWatchInterval  = 5 * time.Second
	defaultDrain          = 10 * time.Second
	defaultNackMin        = 50 * time.Millisecond
	defaultNackMax        = 5 * time.Second
	// defaultStallLimit is well above what a rebalance and a broker's restart
	// take.
	defaultStallLimit = time.Minute
	// defaultHandleLimit is far above what a handler takes that decides and
	// stores.
	defaultHandleLimit = 5 * time.Minute
	// defaultSession is the least that brokers allow by default: a killed
	// member's partitions are taken over after it.
	defaultSession = 6 * time.Second
	// heartbeats is how many heartbeats are sent per session timeout: with six, one
	// that comes a few seconds late on a busy machine loses nothing, and a
	// rebalance is noticed within a second.
	heartbeats = 6
	// rebalanceDrain is how long a rebalance is held up for messages in
	// flight: every other member waits that long too.
	rebalanceDrain = 2 * time.Second
	// rebalanceTimeout is how long the broker waits for members to join
	// again; it must be well above rebalanceDrain.
	rebalanceTimeout = 15 * time.Second
	// joinBackoff is the wait after a join that failed (a coordinator that
	// isn't there yet, a broker that restarts).
	joinBackoff = 250 * time.Millisecond
)

// ErrClosed is returned by a closed Publisher or Subscriber.
var ErrClosed = telemetry.Constant("bus: closed")

// SubscriberConfig configures a [Subscriber]. Zero values mean the defaults.
type SubscriberConfig struct {
	Config
	// Group is the consumer group. Members of one group share the
	// partitions; each group gets every message. MUST be set.
	Group string
	// InFlight is how many messages may be handed out and unanswered at once,
	// per subscription. Default 512.
	InFlight int
	// Window is how many records of one partition may be fetched past the
	// oldest that isn't done; at most so many come again after a crash.
	// Default 8192.
	Window int
	// HeldBytes bounds the memory of records that are fetched and not done,
	// per subscription. It is exceeded by at most one fetch (4 MiB, or one
	// larger message). Default 32 MiB.
	HeldBytes int64
	// CommitInterval is how often the watermark is committed. What was done
	// since comes again after a crash. Default 200 ms.
	CommitInterval time.Duration
	// WatchInterval is how often the number of partitions is looked at.
	// Default 5 s.
	WatchInterval time.Duration
	// DrainTimeout is how long Close waits for messages in flight. A
	// rebalance waits for at most 2 s of it. Default 10 s.
	DrainTimeout time.Duration
	// NackMin is the wait before a message comes again after its first nack;
	// it doubles with each further one, up to NackMax. Defaults 50 ms, 5 s.
	NackMin, NackMax time.Duration
	// SessionTimeout is after how long without a heartbeat the group gives
	// this member's partitions away. Default 6 s, the least that Apache Kafka
	// allows as it comes.
	SessionTimeout time.Duration
	// StallLimit is for how long a partition may go unanswered, or this member
	// be outside of its group, until Check fails. Default 1 min.
	StallLimit time.Duration
	// HandleLimit is for how long a partition's watermark may stand although
	// there are records, because a message isn't acknowledged, until Check
	// fails. It SHOULD be above what a handler may take. Default 5 min.
	HandleLimit time.Duration
	// Meters gets the metrics (see metrics.go). Default: none.
	Meters metric.MeterProvider
	// FromEnd begins with messages that come from now on, instead of with the
	// oldest, where the group has committed nothing.
	FromEnd bool
	// Logger gets what an operator should know: warnings about lost
	// connections and offsets. No message contents, no keys. Default: none.
	Logger *slog.Logger
}

// Subscriber is a watermill Subscriber over consumer groups. See the package
// documentation for what it guarantees.
type Subscriber struct {
	config    SubscriberConfig
	dialer    *kafka.Dialer
	transport *kafka.Transport
	routes    *routes
	log       *slog.Logger
	unmeasure func() // ends the metrics

	mu      sync.Mutex
	closed  bool
	subs    map[*subscription]struct{}
	running sync.WaitGroup
}

// NewSubscriber returns a subscriber, or an error if the configuration is wrong; it
// connects when it first subscribes. It connects to nothing: use Ping or
// EnsureTopics to know at the start whether the brokers can be reached.
func NewSubscriber(c SubscriberConfig) (*Subscriber, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if c.Group == "" {
		return nil, errors.New("bus: subscriber has no consumer group")
	}
	c.InFlight = cmp.Or(c.InFlight, defaultInFlight)
	c.Window = cmp.Or(c.Window, defaultWindow)
	c.HeldBytes = cmp.Or(c.HeldBytes, defaultHeldBytes)
	c.CommitInterval = cmp.Or(c.CommitInterval, defaultCommitInterval)
	c.WatchInterval = cmp.Or(c.WatchInterval, defaultWatchInterval)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, defaultDrain)
	c.NackMin = cmp.Or(c.NackMin, defaultNackMin)
	c.NackMax = max(c.NackMin, cmp.Or(c.NackMax, defaultNackMax))
	c.SessionTimeout = cmp.Or(c.SessionTimeout, defaultSession)
	c.StallLimit = cmp.Or(c.StallLimit, defaultStallLimit)
	c.HandleLimit = cmp.Or(c.HandleLimit, defaultHandleLimit)
	for name, v := range map[string]int64{
		"InFlight": int64(c.InFlight), "Window": int64(c.Window), "HeldBytes": c.HeldBytes,
		"CommitInterval": int64(c.CommitInterval), "WatchInterval": int64(c.WatchInterval),
		"DrainTimeout": int64(c.DrainTimeout), "NackMin": int64(c.NackMin), "SessionTimeout": int64(c.SessionTimeout),
		"StallLimit": int64(c.StallLimit), "HandleLimit": int64(c.HandleLimit),
	} {
		if v < 0 {
			return nil, fmt.Errorf("bus: subscriber: %s is negative", name)
		}
	}
	dialer, err := c.Dialer()
	if err != nil {
		return nil, err
	}
	transport, err := c.Transport()
	if err != nil {
		return nil, err
	}
	log := c.Logger
	if log == nil {
		log = discard
	}
	s := &Subscriber{config: c, dialer: dialer, transport: transport, routes: newRoutes(c.Config, transport), log: log, subs: make(map[*subscription]struct{})}
	if s.unmeasure, err = s.measure(c.Meters); err != nil {
		return nil, fmt.Errorf("bus: subscriber: %w", err)
	}
	return s, nil
}

// Subscribe joins the group for topic and returns the channel of its messages.
// It returns at once; joining goes on, and is tried again, in the background.
//
// The channel is closed when ctx ends or the Subscriber is closed, after what
// is in flight was answered or DrainTimeout has passed. The messages' contexts
// carry the values of ctx, and are cancelled at their answer, or when nobody
// waits for it any more; not when ctx is.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	if topic == "" {
		return nil, errors.New("bus: subscribe: no topic")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	sub := s.newSubscription(ctx, topic)
	s.subs[sub] = struct{}{}
	s.running.Go(func() {
		sub.run()
		s.mu.Lock()
		delete(s.subs, sub)
		s.mu.Unlock()
	})
	return sub.out, nil
}

// Close stops handing out messages, waits up to DrainTimeout for those in flight,
// commits, leaves the group and closes the channels. Further calls do nothing more.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	for sub := range s.subs {
		sub.close()
	}
	s.mu.Unlock()
	s.running.Wait()
	s.unmeasure()
	s.transport.CloseIdleConnections()
	return nil
}

// countPartitions returns the number of a topic's partitions, 0 for a topic that
// doesn't exist. It asks a broker each time, over a connection of its own: what the
// shared transport knows may be seconds old, and a change that is seen late is
// taken for the one after it.
func (s *Subscriber) countPartitions(ctx context.Context, topic string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	transport, err := s.config.Transport()
	if err != nil {
		return 0, err
	}
	transport.MetadataTopics = []string{topic}
	defer transport.CloseIdleConnections()
	client := kafka.Client{Addr: s.config.addr(), Transport: transport}
	res, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, err
	}
	for _, t := range res.Topics {
		if t.Name == topic {
			return len(t.Partitions), nil
		}
	}
	return 0, nil
}
