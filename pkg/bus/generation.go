package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"
)

// generation is what one subscription does between two rebalances: it fetches its
// partitions, hands their records out by key, and commits.
type generation struct {
	*subscription
	gen   *kafka.Generation
	parts []*partition
	lanes *lanes

	gone     atomic.Bool   // the topic isn't there any more, or not as it was
	stopping chan struct{} // closed: hand nothing more out
	abandon  chan struct{} // closed: wait for no answer any more
	base     context.Context
}

func newGeneration(s *subscription, gen *kafka.Generation) *generation {
	g := &generation{subscription: s, gen: gen, stopping: make(chan struct{}), abandon: make(chan struct{})}
	g.lanes = newLanes(s.limits, time.Now, g.deliver)
	now := time.Now()
	for _, a := range gen.Assignments[s.topic] {
		offset := a.Offset
		// What is in a partition that was added since is all news, also to one
		// that began at the end.
		if offset == kafka.FirstOffset || offset == kafka.LastOffset && a.ID >= s.old {
			offset = 0 // most often so; where it isn't, see seek
		}
		g.parts = append(g.parts, newPartition(a.ID, offset, now))
	}
	return g
}

// run works until genCtx ends, the subscription closes or the topic changes; then
// it waits a bounded time for messages in flight, and commits.
func (g *generation) run(genCtx context.Context) {
	ctx, cancel := context.WithCancel(g.closing)
	defer cancel()
	stop := context.AfterFunc(genCtx, cancel)
	defer stop()
	base, cancelMessages := context.WithCancel(context.WithoutCancel(g.caller))
	defer cancelMessages()
	g.base = base

	var wg sync.WaitGroup
	if len(g.parts) > 0 {
		wg.Go(func() {
			if err := g.read(ctx); err != nil {
				g.log.Warn("bus: a partition is gone, joining the group again", "topic", g.topic)
				// The next generation may begin before the topic is back,
				// with nothing to read: any number will be a change then.
				g.gone.Store(true)
				cancel()
			}
		})
	}
	wg.Go(func() {
		if g.watchPartitions(ctx) {
			g.log.Info("bus: number of partitions changed, joining the group again", "topic", g.topic)
			cancel()
		}
	})
	commits, commitsDone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(commitsDone)
		g.commitLoop(commits)
	}()

	<-ctx.Done()
	close(g.stopping)
	g.lanes.stop()
	g.drain(genCtx)
	cancelMessages()
	g.lanes.workers.Wait()
	wg.Wait()
	close(commits)
	<-commitsDone
	if g.gone.Load() {
		g.partitions = 0
	}
}

// drain waits until every message that was handed out is answered.
func (g *generation) drain(genCtx context.Context) {
	limit := g.drainTimeout
	if genCtx.Err() != nil {
		limit = min(limit, rebalanceDrain)
	}
	t := time.AfterFunc(limit, func() { close(g.abandon) })
	g.lanes.drained()
	t.Stop()
}

// deliver hands one record to the subscription's channel and waits for the
// answer.
func (g *generation) deliver(p *partition, r *record) verdict {
	msg := decode(r)
	ctx, cancel := context.WithCancel(g.base)
	defer cancel()
	msg.SetContext(&messageContext{Context: ctx, position: Position{Topic: g.topic, Partition: p.id, Offset: r.offset}})
	select {
	case g.out <- msg:
	case <-g.stopping:
		return withdrawn
	}
	select {
	case <-msg.Acked():
		g.count.handled.Add(1)
		return acked
	case <-msg.Nacked():
		g.count.failed.Add(1)
		return nacked
	case <-g.abandon:
		g.count.abandoned.Add(1)
		return withdrawn
	}
}

// commitLoop commits the watermarks that moved, at most every commitInterval, and
// once more at the end. A generation has one, and nothing else commits.
func (g *generation) commitLoop(end <-chan struct{}) {
	tick := time.NewTimer(0)
	<-tick.C
	defer tick.Stop()
	for {
		select {
		case <-g.lanes.dirty:
		case <-end:
			g.commit()
			return
		}
		tick.Reset(g.commitInterval)
		select {
		case <-tick.C:
			if !g.commit() {
				// Not lost: the watermark stands, try again.
				g.lanes.tellCommitter()
			}
		case <-end:
			g.commit()
			return
		}
	}
}

// commit commits the watermarks that moved since the last commit. Offsets in a
// topic that is gone would be taken for offsets in the one that is made in its
// place, whose first messages would be skipped (TestTopicMadeAnewUnderLoad).
func (g *generation) commit() bool {
	m := g.lanes.offsets(g.parts)
	if m == nil || g.gone.Load() {
		return true
	}
	end := g.commits(g.gen.MemberID, g.gen.ID, m)
	err := g.gen.CommitOffsets(map[string]map[int]int64{g.topic: m})
	end(err)
	if err != nil {
		g.count.commitsFailed.Add(1)
		if !errors.Is(err, kafka.IllegalGeneration) && !errors.Is(err, kafka.RebalanceInProgress) && !errors.Is(err, kafka.UnknownMemberId) {
			g.trouble(fmt.Errorf("commit: %w", err))
		}
		return false
	}
	g.count.commits.Add(1)
	g.lanes.committed(g.parts, m)
	return true
}

// watchPartitions waits until the topic has another number of partitions than when
// the subscription last looked, and returns true then, or false when ctx ends.
// Kafka tells nobody; it must be asked.
func (g *generation) watchPartitions(ctx context.Context) bool {
	tick := time.NewTicker(g.watchInterval)
	defer tick.Stop()
	for {
		if n, err := g.sub.countPartitions(ctx, g.topic); err == nil && n != g.partitions {
			if n < g.partitions { // partitions only ever grow: it was deleted
				g.gone.Store(true)
			}
			g.partitions = n
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

var _ message.Subscriber = (*Subscriber)(nil)

var discard = slog.New(slog.DiscardHandler)
