package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"golang.org/x/time/rate"

	"habeas.dev/pkg/telemetry"
)

const (
	// fetchWait is how long the broker holds a fetch when there is nothing:
	// it answers as soon as there is something, so this is only how often an
	// idle partition is heard of.
	fetchWait = time.Second
	// fetchWaitFull is the same while some partitions are left out because
	// they are full: they must not wait for the others.
	fetchWaitFull = 20 * time.Millisecond
	// fetchTimeout is how long an answer may take before the connection
	// counts as dead.
	fetchTimeout = 10 * time.Second
	// fetchPace is the least time from one fetch to the next, on average;
	// fetchBurst may go without a pause. Under load a fetch brings more then,
	// and costs less per message; a lone message finds a fetch that waits
	// for it.
	fetchPace  = 2 * time.Millisecond
	fetchBurst = 20
	// One fetch brings at most so much per partition and in all; the broker
	// sends a larger batch whole, so that no message is stuck.
	partitionFetchBytes = 1 << 20
	fetchBytes          = 4 << 20
	// fetchRetryMin and fetchRetryMax bound the wait between attempts to
	// reach a partition's leader.
	fetchRetryMin = 50 * time.Millisecond
	fetchRetryMax = 2 * time.Second
)

// errTopicGone says that a partition isn't there any more: its offsets mean
// nothing, so the generation ends and begins again from what the group has.
var errTopicGone = telemetry.Constant("topic or partition is gone")

// read fetches the generation's partitions until ctx ends. Errors are retried for
// ever, with growing waits; it returns errTopicGone when a partition is no longer
// there, and nil when ctx ended.
func (g *generation) read(ctx context.Context) error {
	wait := fetchRetryMin
	for {
		err := g.readOnce(ctx, func() { wait = fetchRetryMin })
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the end of ctx is how it ends
		case errors.Is(err, kafka.UnknownTopicOrPartition):
			return errTopicGone
		}
		g.trouble(explain(g.sub.config.Brokers, err))
		g.sub.routes.refresh()
		if !pause(ctx, wait) {
			return nil
		}
		wait = min(2*wait, fetchRetryMax)
	}
}

// readOnce fetches from every leader at the same time, until one of them fails.
func (g *generation) readOnce(ctx context.Context, healthy func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	at, err := g.sub.routes.find(ctx, g.topic)
	if err != nil {
		return err
	}
	byLeader := make(map[int32][]*partition, 1)
	for _, p := range g.parts {
		if p.id >= len(at.leaders) {
			return kafka.UnknownTopicOrPartition
		}
		byLeader[at.leaders[p.id]] = append(byLeader[at.leaders[p.id]], p)
	}
	var wg sync.WaitGroup
	var once sync.Mutex
	for _, parts := range byLeader {
		wg.Go(func() {
			err := g.readLeader(ctx, parts, func() {
				once.Lock()
				defer once.Unlock()
				healthy()
			})
			cancel(err)
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// readLeader fetches the partitions of one leader until it fails or ctx ends.
func (g *generation) readLeader(ctx context.Context, parts []*partition, healthy func()) error {
	pace := rate.NewLimiter(rate.Every(fetchPace), fetchBurst)
	for turn := 0; pace.Wait(ctx) == nil; turn++ {
		open := g.lanes.waitRoom(parts)
		if open == nil {
			return nil
		}
		wait := fetchWait
		if len(open) < len(parts) {
			wait = fetchWaitFull
		}
		res, err := g.fetch(ctx, open, turn, wait)
		if err != nil {
			return err
		}
		for t := range res.Topics {
			for i := range res.Topics[t].Partitions {
				if err := g.take(ctx, parts, &res.Topics[t].Partitions[i]); err != nil {
					return err
				}
			}
		}
		healthy()
		g.well()
	}
	return nil
}

// fetch sends one fetch request for all of parts to their leader. The first of them
// takes turns: a broker fills an answer in the order of the request.
func (g *generation) fetch(ctx context.Context, parts []*partition, turn int, wait time.Duration) (*fetch.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	ask := make([]fetch.RequestPartition, len(parts))
	for i := range parts {
		p := parts[(i+turn)%len(parts)]
		ask[i] = fetch.RequestPartition{
			Partition: int32(p.id), CurrentLeaderEpoch: -1, LogStartOffset: -1,
			FetchOffset: p.fetched, PartitionMaxBytes: partitionFetchBytes,
		}
	}
	m, err := g.sub.transport.RoundTrip(ctx, g.sub.config.addr(), &fetch.Request{
		ReplicaID: -1, MaxWaitTime: int32(wait / time.Millisecond), MinBytes: 1, MaxBytes: fetchBytes,
		IsolationLevel: int8(kafka.ReadCommitted), SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{Topic: g.topic, Partitions: ask}},
	})
	if err != nil {
		return nil, err
	}
	res := m.(*fetch.Response)
	if res.ErrorCode != 0 {
		return nil, kafka.Error(res.ErrorCode)
	}
	return res, nil
}

// take hands one partition's part of an answer to the lanes, or deals with its
// error.
func (g *generation) take(ctx context.Context, parts []*partition, res *fetch.ResponsePartition) error {
	var p *partition
	for _, q := range parts {
		if int32(q.id) == res.Partition {
			p = q
		}
	}
	switch {
	case p == nil:
		return fmt.Errorf("the broker answered for partition %d, which was not asked for", res.Partition)
	case kafka.Error(res.ErrorCode) == kafka.OffsetOutOfRange:
		return g.seek(ctx, p)
	case res.ErrorCode != 0:
		return kafka.Error(res.ErrorCode)
	}
	recs, next, err := decodeRecords(res, p.fetched)
	if err != nil {
		return err
	}
	g.count.fetched.Add(int64(len(recs)))
	g.lanes.push(p, recs, next, res.HighWatermark)
	return nil
}

// seek moves a partition whose offset isn't in the log any more to one that is.
//
// An offset before the log's start (retention took the records) becomes the
// start. An offset beyond the log's end means that the log lost its tail, or
// was made anew: what now stands below that offset was never delivered, so
// reading begins again at the start; twice is allowed, never is not.
func (g *generation) seek(ctx context.Context, p *partition) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	client := kafka.Client{Addr: g.sub.config.addr(), Transport: g.sub.transport}
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{g.topic: {kafka.FirstOffsetOf(p.id), kafka.LastOffsetOf(p.id)}},
	})
	if err != nil {
		return err
	}
	if len(res.Topics[g.topic]) != 1 {
		return fmt.Errorf("offsets of %s[%d]: the broker's answer leaves it out", g.topic, p.id)
	}
	log := res.Topics[g.topic][0]
	if log.Error != nil {
		return log.Error
	}
	offset := log.FirstOffset
	switch {
	case p.fetched == kafka.LastOffset:
		offset = log.LastOffset
	case p.fetched > log.LastOffset:
		g.log.Warn("bus: committed offset lies beyond the log's end; reading from its start again",
			"topic", g.topic, "partition", p.id, "offset", p.fetched, "end", log.LastOffset, "start", offset)
	case p.fetched < log.FirstOffset && p.fetched > 0:
		g.log.Warn("bus: records went to retention before they were read",
			"topic", g.topic, "partition", p.id, "from", p.fetched, "to", offset)
	case p.fetched > log.FirstOffset:
		// In the log by now: more was written since the fetch.
		offset = p.fetched
	}
	g.lanes.restart(p, offset, log.LastOffset)
	return nil
}

// pause waits for d and reports whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
