package main

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// countAge is how old a census may be: counting a million requests takes the
// database a moment, and scrapes come every few seconds.
const countAge = time.Minute

// census counts the journal's requests for the metrics. Every coordinator gives
// the same numbers: whoever reads them takes the maximum, not the sum.
type census struct {
	journal journal.Lister
	systems []string // those that have a number even where nobody waits for them
	now     func() time.Time

	mu      sync.Mutex
	taken   time.Time
	status  map[string]int // requests by status
	waiting map[string]int // open requests by the system that they wait for
	overdue int            // at most journal.MaxList
}

// measure gives the gauges habeas.requests.now, .waiting and .overdue.
func (c *census) measure(p metric.MeterProvider) error {
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
		c.mu.Lock()
		defer c.mu.Unlock()
		if err := c.refresh(ctx); err != nil {
			return err
		}
		for status, n := range c.status {
			o.ObserveInt64(now, int64(n), metric.WithAttributes(attribute.String("status", status)))
		}
		for system, n := range c.waiting {
			o.ObserveInt64(waiting, int64(n), metric.WithAttributes(attribute.String("system", system)))
		}
		o.ObserveInt64(overdue, int64(c.overdue))
		return nil
	}, now, waiting, overdue)
	return err
}

// refresh counts anew where the last census is too old.
func (c *census) refresh(ctx context.Context) error {
	at := c.now()
	if at.Sub(c.taken) < countAge {
		return nil
	}
	status, err := c.journal.Counts(ctx)
	if err != nil {
		return err
	}
	open := openStatuses()
	waiting, err := c.journal.WaitingFor(ctx, open)
	if err != nil {
		return err
	}
	due, err := c.journal.List(ctx, journal.Filter{Statuses: open, DueFirst: true, Limit: journal.MaxList})
	if err != nil {
		return err
	}
	for s := range c.status { // one that no request is in any more is 0, not silent
		status[s] += 0
	}
	for _, s := range c.systems {
		waiting[s] += 0
	}
	c.overdue = 0
	for _, r := range due {
		if !r.DueAt.IsZero() && r.DueAt.Before(at) {
			c.overdue++
		}
	}
	c.status, c.waiting, c.taken = status, waiting, at
	return nil
}

// openStatuses are those of a request that hasn't ended.
func openStatuses() (open []string) {
	for _, s := range core.Statuses() {
		if !s.Ended() {
			open = append(open, string(s))
		}
	}
	return open
}
