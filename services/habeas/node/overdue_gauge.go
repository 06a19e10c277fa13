package node

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// overdueEvery is how often it is counted what lies beyond its storage period, and
// overdueTime bounds a count: it reads tables that may have no index for it.
const (
	overdueEvery = 6 * time.Hour
	overdueTime  = 10 * time.Minute
)

// overdueGauge counts for the metrics what a system holds beyond its storage periods. Only
// the process that serves the system counts.
type overdueGauge struct {
	system  string
	counter worker.OverdueCounter

	mu      sync.Mutex
	counted []worker.Overdue // the last count that came to its end
}

// countsOverdue returns the gauge of a system whose manifest says a storage period as data,
// and that can count; nil of any other.
func countsOverdue(m *manifest.Manifest, impl any) *overdueGauge {
	counter, ok := impl.(worker.OverdueCounter)
	if !ok || !m.StoredAsData() {
		return nil
	}
	return &overdueGauge{system: m.System, counter: counter}
}

// register gives the gauge habeas.data.overdue. It is silent until the first count, and
// where a count fails it keeps the one before.
func (g *overdueGauge) register(p metric.MeterProvider) error {
	meter := p.Meter(meterScope)
	gauge, err := meter.Int64ObservableGauge("habeas.data.overdue", metric.WithUnit("{record}"), metric.WithDescription("Records beyond the storage period that their manifest says as data; at most 100000 of a dataset of a database."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, one := range g.counted {
			o.ObserveInt64(gauge, one.Records, metric.WithAttributes(attribute.String("system", g.system), attribute.String("dataset", one.Dataset)))
		}
		return nil
	}, gauge)
	return err
}

// run counts at once and then every [overdueEvery], until the context ends; failed is told
// of counts that fail.
func (g *overdueGauge) run(ctx context.Context, failed func(error)) {
	every := time.NewTicker(overdueEvery)
	defer every.Stop()
	for {
		if err := g.count(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (g *overdueGauge) count(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, overdueTime)
	defer cancel()
	counted, err := g.counter.Overdue(ctx)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counted = counted
	return nil
}
