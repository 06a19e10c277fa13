package node

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// meterScope names this package in the metrics.
const meterScope = "habeas.dev/services/habeas/node"

// newScrape makes what /metrics answers in Prometheus' format: all of the
// process' metrics, and those of its Go runtime.
func newScrape() (sdkmetric.Reader, http.Handler, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	return reader, promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, MaxRequestsInFlight: 4, Timeout: 10 * time.Second}), err
}

// register gives what /readyz says as a metric: the gauge habeas.ready is 1 for each
// check that is well, and 0 for one that fails.
func (h *health) register(p metric.MeterProvider) error {
	meter := p.Meter(meterScope)
	gauge, err := meter.Int64ObservableGauge("habeas.ready", metric.WithDescription("1 where a check of /readyz is well, 0 where it fails."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		for _, c := range h.ask(ctx) {
			n := int64(0)
			if c.OK {
				n = 1
			}
			o.ObserveInt64(gauge, n, metric.WithAttributes(attribute.String("check", c.Check)))
		}
		return nil
	}, gauge)
	return err
}
