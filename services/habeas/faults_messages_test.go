//go:build unix

package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/link"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/links"
	"habeas.dev/services/internal/relay"
	"habeas.dev/services/internal/transport"
)

// copyHeader marks the mirror's own messages.
const copyHeader = "test-copy"

func (s *faultyFleet) topics() (names []string) {
	s.t.Helper()
	manifests, err := node.Manifests(s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	specs, err := node.Topics(manifests, s.cfg.Topics)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, spec := range specs {
		names = append(names, spec.Name)
	}
	return names
}

// subscriber joins a group as a service does, for the time of a test.
func (s *faultyFleet) subscriber(group string, fromEnd bool) *bus.Subscriber {
	s.t.Helper()
	sub, err := bus.NewSubscriber(bus.SubscriberConfig{Config: bus.Config{Brokers: s.cfg.Kafka.Brokers}, Group: group, FromEnd: fromEnd})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := sub.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return sub
}

func (s *faultyFleet) publisher() *bus.Publisher {
	s.t.Helper()
	pub, err := bus.NewPublisher(bus.PublisherConfig{Config: bus.Config{Brokers: s.cfg.Kafka.Brokers}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := pub.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return pub
}

// mirror publishes every message of every topic once more, until the test ends.
// What it returns waits until so many were.
func (s *faultyFleet) mirror() (copied func(least int64)) {
	s.t.Helper()
	pub, sub := s.publisher(), s.subscriber("test.mirror", true)
	var n atomic.Int64
	names := s.topics()
	for _, topic := range names {
		messages, err := sub.Subscribe(s.t.Context(), topic)
		if err != nil {
			s.t.Fatal(err)
		}
		go func() {
			for msg := range messages {
				if msg.Metadata.Get(copyHeader) != "" {
					msg.Ack()
					continue
				}
				again := msg.Copy()
				again.Metadata.Set(copyHeader, "1")
				if pub.Publish(topic, again) != nil {
					msg.Nack()
					continue
				}
				n.Add(1)
				msg.Ack()
			}
		}()
	}
	s.eventually("every topic is read", func() bool {
		read, placed := map[string]bool{}, true
		for _, p := range sub.Stats().Partitions {
			read[p.Topic] = true
			placed = placed && p.Fetched >= 0
		}
		return placed && len(read) == len(names)
	})
	return func(least int64) {
		s.t.Helper()
		s.eventually(fmt.Sprint(least, " messages are copied"), func() bool { return n.Load() >= least })
	}
}

func (s *faultyFleet) eventually(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	beat := time.NewTicker(10 * time.Millisecond)
	defer beat.Stop()
	for !holds() {
		select {
		case <-beat.C:
		case <-ctx.Done():
			s.t.Fatalf("never happened: %s", what)
		}
	}
}

// loseReports replaces all coordinators by one that never gets one report of so
// many, until the test ends.
func (s *faultyFleet) loseReports(one int64) (lost func() int64) {
	s.t.Helper()
	for _, m := range s.coordinators() {
		m.stopGently()
		s.t.Cleanup(m.begin)
	}
	lossy := &lossy{from: s.subscriber(coordinator.Group, false), one: one}
	carrier := transport.NewCarrier(s.publisher())
	log := slog.New(slog.DiscardHandler)
	mirror, err := installation.OpenMirror(s.t.Context(), s.in.Config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = mirror.Close() })
	hub := link.NewHub(s.in.Vault, s.in.Links, now)
	c := coordinator.New(coordinator.Config{Requests: s.in.Requests, Timers: s.in.Journal, Links: hub, Keeper: node.NewKeeper(s.in, mirror), Now: now, Log: log})
	carry := relay.New(relay.Config{Queue: s.in.Journal, Publisher: links.Sealing{Hub: hub, Next: carrier}, Log: log})
	ctx, stop := context.WithCancel(s.t.Context())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{carry.Run, func(ctx context.Context) error { return c.Run(ctx, lossy, carrier) }} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				s.t.Error(err)
			}
		})
	}
	s.t.Cleanup(func() { stop(); running.Wait() })
	return lossy.lost.Load
}

// lossy is a subscriber that takes some messages away.
type lossy struct {
	from       transport.Subscriber
	one        int64
	seen, lost atomic.Int64
}

func (l *lossy) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	in, err := l.from.Subscribe(ctx, topic)
	if err != nil {
		return nil, err
	}
	out := make(chan *message.Message)
	go func() {
		defer close(out)
		for msg := range in {
			if l.seen.Add(1)%l.one == 0 {
				l.lost.Add(1)
				msg.Ack()
				continue
			}
			out <- msg
		}
	}()
	return out, nil
}

// deleteTopics deletes every topic, and returns when they are gone.
func (s *faultyFleet) deleteTopics() {
	s.t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(s.cfg.Kafka.Brokers...), Timeout: patience}
	res, err := client.DeleteTopics(s.t.Context(), &kafka.DeleteTopicsRequest{Topics: s.topics()})
	if err != nil {
		s.t.Fatal(err)
	}
	for topic, err := range res.Errors {
		if err != nil {
			s.t.Fatalf("%s: %v", topic, err)
		}
	}
	// The answer comes before the broker has forgotten them.
	s.eventually("all topics are gone", func() bool {
		states, err := bus.DescribeTopics(s.t.Context(), bus.Config{Brokers: s.cfg.Kafka.Brokers}, s.topics(), nil)
		return err == nil && len(states) == 0
	})
}
