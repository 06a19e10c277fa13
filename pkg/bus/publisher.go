package bus

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

const (
	// defaultMaxMessageBytes is what Apache Kafka takes as it comes
	// (message.max.bytes, 1,048,588), with room for the batch around it.
	defaultMaxMessageBytes = 1_000_000
	defaultPublishTimeout  = 30 * time.Second
	// closeTimeout is well below what a supervisor waits before it kills.
	closeTimeout = 10 * time.Second
)

// PublisherConfig configures a [Publisher]. Zero values mean the defaults.
type PublisherConfig struct {
	Config
	// MaxMessageBytes is the size of the largest message (key, headers and payload)
	// that is sent; a larger one fails with a [TooLargeError]. It MUST NOT be above
	// the topics' max.message.bytes. Default 1,000,000.
	MaxMessageBytes int
	// Timeout bounds one Publish, retries included; the context of the first
	// message may end it sooner. Default 30 s.
	Timeout time.Duration
}

// TooLargeError is returned for a message over the size limit.
type TooLargeError struct {
	Topic       string
	Size, Limit int // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("bus: topic %s: a message of %d bytes is over the limit of %d", e.Topic, e.Size, e.Limit)
}

// Publisher is a watermill Publisher. It is safe for concurrent use, and meant
// to be shared: messages that are published while a request is on its way
// travel together in the next, of whatever topic they are. So a lone message
// waits for nothing, and many make few requests.
type Publisher struct {
	config      PublisherConfig
	accumulator *accumulator

	mu       sync.Mutex
	closed   bool
	calls    sync.WaitGroup
	finished chan struct{} // closed at the end of Close

	// life ends when what isn't acknowledged is given up.
	life   context.Context
	giveUp context.CancelFunc
}

// NewPublisher returns a publisher, or an error if the configuration is wrong; it
// connects when it first publishes. It connects to nothing: use Ping or
// EnsureTopics to know at the start whether the brokers can be reached.
func NewPublisher(c PublisherConfig) (*Publisher, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.MaxMessageBytes = cmp.Or(c.MaxMessageBytes, defaultMaxMessageBytes)
	c.Timeout = cmp.Or(c.Timeout, defaultPublishTimeout)
	if c.MaxMessageBytes < 0 || c.Timeout < 0 {
		return nil, fmt.Errorf("bus: publisher: MaxMessageBytes and Timeout must not be negative")
	}
	transport, err := c.Transport()
	if err != nil {
		return nil, err
	}
	p := &Publisher{config: c, accumulator: newAccumulator(newRoutes(c.Config, transport), c.MaxMessageBytes), finished: make(chan struct{})}
	p.life, p.giveUp = context.WithCancel(context.Background())
	return p, nil
}

// Publish sends the messages, those of one partition in order, and returns
// when every one is acknowledged by all in-sync replicas. Messages of one key
// go to one partition, the one that Java's producer would choose too; those
// without a key go to one after the other.
//
// On an error, any of them may have been stored, and will be again when it is
// called again: consumers MUST tolerate duplicates. A *TooLargeError comes
// before anything was sent.
func (p *Publisher) Publish(topic string, msgs ...*message.Message) error {
	if len(msgs) == 0 {
		return nil
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return ErrClosed
	}
	p.calls.Add(1)
	p.mu.Unlock()
	defer p.calls.Done()
	for _, m := range msgs {
		if n := messageSize(m); n > p.config.MaxMessageBytes {
			return &TooLargeError{Topic: topic, Size: n, Limit: p.config.MaxMessageBytes}
		}
	}
	ctx, cancel := context.WithTimeout(msgs[0].Context(), p.config.Timeout)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	if err := p.accumulator.send(ctx, topic, msgs); err != nil {
		return fmt.Errorf("bus: publish to %s: %w", topic, err)
	}
	return nil
}

// Close waits for what is being published, at most closeTimeout; what is not
// acknowledged by then fails. Further calls wait for the first, and do nothing.
func (p *Publisher) Close() error {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	p.mu.Unlock()
	if !first {
		<-p.finished
		return nil
	}
	t := time.AfterFunc(closeTimeout, p.giveUp)
	p.calls.Wait()
	t.Stop()
	p.giveUp()
	p.accumulator.routes.transport.CloseIdleConnections()
	close(p.finished)
	return nil
}

var _ message.Publisher = (*Publisher)(nil)
