package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	// fetchWait is how long the broker holds a fetch when there is nothing:
	// it answers as soon as there is something, so this is only how often an
	// idle partition is heard of.
	fetchWait = 2 * time.Second
	// fetchGrace is how much longer than fetchWait an answer may take before
	// the connection counts as dead.
	fetchGrace = 8 * time.Second
	// fetchRetryMin and fetchRetryMax bound the wait between attempts to
	// reach a partition's leader.
	fetchRetryMin = 50 * time.Millisecond
	fetchRetryMax = 2 * time.Second
)

// errTopicGone says that a partition isn't there any more: its offsets mean
// nothing, so the generation ends and begins again from what the group has.
var errTopicGone = errors.New("topic or partition is gone")

// fetch reads one partition until ctx ends. Errors are retried for ever, with
// growing waits; it returns errTopicGone when the partition is no longer
// there, and nil when ctx ended.
func (g *generation) fetch(ctx context.Context, p *partition) error {
	wait := fetchRetryMin
	for {
		err := g.fetchFrom(ctx, p, func() { wait = fetchRetryMin })
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, kafka.UnknownTopicOrPartition):
			return errTopicGone
		}
		g.trouble(fmt.Errorf("read %s[%d]: %w", g.topic, p.id, err))
		if !pause(ctx, wait) {
			return nil
		}
		wait = min(2*wait, fetchRetryMax)
	}
}

// fetchFrom reads over one connection to the partition's leader.
func (g *generation) fetchFrom(ctx context.Context, p *partition, healthy func()) error {
	conn, err := g.dialLeader(ctx, p.id)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close()
		}
	}()
	if err := g.seek(conn, p); err != nil {
		return err
	}
	for g.lanes.waitRoom(p) {
		recs, next, end, err := g.readBatch(conn, p.fetched)
		if len(recs) > 0 || err == nil {
			healthy()
			g.lanes.push(p, recs, next, end)
		}
		if errors.Is(err, kafka.OffsetOutOfRange) {
			// Retention went past it, or the log was cut: see seek.
			err = g.seek(conn, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *generation) dialLeader(ctx context.Context, partition int) (*kafka.Conn, error) {
	var last error
	for _, broker := range g.brokers {
		conn, err := g.dialer.DialLeader(ctx, "tcp", broker, g.topic, partition)
		if err == nil {
			return conn, nil
		}
		last = err
		if errors.Is(err, kafka.UnknownTopicOrPartition) {
			break
		}
	}
	return nil, last
}

// seek places the connection at the next offset to read, clamped to the log.
//
// An offset before the log's start (retention took the records) becomes the
// start. An offset beyond the log's end means that the log lost its tail, or
// was made anew: what now stands below that offset was never delivered, so
// reading begins again at the start; twice is allowed, never is not.
func (g *generation) seek(conn *kafka.Conn, p *partition) error {
	if err := conn.SetDeadline(time.Now().Add(fetchGrace)); err != nil {
		return err
	}
	first, last, err := conn.ReadOffsets()
	if err != nil {
		return err
	}
	offset := p.fetched
	switch {
	case offset == kafka.FirstOffset:
		offset = first
	case offset == kafka.LastOffset:
		offset = last
	case offset < first:
		g.log.Warn("bus: records were lost to retention before they were read", "topic", g.topic, "partition", p.id, "from", offset, "to", first)
		offset = first
	case offset > last:
		g.log.Warn("bus: committed offset lies beyond the log's end; reading from its start again", "topic", g.topic, "partition", p.id, "offset", offset, "end", last)
		offset = first
	}
	g.lanes.start(p, offset, last)
	_, err = conn.Seek(offset, kafka.SeekAbsolute|kafka.SeekDontCheck)
	return err
}

// readBatch asks for what stands at offset, and gives the records, the offset
// to go on with and the log's end.
func (g *generation) readBatch(conn *kafka.Conn, offset int64) (recs []*record, next, end int64, err error) {
	if err := conn.SetDeadline(time.Now().Add(fetchWait + fetchGrace)); err != nil {
		return nil, offset, 0, err
	}
	batch := conn.ReadBatchWith(kafka.ReadBatchConfig{
		MinBytes: 1, MaxBytes: g.fetchBytes, MaxWait: fetchWait, IsolationLevel: kafka.ReadCommitted,
	})
	end = batch.HighWaterMark()
	for {
		m, err := batch.ReadMessage()
		if err != nil {
			next = max(offset, batch.Offset())
			if cerr := batch.Close(); cerr != nil && !errors.Is(cerr, kafka.RequestTimedOut) {
				return recs, next, end, cerr
			}
			if errors.Is(err, io.EOF) || errors.Is(err, kafka.RequestTimedOut) {
				err = nil
			}
			return recs, next, end, err
		}
		if m.Offset < offset {
			continue
		}
		recs = append(recs, newRecord(&m))
	}
}

// recordOverhead is what a record takes beside its bytes: the struct, its
// slice headers and its place in the maps, roughly.
const recordOverhead = 256

func newRecord(m *kafka.Message) *record {
	size := recordOverhead + len(m.Key) + len(m.Value)
	for i := range m.Headers {
		size += len(m.Headers[i].Key) + len(m.Headers[i].Value)
	}
	return &record{offset: m.Offset, key: string(m.Key), value: m.Value, headers: m.Headers, size: size}
}

// pause waits, or is false when ctx ends first.
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
