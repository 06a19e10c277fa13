package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
)

const (
	// produceTimeout bounds one request, on both sides.
	produceTimeout = 10 * time.Second
	// requestBytes is what one request may carry, over all its partitions;
	// brokers refuse 100 MiB, and what is on its way is held in memory twice.
	requestBytes = 8 << 20
	// The wait before what failed is sent again doubles between these.
	produceRetryMin = 20 * time.Millisecond
	produceRetryMax = time.Second
	// producePace is the least time from one request to the next, for each
	// leader, while requests carry the messages of produceBusy or more calls:
	// waiting makes them carry still more, and cost less per message. A lone
	// message, or one caller that publishes one after the other, never waits.
	producePace = time.Millisecond
	produceBusy = 4
)

// accumulator gathers what is published while requests are on their way: for each
// leader at most one, which carries whatever waits for that leader. It keeps
// the order within each partition, through retries too.
type accumulator struct {
	routes   *routes
	maxBatch int // bytes of one partition's batch

	mu      sync.Mutex
	queues  map[topicPartition]*queue
	leaders map[int32]*leader
}

type topicPartition struct {
	topic     string
	partition int32
}

// queue is what waits for one partition.
type queue struct {
	topicPartition
	leader  int32
	parcels []*parcel
	busy    bool // on its way, waiting for a retry, or ready
	retries int
}

// leader is one broker, and the partitions that have something for it.
type leader struct {
	id      int32
	ready   []*queue
	running bool
	// The last request: when it went, and how many parcels it carried. They
	// are the pump's own.
	sent    time.Time
	carried int
}

// parcel is the messages of one call for one partition.
type parcel struct {
	call  *call
	msgs  []*message.Message
	bytes int
}

// call is one call of Publish, which waits until its parcels are acknowledged. Its
// fields belong to the accumulator's mutex.
type call struct {
	ctx     context.Context
	left    int           // parcels without an answer
	err     error         // the first that is for good
	trouble error         // the last that is tried again
	done    chan struct{} // closed when nothing is left
}

func newAccumulator(r *routes, maxBatch int) *accumulator {
	return &accumulator{routes: r, maxBatch: maxBatch, queues: make(map[topicPartition]*queue), leaders: make(map[int32]*leader)}
}

// send publishes messages and waits: until all are acknowledged, one has failed for
// good, or ctx has ended.
func (a *accumulator) send(ctx context.Context, topic string, msgs []*message.Message) error {
	at, err := a.routes.find(ctx, topic)
	if err != nil {
		return err
	}
	c := &call{ctx: ctx, done: make(chan struct{})}
	a.mu.Lock()
	a.split(c, topic, at, msgs)
	a.mu.Unlock()
	select {
	case <-c.done:
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case c.err != nil:
		return c.err
	case c.left == 0:
		return nil
	case c.trouble != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), c.trouble)
	default:
		return fmt.Errorf("not acknowledged in time: %w", ctx.Err())
	}
}

// split divides a call's messages into parcels, one for each partition. A parcel is
// no larger than a batch, so that it is sent whole. Holds a.mu.
func (a *accumulator) split(c *call, topic string, at *route, msgs []*message.Message) {
	open := make(map[int32]*parcel, 1)
	for _, m := range msgs {
		partition := choose(at, Key(m))
		size := messageSize(m)
		p := open[partition]
		if p == nil || p.bytes+size > a.maxBatch {
			p = &parcel{call: c}
			open[partition] = p
			c.left++
			a.enqueue(topicPartition{topic, partition}, at.leaders[partition], p)
		}
		p.msgs = append(p.msgs, m)
		p.bytes += size
	}
}

// enqueue puts a parcel into its partition's queue. The caller holds a.mu.
func (a *accumulator) enqueue(tp topicPartition, leader int32, p *parcel) {
	q := a.queues[tp]
	if q == nil {
		q = &queue{topicPartition: tp}
		a.queues[tp] = q
	}
	q.parcels = append(q.parcels, p)
	if !q.busy {
		q.leader = leader
		a.makeReady(q)
	}
}

// makeReady lists a queue with its leader, to be sent next. The caller holds a.mu.
func (a *accumulator) makeReady(q *queue) {
	q.busy = true
	l := a.leaders[q.leader]
	if l == nil {
		l = &leader{id: q.leader}
		a.leaders[q.leader] = l
	}
	l.ready = append(l.ready, q)
	if !l.running {
		l.running = true
		go a.pump(l)
	}
}

// shipment is what one request carries of one queue.
type shipment struct {
	queue   *queue
	parcels []*parcel
}

func parcels(load []shipment) int {
	n := 0
	for i := range load {
		n += len(load[i].parcels)
	}
	return n
}

