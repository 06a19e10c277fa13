package lifecycle

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"habeas.dev/services/internal/core"
)

// Option changes a Lifecycle.
type Option func(*Lifecycle)

// WithMeter counts what is journalled: habeas.facts by type of fact and right,
// and habeas.request.duration, from acceptance to completion, by right.
func WithMeter(p metric.MeterProvider) Option {
	return func(l *Lifecycle) { l.metrics = newMetrics(p) }
}

// metrics are those of every request, whichever service decides. A nil one does
// nothing.
type metrics struct {
	facts    metric.Int64Counter
	duration metric.Float64Histogram
}

func newMetrics(p metric.MeterProvider) *metrics {
	if _, nothing := p.(noop.MeterProvider); nothing {
		return nil
	}
	meter := p.Meter("habeas.dev/services/internal/lifecycle")
	m := &metrics{}
	// The names are right: an error would be of the SDK's own, and what it
	// returns then does nothing.
	m.facts, _ = meter.Int64Counter("habeas.facts", metric.WithUnit("{fact}"), metric.WithDescription("Facts in the journal"))
	m.duration, _ = meter.Float64Histogram("habeas.request.duration", metric.WithUnit("s"), metric.WithDescription("From acceptance to the answer"),
		metric.WithExplicitBucketBoundaries(0.1, 0.3, 1, 3, 10, 60, 600, 3600, 86_400, 604_800, 2_592_000))
	return m
}

func (m *metrics) count(ctx context.Context, after core.State, facts []core.Event) {
	if m == nil {
		return
	}
	right := attribute.String("right", string(after.Accepted.Right))
	for _, f := range facts {
		m.facts.Add(ctx, 1, metric.WithAttributes(attribute.String("type", core.TypeOf(f)), right))
		if done, ok := f.(core.Completed); ok && done.At.Equal(after.AnsweredAt) { // what had to stay may go years later
			m.duration.Record(ctx, done.At.Sub(after.Accepted.AcceptedAt).Seconds(), metric.WithAttributes(right))
		}
	}
}
