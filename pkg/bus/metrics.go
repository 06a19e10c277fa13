package bus

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// scope names this package in the metrics.
const scope = "habeas.dev/pkg/bus"

// counts counts what a subscription has done since its start.
type counts struct {
	fetched, handled, failed, abandoned atomic.Int64
	commits, commitsFailed, rebalances  atomic.Int64
}

// instruments are a subscriber's metrics. By partition: lag, stalled, silent; these are
// told as they were last while the member is outside of its group.
// By topic: everything else. All carry the group.
type instruments struct {
	lag                                 metric.Int64ObservableGauge
	stalled, silent, outside            metric.Float64ObservableGauge
	inFlight, parked, heldBytes         metric.Int64ObservableGauge
	fetched, handled, failed, abandoned metric.Int64ObservableCounter
	commits, commitsFailed, rebalances  metric.Int64ObservableCounter
}

// measure registers the metrics, and returns a function that unregisters them.
func (s *Subscriber) measure(p metric.MeterProvider) (end func(), err error) {
	if p == nil {
		return func() {}, nil
	}
	meter := p.Meter(scope)
	var all []metric.Observable
	gauge := func(name, unit, what string) metric.Int64ObservableGauge {
		i, e := meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(what))
		all, err = append(all, i), first(err, e)
		return i
	}
	seconds := func(name, what string) metric.Float64ObservableGauge {
		i, e := meter.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(what))
		all, err = append(all, i), first(err, e)
		return i
	}
	counter := func(name, unit, what string) metric.Int64ObservableCounter {
		i, e := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(what))
		all, err = append(all, i), first(err, e)
		return i
	}
	m := instruments{
		lag:           gauge("habeas.bus.lag", "{message}", "Messages of a partition that aren't done, as of the last fetch."),
		stalled:       seconds("habeas.bus.stalled", "For how long a partition's watermark hasn't moved although there are messages."),
		silent:        seconds("habeas.bus.silent", "For how long no fetch of a partition was answered, where there is room for more."),
		outside:       seconds("habeas.bus.outside", "For how long this member has been outside of its group."),
		inFlight:      gauge("habeas.bus.in_flight", "{message}", "Messages handed out and not answered."),
		parked:        gauge("habeas.bus.parked", "{message}", "Messages fetched and held back: behind another of their key, or after a nack."),
		heldBytes:     gauge("habeas.bus.held", "By", "Memory of the messages fetched and not done."),
		fetched:       counter("habeas.bus.fetched", "{message}", "Messages fetched."),
		handled:       counter("habeas.bus.handled", "{message}", "Messages acknowledged."),
		failed:        counter("habeas.bus.failed", "{message}", "Messages nacked; each comes again."),
		abandoned:     counter("habeas.bus.abandoned", "{message}", "Messages not answered in time before a rebalance or a stop; each comes again."),
		commits:       counter("habeas.bus.commits", "{commit}", "Commits."),
		commitsFailed: counter("habeas.bus.commits.failed", "{commit}", "Commits that the brokers refused or didn't answer; each is tried again, here or by the next member."),
		rebalances:    counter("habeas.bus.rebalances", "{rebalance}", "Generations of the group that this member joined."),
	}
	if err != nil {
		return nil, err
	}
	r, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, sub := range s.subscriptions() {
			sub.observe(o, &m)
		}
		return nil
	}, all...)
	if err != nil {
		return nil, err
	}
	// It fails for what is no longer registered.
	return func() { _ = r.Unregister() }, nil
}

func first(err, next error) error {
	if err != nil {
		return err
	}
	return next
}

func (s *subscription) observe(o metric.Observer, m *instruments) {
	topic, group := attribute.String("topic", s.topic), attribute.String("group", s.sub.config.Group)
	by := metric.WithAttributes(topic, group)
	for i, n := range map[metric.Int64Observable]*atomic.Int64{
		m.fetched: &s.count.fetched, m.handled: &s.count.handled, m.failed: &s.count.failed, m.abandoned: &s.count.abandoned,
		m.commits: &s.count.commits, m.commitsFailed: &s.count.commitsFailed, m.rebalances: &s.count.rebalances,
	} {
		o.ObserveInt64(i, n.Load(), by)
	}
	o.ObserveFloat64(m.outside, s.outside().Seconds(), by)
	// While this member is outside of its group, its partitions are told as it left them: a
	// series that ends when Kafka goes away is one that no alert sees.
	s.mu.Lock()
	g := s.last
	s.mu.Unlock()
	var st Stats
	if g != nil {
		g.lanes.addStats(&st, g.topic, g.parts)
	}
	o.ObserveInt64(m.inFlight, int64(st.InFlight), by)
	o.ObserveInt64(m.parked, int64(st.Held-st.InFlight), by)
	o.ObserveInt64(m.heldBytes, st.HeldBytes, by)
	for _, p := range st.Partitions {
		by := metric.WithAttributes(topic, group, attribute.Int("partition", p.Partition))
		o.ObserveInt64(m.lag, p.Lag(), by)
		o.ObserveFloat64(m.stalled, p.Waiting.Seconds(), by)
		o.ObserveFloat64(m.silent, p.Silent.Seconds(), by)
	}
}