// pump sends requests to one leader, one after the other, until nothing waits for
// it.
func (a *accumulator) pump(l *leader) {
	for {
		if l.carried >= produceBusy {
			time.Sleep(producePace - time.Since(l.sent)) //nolint:forbidigo // a pace, not a wait for something
		}
		a.mu.Lock()
		load := a.load(l)
		if len(load) == 0 {
			l.running = false
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		l.sent, l.carried = time.Now(), parcels(load)
		res, err := a.ship(load)
		a.mu.Lock()
		for i := range load {
			perr := err
			if err == nil {
				perr = answerFor(res, load[i].queue.topicPartition)
			}
			a.settle(&load[i], perr)
		}
		a.mu.Unlock()
	}
}

// load takes from the leader's ready queues as much as one request may carry. Holds
// a.mu.
func (a *accumulator) load(l *leader) []shipment {
	var load []shipment
	total := 0
	for len(l.ready) > 0 && total < requestBytes {
		q := l.ready[0]
		l.ready[0] = nil
		l.ready = l.ready[1:]
		s := shipment{queue: q}
		bytes := 0
		for len(q.parcels) > 0 {
			p := q.parcels[0]
			if p.call.ctx.Err() != nil {
				a.finish(p, p.call.ctx.Err()) // nobody waits for it
			} else if bytes > 0 && bytes+p.bytes > a.maxBatch {
				break
			} else {
				bytes += p.bytes
				s.parcels = append(s.parcels, p)
			}
			q.parcels[0] = nil
			q.parcels = q.parcels[1:]
		}
		if len(s.parcels) == 0 {
			a.rest(q)
			continue
		}
		total += bytes
		load = append(load, s)
	}
	if len(l.ready) == 0 {
		l.ready = nil
	}
	return load
}

// ship sends a load as one produce request and settles each of its shipments by the
// answer.
func (a *accumulator) ship(load []shipment) (*produce.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), produceTimeout)
	defer cancel()
	req := &produce.Request{Acks: int16(kafka.RequireAll), Timeout: int32(produceTimeout / time.Millisecond)}
	byTopic := make(map[string]int, 1)
	for i := range load {
		q := load[i].queue
		at, ok := byTopic[q.topic]
		if !ok {
			at = len(req.Topics)
			byTopic[q.topic] = at
			req.Topics = append(req.Topics, produce.RequestTopic{Topic: q.topic})
		}
		req.Topics[at].Partitions = append(req.Topics[at].Partitions, produce.RequestPartition{
			Partition: q.partition, RecordSet: protocol.RecordSet{Records: &batch{parcels: load[i].parcels}},
		})
	}
	res, err := a.routes.transport.RoundTrip(ctx, a.routes.config.addr(), req)
	if err != nil {
		return nil, err
	}
	return res.(*produce.Response), nil
}

func answerFor(res *produce.Response, tp topicPartition) error {
	for i := range res.Topics {
		if res.Topics[i].Topic != tp.topic {
			continue
		}
		for _, p := range res.Topics[i].Partitions {
			if p.Partition != tp.partition {
				continue
			}
			if p.ErrorCode == 0 {
				return nil
			}
			return kafka.Error(p.ErrorCode)
		}
	}
	return errors.New("the broker's answer leaves the partition out")
}

// settle ends a shipment by the broker's answer: acknowledged, failed for good, or
// to be sent again. Holds a.mu.
func (a *accumulator) settle(s *shipment, err error) {
	q := s.queue
	if err == nil || !temporary(err) {
		q.retries = 0
		if err != nil {
			err = explain(a.routes.brokers, err)
		}
		for _, p := range s.parcels {
			a.finish(p, err)
		}
		a.rest(q)
		return
	}
	for _, p := range s.parcels {
		p.call.trouble = explain(a.routes.brokers, err)
	}
	q.parcels = append(s.parcels, q.parcels...)
	wait := min(produceRetryMin<<min(q.retries, 10), produceRetryMax)
	q.retries++
	go a.retry(q, wait)
}

// retry makes a queue ready again, with the broker that leads its partition now.
func (a *accumulator) retry(q *queue, wait time.Duration) {
	a.routes.refresh()
	time.Sleep(wait) //nolint:forbidigo // a back-off, in a goroutine of its own
	ctx, cancel := context.WithTimeout(context.Background(), produceTimeout)
	defer cancel()
	at, err := a.routes.find(ctx, q.topic)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil && int(q.partition) < len(at.leaders):
		q.leader = at.leaders[q.partition]
	case err == nil:
		err = kafka.UnknownTopicOrPartition
	}
	if err != nil && !temporary(err) {
		for _, p := range q.parcels {
			a.finish(p, err)
		}
		q.parcels = nil
		a.rest(q)
		return
	}
	// Where no leader is known the old one will do: it answers, or fails,
	// and that brings us here again.
	a.makeReady(q)
}

// rest records that nothing of the queue is on its way. Holds a.mu.
func (a *accumulator) rest(q *queue) {
	q.busy = false
	if len(q.parcels) > 0 {
		a.makeReady(q)
	}
}

// finish tells a parcel's call that the parcel is acknowledged or has failed. Holds
// a.mu.
func (a *accumulator) finish(p *parcel, err error) {
	c := p.call
	c.left--
	if c.err == nil {
		c.err = err
	}
	if c.left == 0 {
		close(c.done)
	}
}
