package bus

import (
	"context"
	"fmt"
	"time"
)

// Stall is the way in which a subscription makes no progress.
type Stall string

// The ways to stall.
const (
	// OutOfGroup: the brokers are away, or the group doesn't settle.
	OutOfGroup Stall = "not in its consumer group"
	// Unanswered: the partition's leader answers no fetch.
	Unanswered Stall = "no fetch was answered"
	// Unhandled: a message was handed out and isn't acknowledged.
	Unhandled Stall = "its oldest message isn't done"
)

// StalledError says that a partition, or a whole subscription, makes no progress.
type StalledError struct {
	Topic, Group string
	Partition    int // -1: the whole subscription
	Offset       int64
	How          Stall
	For          time.Duration
	Cause        error // the last trouble of the subscription, nil where none
}

// Error returns Summary and the cause.
func (e *StalledError) Error() string {
	if e.Cause == nil {
		return "bus: " + e.Summary()
	}
	return "bus: " + e.Summary() + ": " + e.Cause.Error()
}

// Summary says what stalls and for how long. It names no addresses, so it may be
// shown to anyone.
func (e *StalledError) Summary() string {
	d := e.For.Round(time.Second)
	if e.Partition < 0 {
		return fmt.Sprintf("topic %s, group %s: %s for %s", e.Topic, e.Group, e.How, d)
	}
	return fmt.Sprintf("topic %s, partition %d, offset %d, group %s: %s for %s", e.Topic, e.Partition, e.Offset, e.Group, e.How, d)
}

func (e *StalledError) Unwrap() error { return e.Cause }

// Check returns a [StalledError] where a subscription has been outside of its
// group, or a partition without an answer, for longer than StallLimit; or where a
// partition's watermark hasn't moved for longer than HandleLimit although there are
// records. It is meant for a health check.
func (s *Subscriber) Check(context.Context) error {
	return s.stalled(s.config.StallLimit, s.config.HandleLimit)
}

func (s *Subscriber) stalled(silent, waiting time.Duration) error {
	for _, sub := range s.subscriptions() {
		if err := sub.stalled(silent, waiting); err != nil {
			return err
		}
	}
	return nil
}

func (s *subscription) stalled(silent, waiting time.Duration) error {
	s.mu.Lock()
	g, since, cause := s.current, s.outSince, s.lastErr
	s.mu.Unlock()
	e := &StalledError{Topic: s.topic, Group: s.sub.config.Group, Partition: -1, How: OutOfGroup, Cause: cause}
	if g == nil {
		if e.For = time.Since(since); e.For > silent {
			return e
		}
		return nil
	}
	var st Stats
	g.lanes.addStats(&st, g.topic, g.parts)
	for _, p := range st.Partitions {
		e.Partition, e.Offset = p.Partition, p.Done
		switch {
		case p.Silent > silent:
			e.How, e.For = Unanswered, p.Silent
			return e
		case p.Waiting > waiting:
			e.How, e.For = Unhandled, p.Waiting
			return e
		}
	}
	return nil
}
