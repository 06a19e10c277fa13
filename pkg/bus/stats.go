package bus

import (
	"cmp"
	"slices"
	"time"
)

// Stats describes what a Subscriber is doing, over all its subscriptions.
type Stats struct {
	InFlight   int   // messages handed out and not answered
	Held       int   // records fetched and not done, those in flight among them
	HeldBytes  int64 // what they take, roughly
	Partitions []PartitionStats
}

// PartitionStats describes one partition that this member reads.
type PartitionStats struct {
	Topic     string
	Partition int
	Done      int64 // the watermark: every record below is done
	Committed int64 // the watermark as the broker has it
	Fetched   int64 // the offset to be fetched next
	End       int64 // the log's end, as of the last fetch
	Held      int   // records fetched and not done
	// Waiting is how long the watermark hasn't moved while there were records to
	// do; 0 where there are none.
	Waiting time.Duration
	// Silent is how long no fetch was answered; 0 while there is no room for
	// another.
	Silent time.Duration
}

// Lag returns how many records are not done, as of the last fetch.
func (p PartitionStats) Lag() int64 { return max(0, p.End-p.Done) }

// Stats returns the current numbers. Meant to be called every few seconds.
func (s *Subscriber) Stats() Stats {
	var st Stats
	for _, sub := range s.subscriptions() {
		sub.mu.Lock()
		g := sub.current
		sub.mu.Unlock()
		if g != nil {
			g.lanes.addStats(&st, g.topic, g.parts)
		}
	}
	slices.SortFunc(st.Partitions, func(a, b PartitionStats) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return st
}

func (ls *lanes) addStats(st *Stats, topic string, parts []*partition) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	now := ls.now()
	st.InFlight += ls.inFlight
	st.Held += ls.held
	st.HeldBytes += ls.bytes
	for _, p := range parts {
		ps := PartitionStats{
			Topic: topic, Partition: p.id, Done: p.mark.next, Committed: p.committed,
			Fetched: p.fetched, End: p.end, Held: p.held,
		}
		if !p.full && ls.hasRoom(p) {
			ps.Silent = min(now.Sub(p.fetchedAt), now.Sub(p.openedAt))
		}
		if p.mark.open() > 0 {
			ps.Waiting = now.Sub(p.movedAt)
		}
		st.Partitions = append(st.Partitions, ps)
	}
}

func (s *Subscriber) subscriptions() []*subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	subs := make([]*subscription, 0, len(s.subs))
	for sub := range s.subs {
		subs = append(subs, sub)
	}
	slices.SortFunc(subs, func(a, b *subscription) int { return cmp.Compare(a.topic, b.topic) })
	return subs
}
