package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"
)

const (
	// defaultMaxMessageBytes is what Apache Kafka takes as it comes
	// (message.max.bytes, 1,048,588), with room for the batch around it.
	defaultMaxMessageBytes = 1_000_000
	defaultPublishTimeout  = 30 * time.Second
)

// PublisherConfig says how to publish. Zero values mean the defaults.
type PublisherConfig struct {
	Config
	// MaxMessageBytes is the largest message (key, headers and payload) that
	// is tried. It MUST NOT be above the topics' max.message.bytes. Default
	// 1,000,000.
	MaxMessageBytes int
	// Timeout bounds one Publish, retries included; the context of the first
	// message may end it sooner. Default 30 s.
	Timeout time.Duration
}

// TooLargeError says that a message is over the limit.
type TooLargeError struct {
	Topic       string
	Size, Limit int // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("bus: topic %s: a message of %d bytes is over the limit of %d", e.Topic, e.Size, e.Limit)
}

// Publisher is a watermill Publisher. It is safe for concurrent use, and meant
// to be shared: messages that are published at the same time travel together.
type Publisher struct {
	config PublisherConfig
	writer *kafka.Writer

	mu     sync.RWMutex
	closed bool
}

// NewPublisher checks the configuration. It connects to nothing.
func NewPublisher(c PublisherConfig) (*Publisher, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.MaxMessageBytes = cmp.Or(c.MaxMessageBytes, defaultMaxMessageBytes)
	c.Timeout = cmp.Or(c.Timeout, defaultPublishTimeout)
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	return &Publisher{config: c, writer: &kafka.Writer{
		Addr: c.addr(), Balancer: kafka.Murmur2Balancer{Consistent: false}, RequiredAcks: kafka.RequireAll,
		BatchTimeout: time.Millisecond, BatchSize: 100, BatchBytes: int64(c.MaxMessageBytes), Transport: transport,
		WriteBackoffMin: 20 * time.Millisecond,
	}}, nil
}

// Publish sends the messages as one batch per partition and returns when every
// one is acknowledged by all in-sync replicas. On an error, any of them may
// have been stored, and may be again when it is called again.
func (p *Publisher) Publish(topic string, msgs ...*message.Message) error {
	if len(msgs) == 0 {
		return nil
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return ErrClosed
	}
	recs := make([]kafka.Message, len(msgs))
	for i, m := range msgs {
		recs[i] = encode(m)
		recs[i].Topic = topic
	}
	ctx, cancel := context.WithTimeout(msgs[0].Context(), p.config.Timeout)
	defer cancel()
	err := p.writer.WriteMessages(ctx, recs...)
	var large kafka.MessageTooLargeError
	if errors.As(err, &large) {
		return &TooLargeError{Topic: topic, Size: len(large.Message.Value), Limit: p.config.MaxMessageBytes}
	}
	if err != nil {
		return fmt.Errorf("publish to %s: %w", topic, explain(p.config.Brokers, err))
	}
	return nil
}

// Close waits for what is being published. Further calls do nothing more.
func (p *Publisher) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return p.writer.Close()
}
