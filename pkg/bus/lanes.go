package bus

import (
	"sync"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// record is a fetched record that isn't done yet.
type record struct {
	seq     uint64 // in the partition's watermark
	offset  int64
	key     string
	value   []byte
	headers []protocol.Header
	size    int
	next    *record // of the same lane
}

// lane is the queue of one key: its head is handed out, and the next only when
// the head is done.
type lane struct {
	key        string
	partition  *partition
	head, tail *record
	nacks      int // of the head, in a row
	next       *lane
}

// partition is what the lanes hold of one partition: its watermark and what is
// queued.
type partition struct {
	id    int
	lanes map[string]*lane
	mark  watermark
	held  int // records fetched and not done
	bytes int64

	committed int64     // as the broker has it
	fetched   int64     // the offset to fetch next
	end       int64     // the log's end, as of the last fetch
	fetchedAt time.Time // when the last fetch was answered
	movedAt   time.Time // when the watermark moved last, or was caught up
	full      bool      // left out of fetches for want of room
	openedAt  time.Time // when there was room again
}

// limits bound what a subscription holds; see SubscriberConfig.
type limits struct {
	inFlight int
	window   int
	bytes    int64
	nackMin  time.Duration
	nackMax  time.Duration
}

// verdict is how a delivery ended.
type verdict int

const (
	acked verdict = iota
	nacked
	withdrawn // not handed out, or not answered, before the generation ended
)

// idleWorkers is how many goroutines wait for work when there is none: enough
// for a trickle to find one awake, few enough to cost nothing.
const idleWorkers = 8

// lanes hands the records of one generation's partitions to deliver: the
// records of one key one after the other, those of different keys at the same
// time. The order in which keys come to be ready is the order of delivery.
//
// Deliver runs on a goroutine that is reused from record to record; there are
// never more than limits.inFlight.
type lanes struct {
	limits  limits
	deliver func(*partition, *record) verdict
	now     func() time.Time
	dirty   chan struct{} // told when a watermark moved; of capacity 1

	mu       sync.Mutex
	work     sync.Cond // an idle worker may go on
	room     sync.Cond // a fetcher may go on; or all is drained
	first    *lane     // ready lanes, in order
	last     *lane
	idle     int
	wakeups  int // idle workers that were told and haven't woken
	workers  sync.WaitGroup
	inFlight int
	held     int
	bytes    int64
	stopped  bool
}

func newLanes(l limits, now func() time.Time, deliver func(*partition, *record) verdict) *lanes {
	ls := &lanes{limits: l, deliver: deliver, now: now, dirty: make(chan struct{}, 1)}
	ls.work.L = &ls.mu
	ls.room.L = &ls.mu
	return ls
}

// newPartition returns a partition that begins at offset start.
func newPartition(id int, start int64, now time.Time) *partition {
	return &partition{
		id: id, lanes: make(map[string]*lane), mark: watermark{next: start},
		committed: start, fetched: start, end: start, fetchedAt: now, movedAt: now,
	}
}

// push queues the records that one fetch brought, each behind the others of its
// key. The next fetch is at offset next, and end is the log's end.
func (ls *lanes) push(p *partition, recs []*record, next, end int64) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	now := ls.now()
	p.fetchedAt, p.end = now, end
	if ls.stopped {
		return
	}
	if p.mark.open() == 0 {
		p.movedAt = now
	}
	for _, r := range recs {
		r.seq = p.mark.add(r.offset)
		p.held++
		p.bytes += int64(r.size)
		ls.held++
		ls.bytes += int64(r.size)
		l := p.lanes[r.key]
		if l == nil {
			l = &lane{key: r.key, partition: p, head: r, tail: r}
			p.lanes[r.key] = l
			ls.enqueue(l)
			continue
		}
		l.tail.next = r
		l.tail = r
	}
	p.fetched = next
	if p.mark.skipTo(next) {
		ls.tellCommitter()
	}
	ls.wake()
}

// enqueue puts a lane at the end of those that are ready. Holds ls.mu.
func (ls *lanes) enqueue(l *lane) {
	if ls.last == nil {
		ls.first, ls.last = l, l
		return
	}
	ls.last.next = l
	ls.last = l
}

// dequeue takes the first ready lane, nil where there is none or too much is
// in flight. Holds ls.mu.
func (ls *lanes) dequeue() *lane {
	l := ls.first
	if l == nil || ls.stopped || ls.inFlight >= ls.limits.inFlight {
		return nil
	}
	ls.first = l.next
	if ls.first == nil {
		ls.last = nil
	}
	l.next = nil
	return l
}

