package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"habeas.dev/services/internal/journal"
)

// countAge is how old the counts of requests may be: counting a million takes
// the database a moment, and scrapes come every few seconds.
const countAge = time.Minute

// newScrape makes what /metrics answers in Prometheus' format: all of the
// process' metrics, and those of its Go runtime.
func newScrape() (sdkmetric.Reader, http.Handler, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	return reader, promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, MaxRequestsInFlight: 4, Timeout: 10 * time.Second}), err
}

// countRequests gives the gauge habeas.requests.now: how many requests are in
// each status, at most countAge old. Each coordinator gives all of them: take the
// maximum, not the sum.
func countRequests(p metric.MeterProvider, l journal.Lister) error {
	gauge, err := p.Meter("habeas.dev/services/habeas").Int64ObservableGauge("habeas.requests.now", metric.WithUnit("{request}"),
		metric.WithDescription("Requests by status, as the journal has them. Each coordinator says the same."))
	if err != nil {
		return err
	}
	var (
		mu     sync.Mutex
		counts map[string]int
		taken  time.Time
	)
	_, err = p.Meter("habeas.dev/services/habeas").RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		mu.Lock()
		defer mu.Unlock()
		if now().Sub(taken) >= countAge {
			fresh, err := l.Counts(ctx)
			if err != nil {
				return err
			}
			for status := range counts { // one that no request is in any more is 0, not silent
				fresh[status] += 0
			}
			counts, taken = fresh, now()
		}
		for status, n := range counts {
			o.ObserveInt64(gauge, int64(n), metric.WithAttributes(attribute.String("status", status)))
		}
		return nil
	}, gauge)
	return err
}
