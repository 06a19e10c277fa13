package node

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/metric"

	"habeas.dev/services/internal/journal"
)

// relayGauges measures how far the relay is behind. Every coordinator gives the same
// numbers, of all relays together.
type relayGauges struct {
	journal journal.Measured
	now     func() time.Time
}

// register gives the gauges habeas.relay.backlog and habeas.relay.age.
func (g *relayGauges) register(p metric.MeterProvider) error {
	meter := p.Meter(meterScope)
	appends, err := meter.Int64ObservableGauge("habeas.relay.backlog", metric.WithUnit("{append}"),
		metric.WithDescription("Appends whose messages Kafka hasn't acknowledged; at most 10000. Each coordinator says the same."))
	if err != nil {
		return err
	}
	age, err := meter.Float64ObservableGauge("habeas.relay.age", metric.WithUnit("s"),
		metric.WithDescription("How long the oldest of them has waited. Each coordinator says the same."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		found, err := g.journal.Backlog(ctx)
		if err != nil {
			return err
		}
		waited := time.Duration(0)
		if !found.Oldest.IsZero() {
			waited = max(0, g.now().Sub(found.Oldest)) // clocks of two machines may differ
		}
		o.ObserveInt64(appends, int64(found.Appends))
		o.ObserveFloat64(age, waited.Seconds())
		return nil
	}, appends, age)
	return err
}
