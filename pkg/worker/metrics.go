package worker

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"habeas.dev/pkg/dsar"
)

// metrics counts tasks. A nil one does nothing.
type metrics struct {
	system   string
	tasks    metric.Int64Counter
	duration metric.Float64Histogram
	size     metric.Int64Histogram
	flight   metric.Int64UpDownCounter

	// sets keeps the attributes of each kind of measurement: there are few, and
	// making one costs more than counting.
	sets sync.Map // of attributes by string
}

func newMetrics(p metric.MeterProvider, system string) *metrics {
	if p == nil {
		return nil
	}
	if _, nothing := p.(noop.MeterProvider); nothing {
		return nil
	}
	meter := p.Meter(scope)
	m := &metrics{system: system}
	// An instrument that can't be made is one that counts nothing: its error is
	// the name's, which is a constant.
	m.tasks, _ = meter.Int64Counter("habeas.worker.tasks", metric.WithUnit("{task}"),
		metric.WithDescription("Tasks that were answered, by action and outcome."))
	m.duration, _ = meter.Float64Histogram("habeas.worker.task.duration", metric.WithUnit("s"),
		metric.WithDescription("From a task's start to its answer, tries in place included."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60, 600))
	m.size, _ = meter.Int64Histogram("habeas.worker.batch.size", metric.WithUnit("{task}"),
		metric.WithDescription("Tasks that were worked on together."),
		metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 20, 50, 100, 200, 500))
	m.flight, _ = meter.Int64UpDownCounter("habeas.worker.in_flight", metric.WithUnit("{task}"),
		metric.WithDescription("Tasks that were received and not yet answered."))
	return m
}

// begin has the counters of an action's failures stand at 0, so that the first is an
// increase.
func (m *metrics) begin(action dsar.Action) {
	if m == nil {
		return
	}
	for _, outcome := range []string{string(dsar.ReportFailed), string(dsar.ReportParked)} {
		m.tasks.Add(context.Background(), 0, m.set(action, outcome).add...)
	}
}

// set is the attributes of one kind of measurement. Its one element serves as
// the variadic options, so that counting makes no slice.
type set struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func (m *metrics) set(action dsar.Action, outcome string) set {
	type key struct {
		action  dsar.Action
		outcome string
	}
	k := key{action, outcome}
	if s, ok := m.sets.Load(k); ok {
		return s.(set) //nolint:forcetypeassert // nothing else is stored
	}
	attrs := []attribute.KeyValue{attribute.String("system", m.system)}
	if action != "" {
		attrs = append(attrs, attribute.String("action", string(action)))
	}
	if outcome != "" {
		attrs = append(attrs, attribute.String("outcome", outcome))
	}
	opt := metric.WithAttributeSet(attribute.NewSet(attrs...))
	s := set{add: []metric.AddOption{opt}, record: []metric.RecordOption{opt}}
	m.sets.Store(k, s)
	return s
}

func (m *metrics) task(ctx context.Context, action dsar.Action, outcome string, took time.Duration) {
	if m == nil {
		return
	}
	s := m.set(action, outcome)
	m.tasks.Add(ctx, 1, s.add...)
	m.duration.Record(ctx, took.Seconds(), m.set(action, "").record...)
}

func (m *metrics) batch(ctx context.Context, action dsar.Action, n int) {
	if m == nil {
		return
	}
	m.size.Record(ctx, int64(n), m.set(action, "").record...)
}

func (m *metrics) inFlight(ctx context.Context, n int) {
	if m == nil {
		return
	}
	m.flight.Add(ctx, int64(n), m.set("", "").add...)
}
