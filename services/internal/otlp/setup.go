// Package otlp sends traces and metrics to a collector, by OpenTelemetry's
// protocol over HTTP. Nothing is exported unless [Config] names a collector, and
// then near to nothing is spent.
//
// Whoever writes a worker needs none of it: pkg/worker takes providers of traces
// and metrics by OpenTelemetry's interfaces, whoever makes them.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

const (
	// exportTimeout bounds one export: a collector that is slower is skipped,
	// and what it missed is lost. Telemetry never holds up a request.
	exportTimeout = 10 * time.Second
	// spanQueue is how many spans wait for the exporter; further ones are
	// dropped. 300 requests a second make some 5,000 spans a second, and the
	// exporter takes a batch every second at least.
	spanQueue = 16384
	// spanBatch is how many spans one export carries: about half a megabyte.
	spanBatch = 2048
	// spanDelay is how long a span waits for others.
	spanDelay = time.Second
	// DefaultMetricInterval is how often metrics are exported.
	DefaultMetricInterval = 15 * time.Second
)

// Config says who is speaking, and to which collector.
type Config struct {
	// Service and Version name the program (service.name, service.version).
	Service, Version string
	// Endpoint is the collector's base URL for OTLP over HTTP, e.g.
	// http://localhost:4318. Empty: nothing is exported.
	Endpoint string
	// Headers go with each export, e.g. for authorisation. They are secrets:
	// Config MUST NOT be logged.
	Headers map[string]string
	// Sample is the share of requests whose spans are recorded; 0 means all.
	// It is decided by the request's id, alike in every process.
	Sample float64
	// MetricInterval is how often metrics are exported; 0 means
	// [DefaultMetricInterval].
	MetricInterval time.Duration
	// Readers get the metrics as well, or instead (a Prometheus endpoint).
	Readers []sdkmetric.Reader
	// Processors get the spans as well, or instead.
	Processors []sdktrace.SpanProcessor
}

// Providers give tracers and meters. Where nothing is configured, they do
// nothing and cost next to nothing.
type Providers struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider

	once  sync.Once
	close []func(context.Context) error
	err   error
}

// Setup prepares what the configuration asks for. It connects to nobody: a
// collector that is down doesn't keep a program from starting. It touches no
// global of OpenTelemetry; hand its providers to whoever needs them.
func Setup(ctx context.Context, cfg Config) (*Providers, error) {
	t := &Providers{tracers: tracenoop.NewTracerProvider(), meters: metricnoop.NewMeterProvider()}
	if err := Check(cfg.Endpoint); err != nil {
		return nil, err
	}
	about := resource.NewSchemaless(cfg.about()...)
	if err := t.setupTraces(ctx, cfg, about); err != nil {
		return nil, err
	}
	if err := t.setupMetrics(ctx, cfg, about); err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	return t, nil
}

// Check says what is wrong with a collector's address; an empty one is none. Its text isn't
// repeated: it may hold a password.
func Check(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err == nil && u.Port() != "" {
		_, err = strconv.ParseUint(u.Port(), 10, 16)
	}
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("telemetry.otlp: the collector's address is none: write it as http://HOST:PORT or https://HOST:PORT, such as http://localhost:4318")
	}
	return nil
}

// about returns what is said of the process, in the names of OpenTelemetry's semantic
// conventions: its service, and which of its instances it is.
func (c Config) about() []attribute.KeyValue {
	all := []attribute.KeyValue{attribute.String("service.namespace", "habeas"), attribute.String("service.name", c.Service),
		attribute.String("service.version", c.Version), attribute.String("service.instance.id", uuid.NewString())}
	if host, err := os.Hostname(); err == nil {
		all = append(all, attribute.String("host.name", host))
	}
	return all
}

func (t *Providers) setupTraces(ctx context.Context, cfg Config, about *resource.Resource) error {
	if cfg.Endpoint == "" && len(cfg.Processors) == 0 {
		return nil
	}
	sample := cfg.Sample
	if sample == 0 {
		sample = 1
	}
	opts := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(about), sdktrace.WithIDGenerator(ids{}), sdktrace.WithSampler(newShare(sample)),
	}
	for _, p := range cfg.Processors {
		opts = append(opts, sdktrace.WithSpanProcessor(p))
	}
	if cfg.Endpoint != "" {
		at, err := url.JoinPath(cfg.Endpoint, "v1/traces")
		if err != nil {
			return errors.New("otlp: the endpoint is not a URL")
		}
		exp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(at), otlptracehttp.WithHeaders(cfg.Headers), otlptracehttp.WithTimeout(exportTimeout))
		if err != nil {
			return fmt.Errorf("otlp: traces: %w", err)
		}
		opts = append(opts, sdktrace.WithBatcher(exp, sdktrace.WithMaxQueueSize(spanQueue), sdktrace.WithMaxExportBatchSize(spanBatch),
			sdktrace.WithBatchTimeout(spanDelay), sdktrace.WithExportTimeout(exportTimeout)))
	}
	p := sdktrace.NewTracerProvider(opts...)
	t.tracers, t.close = p, append(t.close, p.Shutdown)
	return nil
}

func (t *Providers) setupMetrics(ctx context.Context, cfg Config, about *resource.Resource) error {
	if cfg.Endpoint == "" && len(cfg.Readers) == 0 {
		return nil
	}
	opts := []sdkmetric.Option{sdkmetric.WithResource(about)}
	for _, r := range cfg.Readers {
		opts = append(opts, sdkmetric.WithReader(r))
	}
	if cfg.Endpoint != "" {
		at, err := url.JoinPath(cfg.Endpoint, "v1/metrics")
		if err != nil {
			return errors.New("otlp: the endpoint is not a URL")
		}
		exp, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(at), otlpmetrichttp.WithHeaders(cfg.Headers), otlpmetrichttp.WithTimeout(exportTimeout))
		if err != nil {
			return fmt.Errorf("otlp: metrics: %w", err)
		}
		every := cfg.MetricInterval
		if every <= 0 {
			every = DefaultMetricInterval
		}
		opts = append(opts, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exp, sdkmetric.WithInterval(every), sdkmetric.WithTimeout(exportTimeout))))
	}
	p := sdkmetric.NewMeterProvider(opts...)
	t.meters, t.close = p, append(t.close, p.Shutdown)
	return nil
}

// Tracers makes tracers.
func (t *Providers) Tracers() trace.TracerProvider { return t.tracers }

// Meters makes meters.
func (t *Providers) Meters() metric.MeterProvider { return t.meters }

// Shutdown exports what waits and stops. It ends with the context at the
// latest; a second call does nothing and gives the first one's error.
func (t *Providers) Shutdown(ctx context.Context) error {
	t.once.Do(func() {
		var errs []error
		for _, stop := range t.close {
			errs = append(errs, stop(ctx))
		}
		t.err = errors.Join(errs...)
	})
	return t.err
}
