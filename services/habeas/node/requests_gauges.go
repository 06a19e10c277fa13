package node

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Counts may be countShare times as old as they took, so that counting a million requests
// takes the database little of its time, but no older than countAge.
const (
	countShare = 50
	countAge   = time.Minute
)

// requestGauges counts the journal's requests for the metrics. Every coordinator
// gives the same numbers: whoever reads them takes the maximum, not the sum.
type requestGauges struct {
	journal journal.Lister
	systems []string // those that have a number even where nobody waits for them
	now     func() time.Time

	mu      sync.Mutex
	counted time.Time
	took    time.Duration
	status  map[core.Status]int // requests by status
	waiting map[string]int      // open requests by the system that they wait for
	overdue int                 // at most journal.MaxList
}

// register gives the gauges habeas.requests.now, .waiting and .overdue.
func (g *requestGauges) register(p metric.MeterProvider) error {
	meter := p.Meter(meterScope)
	var instruments [3]metric.Int64ObservableGauge
	for i, g := range [3]struct{ name, what string }{
		{"habeas.requests.now", "Requests by status, as the journal has them."},
		{"habeas.requests.waiting", "Open requests by the system that they wait for."},
		{"habeas.requests.overdue", "Open requests whose answer was due; at most 1000."},
	} {
		var err error
		instruments[i], err = meter.Int64ObservableGauge(g.name, metric.WithUnit("{request}"), metric.WithDescription(g.what+" Each coordinator says the same."))
		if err != nil {
			return err
		}
	}
	now, waiting, overdue := instruments[0], instruments[1], instruments[2]
	_, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		if err := g.refresh(ctx); err != nil {
			return err
		}
		for status, n := range g.status {
			o.ObserveInt64(now, int64(n), metric.WithAttributes(attribute.String("status", string(status))))
		}
		for system, n := range g.waiting {
			o.ObserveInt64(waiting, int64(n), metric.WithAttributes(attribute.String("system", system)))
		}
		o.ObserveInt64(overdue, int64(g.overdue))
		return nil
	}, now, waiting, overdue)
	return err
}

// refresh counts anew where the last counts are too old.
func (g *requestGauges) refresh(ctx context.Context) error {
	at := g.now()
	if at.Sub(g.counted) < min(countShare*g.took, countAge) {
		return nil
	}
	status, err := g.journal.Counts(ctx)
	if err != nil {
		return err
	}
	open := core.OpenStatuses()
	waiting, err := g.journal.WaitingFor(ctx, open)
	if err != nil {
		return err
	}
	due, err := g.journal.List(ctx, journal.Filter{Statuses: open, DueFirst: true, Limit: journal.MaxList})
	if err != nil {
		return err
	}
	for s := range g.status { // one that no request is in any more is 0, not silent
		status[s] += 0
	}
	for _, s := range g.systems {
		waiting[s] += 0
	}
	g.overdue = 0
	for _, r := range due {
		if r.Overdue {
			g.overdue++
		}
	}
	g.status, g.waiting, g.counted, g.took = status, waiting, at, g.now().Sub(at)
	return nil
}
