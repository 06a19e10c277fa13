package worker

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Option changes how a worker behaves. The zero set of options is right for
// most.
type Option func(*Worker)

// WithLogger has the worker log to l. Without it, it logs nothing. What it logs
// holds no personal data: request ids, names of systems, actions, codes.
func WithLogger(l *slog.Logger) Option { return func(w *Worker) { w.log = l } }

// WithTimeout bounds each call of the implementation; [DefaultTimeout] without
// it. A call that is cut off counts as a transient failure.
func WithTimeout(d time.Duration) Option { return func(w *Worker) { w.timeout = d } }

// WithMiddleware has every call of the implementation go through these, the first
// outermost. It may be given several times.
func WithMiddleware(m ...Middleware) Option {
	return func(w *Worker) { w.middleware = append(w.middleware, m...) }
}

// WithConcurrency bounds how many calls of the implementation run at once per
// action. Without it, [DefaultConcurrency] of a method that goes through [Each],
// and [DefaultBatches] of any other.
func WithConcurrency(n int) Option { return func(w *Worker) { w.concurrency = max(n, 1) } }

// WithTracer has the worker record a span for each task, as part of the trace
// that the task's traceparent names.
func WithTracer(p trace.TracerProvider) Option {
	return func(w *Worker) { w.tracing = newTracing(p) }
}

// WithMeter has the worker count its tasks, and its subscription what it gets
// (package bus).
func WithMeter(p metric.MeterProvider) Option {
	return func(w *Worker) { w.metrics, w.meters = newMetrics(p, w.system), p }
}

// WithClock replaces the clock, for simulations and tests.
func WithClock(now func() time.Time) Option { return func(w *Worker) { w.now = now } }

// WithPause replaces the wait between tries in place, for simulations and
// tests. It MUST return the context's error where that is over first.
func WithPause(pause func(context.Context, time.Duration) error) Option {
	return func(w *Worker) { w.pause = pause }
}

// WithNames replaces the random part of the names of objects, for simulations.
// It MUST NOT give the same name twice, and gives eight letters or digits.
func WithNames(name func() string) Option { return func(w *Worker) { w.name = name } }

// Sleep waits for d of real time: what [WithPause] replaces. It returns the
// context's error where that is over first.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// WithConfig has the last word on where [Main] takes tasks from and leaves what it
// finds: a vault or a connection of the program's own, other batches.
func WithConfig(change func(*Config)) Option {
	return func(w *Worker) { w.configs = append(w.configs, change) }
}
