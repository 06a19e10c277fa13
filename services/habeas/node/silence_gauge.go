package node

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/watch"
)

// silence measures for how long each system's worker has been asked in vain, as the facts
// tell: a worker that parks a task until tomorrow has answered, and one that nobody asks
// isn't silent. Every coordinator says the same.
type silence struct {
	notes   journal.Notes
	systems []string // those that have a number even where nothing is known of them
	now     func() time.Time
}

// register gives the gauge habeas.system.silent.
func (s *silence) register(p metric.MeterProvider) error {
	meter := p.Meter(meterScope)
	gauge, err := meter.Float64ObservableGauge("habeas.system.silent", metric.WithUnit("s"),
		metric.WithDescription("For how long a system has been asked in vain since a task's lease ran out unheard; 0 where it answers. Each coordinator says the same."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		known, err := watch.Load(ctx, s.notes)
		if err != nil {
			return err
		}
		for _, name := range s.systems {
			seconds := 0.0
			if since := known[name].Silent; !since.IsZero() {
				seconds = max(0, s.now().Sub(since).Seconds())
			}
			o.ObserveFloat64(gauge, seconds, metric.WithAttributes(attribute.String("system", name)))
		}
		return nil
	}, gauge)
	return err
}