// wake starts as many workers as there are ready lanes. Holds ls.mu.
func (ls *lanes) wake() {
	want := 0
	for l := ls.first; l != nil && ls.inFlight+want < ls.limits.inFlight; l = l.next {
		want++
	}
	want -= ls.wakeups
	for ; want > 0 && ls.idle > ls.wakeups; want-- {
		ls.wakeups++
		ls.work.Signal()
	}
	for ; want > 0; want-- {
		l := ls.dequeue()
		if l == nil {
			return
		}
		ls.inFlight++
		ls.workers.Add(1)
		go ls.run(l)
	}
}

// run is a worker's loop: it delivers the heads of ready lanes until there are
// none.
func (ls *lanes) run(l *lane) {
	defer ls.workers.Done()
	for {
		r := l.head
		v := ls.deliver(l.partition, r)

		ls.mu.Lock()
		ls.inFlight--
		ls.settle(l, r, v)
		for l = ls.dequeue(); l == nil; l = ls.dequeue() {
			if ls.stopped || ls.idle >= idleWorkers {
				ls.mu.Unlock()
				return
			}
			ls.idle++
			ls.work.Wait()
			ls.idle--
			if ls.wakeups > 0 {
				ls.wakeups--
			}
		}
		ls.inFlight++
		ls.mu.Unlock()
	}
}

// settle applies a delivery's verdict: the record is done, or its lane is tried
// again later. Holds ls.mu.
func (ls *lanes) settle(l *lane, r *record, v verdict) {
	p := l.partition
	switch v {
	case acked:
		p.held--
		p.bytes -= int64(r.size)
		ls.held--
		ls.bytes -= int64(r.size)
		if p.mark.done(r.seq) {
			p.movedAt = ls.now()
			ls.tellCommitter()
		}
		l.nacks = 0
		l.head = r.next
		r.next = nil
		if l.head == nil {
			delete(p.lanes, l.key)
		} else {
			ls.enqueue(l)
		}
		ls.room.Broadcast()
	case nacked:
		l.nacks++
		time.AfterFunc(ls.nackDelay(l.nacks), func() { ls.again(l) })
		ls.room.Broadcast()
	case withdrawn:
		ls.room.Broadcast()
	}
}

// nackDelay returns the wait before the next delivery: it doubles with each
// refusal, up to nackMax.
func (ls *lanes) nackDelay(nacks int) time.Duration {
	d := ls.limits.nackMin
	for i := 1; i < nacks && d < ls.limits.nackMax; i++ {
		d *= 2
	}
	return min(d, ls.limits.nackMax)
}

func (ls *lanes) again(l *lane) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.stopped {
		return
	}
	ls.enqueue(l)
	ls.wake()
}

func (ls *lanes) tellCommitter() {
	select {
	case ls.dirty <- struct{}{}:
	default:
	}
}

// waitRoom waits until some of parts may fetch within the limits, and returns
// those; nil once stopped. A partition that holds nothing always may, so that
// none is starved by the others.
func (ls *lanes) waitRoom(parts []*partition) []*partition {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for !ls.stopped {
		open := 0
		for _, p := range parts {
			if ls.look(p) {
				open++
			}
		}
		if open == len(parts) {
			return parts
		}
		if open > 0 {
			some := make([]*partition, 0, open)
			for _, p := range parts {
				if ls.hasRoom(p) {
					some = append(some, p)
				}
			}
			return some
		}
		ls.room.Wait()
	}
	return nil
}

// look reports whether the partition may fetch, and records when that changes.
// Holds ls.mu.
func (ls *lanes) look(p *partition) bool {
	room := ls.hasRoom(p)
	if room && p.full {
		p.openedAt = ls.now()
	}
	p.full = !room
	return room
}

func (ls *lanes) hasRoom(p *partition) bool {
	return p.held == 0 || p.mark.open() < ls.limits.window && ls.bytes < ls.limits.bytes
}

// stop ends delivery. Records that aren't handed out yet are not handed out.
func (ls *lanes) stop() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.stopped = true
	ls.work.Broadcast()
	ls.room.Broadcast()
}

// offsets returns the watermarks that moved since the last commit, nil if none did.
func (ls *lanes) offsets(parts []*partition) map[int]int64 {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	var m map[int]int64
	for _, p := range parts {
		if p.mark.next > p.committed {
			if m == nil {
				m = make(map[int]int64, len(parts))
			}
			m[p.id] = p.mark.next
		}
	}
	return m
}

// committed records which offsets the broker has committed.
func (ls *lanes) committed(parts []*partition, m map[int]int64) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, p := range parts {
		if next, ok := m[p.id]; ok {
			p.committed = next
		}
	}
}

// restart sets a partition's watermark to another offset, from which it is now
// read.
func (ls *lanes) restart(p *partition, offset, end int64) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	p.end, p.fetchedAt, p.fetched = end, ls.now(), offset
	if p.mark.open() == 0 {
		p.mark.next = offset
		p.committed = min(p.committed, offset)
	}
}

// drained waits until no message is in flight.
func (ls *lanes) drained() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for ls.inFlight > 0 {
		ls.room.Wait()
	}
}
