package vendorapi

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"habeas.dev/pkg/worker"
)

// scope names this package's spans and metrics.
const scope = "habeas.dev/pkg/vendorapi"

// watch measures and traces calls. It is given a call's name only: no address,
// no header, no body.
type watch struct {
	vendor    metric.MeasurementOption
	attrs     []attribute.KeyValue
	requestID func(*Answer) string
	tracer    trace.Tracer
	calls     metric.Int64Counter
	duration  metric.Float64Histogram
	wait      metric.Float64Histogram
	leaks     metric.Int64Counter
	state     *atomic.Pointer[Account]
	out       *calls
}

// calls are those that are out and not answered.
type calls struct {
	mu    sync.Mutex
	last  uint64
	begun map[uint64]time.Time // by a number of the call's own
}

// oldest returns for how long the oldest has been out.
func (c *calls) oldest() (longest time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, begun := range c.begun {
		longest = max(longest, time.Since(begun))
	}
	return longest
}

func (c *calls) began(at time.Time) (number uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.begun[c.last] = at
	return c.last
}

func (c *calls) ended(number uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.begun, number)
}

func newWatch(c Config) watch {
	if c.Host.Meters == nil {
		c.Host.Meters = metricnoop.NewMeterProvider()
	}
	if c.Host.Traces == nil {
		c.Host.Traces = tracenoop.NewTracerProvider()
	}
	attrs := []attribute.KeyValue{attribute.String("vendor", c.Vendor), attribute.String("account", c.Account)}
	w := watch{
		vendor: metric.WithAttributes(attrs...), attrs: attrs, requestID: c.RequestID,
		tracer: c.Host.Traces.Tracer(scope), state: &atomic.Pointer[Account]{}, out: &calls{begun: map[uint64]time.Time{}},
	}
	if w.requestID == nil {
		w.requestID = usualRequestID
	}
	m := c.Host.Meters.Meter(scope)
	// An instrument that can't be made is one that counts nothing: its error is
	// the name's, which is a constant.
	w.calls, _ = m.Int64Counter("habeas.vendor.calls", metric.WithUnit("{call}"),
		metric.WithDescription("Calls to a vendor, by name and result."))
	w.duration, _ = m.Float64Histogram("habeas.vendor.call.duration", metric.WithUnit("s"),
		metric.WithDescription("From a call's leaving to its answer."),
		metric.WithExplicitBucketBoundaries(.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120))
	w.wait, _ = m.Float64Histogram("habeas.vendor.wait.duration", metric.WithUnit("s"),
		metric.WithDescription("How long a call waited for the account's limits."),
		metric.WithExplicitBucketBoundaries(.01, .1, .5, 1, 2.5, 5, 10, 15))
	w.leaks, _ = m.Int64Counter("habeas.vendor.places.lost", metric.WithUnit("{place}"),
		metric.WithDescription("Places that could not be given back: their lease ends them."))
	w.leaks.Add(context.Background(), 0, w.vendor) // from 0 on, so that the first is an increase
	left, _ := m.Int64ObservableGauge("habeas.vendor.quota.left", metric.WithUnit("{call}"),
		metric.WithDescription("Calls of the day's budget that are left, over all processes."))
	budget, _ := m.Int64ObservableGauge("habeas.vendor.quota.budget", metric.WithUnit("{call}"),
		metric.WithDescription("Calls a day that are ours, over all processes."))
	open, _ := m.Int64ObservableGauge("habeas.vendor.circuit", // without a unit: "1" would be a ratio
		metric.WithDescription("0: the vendor is called; 1: one call at a time tries it; 2: it is left alone as down."))
	flight, _ := m.Int64ObservableGauge("habeas.vendor.in_flight", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that are out, over all processes."))
	oldest, _ := m.Float64ObservableGauge("habeas.vendor.call.oldest", metric.WithUnit("s"),
		metric.WithDescription("For how long the oldest call of this process has been out without an answer; streams aside."))
	_, _ = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveFloat64(oldest, w.out.oldest().Seconds(), w.vendor)
		a := w.state.Load()
		if a == nil {
			return nil
		}
		if n, limited := a.Remaining(); limited {
			o.ObserveInt64(left, n, w.vendor)
			o.ObserveInt64(budget, a.Budget, w.vendor)
		}
		o.ObserveInt64(open, map[Circuit]int64{Closed: 0, HalfOpen: 1, Open: 2}[a.Circuit], w.vendor)
		o.ObserveInt64(flight, int64(a.InFlight), w.vendor)
		return nil
	}, left, budget, open, flight, oldest)
	return w
}

// saw remembers how the account stands, as this process saw it last.
func (w *watch) saw(a Account) { w.state.Store(&a) }

func (w *watch) lost(ctx context.Context) { w.leaks.Add(ctx, 1, w.vendor) }

func (w *watch) waited(ctx context.Context, d time.Duration) {
	w.wait.Record(ctx, d.Seconds(), w.vendor)
}

// span is a call that is being watched.
type span struct {
	trace.Span
	ctx   context.Context //nolint:containedctx // that of the call, handed on at once
	name  string
	begun time.Time

	number uint64 // among those that are out; 0: a stream
}

func (w *watch) begin(ctx context.Context, call Call, try int) span {
	name := call.Name
	if name == "" {
		name = call.Method
	}
	ctx, s := w.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(w.attrs...),
		trace.WithAttributes(attribute.String("http.request.method", call.Method), attribute.Int("http.request.resend_count", try-1)))
	begun := span{Span: s, ctx: ctx, name: name, begun: time.Now()}
	if call.Stream == nil { // a stream takes as long as there is something
		begun.number = w.out.began(begun.begun)
	}
	return begun
}

func (w *watch) end(s span, a *Answer, err error) {
	w.out.ended(s.number)
	result := resultName(err)
	s.SetAttributes(attribute.String("habeas.result", result))
	if a != nil {
		s.SetAttributes(attribute.Int("http.response.status_code", a.Status))
		if s.IsRecording() { // finding it may mean reading the whole answer
			s.SetAttributes(attribute.String("habeas.vendor.request_id", plainID(w.requestID(a))))
		}
	}
	if err != nil {
		s.SetStatus(codes.Error, result)
	}
	s.End()
	name := metric.WithAttributes(attribute.String("call", s.name), attribute.String("result", result))
	w.calls.Add(s.ctx, 1, w.vendor, name)
	w.duration.Record(s.ctx, time.Since(s.begun).Seconds(), w.vendor)
}

// resultName returns a code that is vouched for.
func resultName(err error) string {
	var f *failure
	var e *worker.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &f):
		return f.code
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled"
	}
	return "failed"
}

// usualRequestID reads the headers in which vendors name a call.
func usualRequestID(a *Answer) string {
	for _, h := range []string{"X-Request-Id", "Request-Id", "X-Correlation-Id", "Sforce-Call-Id"} {
		if id := a.Header.Get(h); id != "" {
			return id
		}
	}
	return ""
}

// maxID bounds a request id: a UUID has 36.
const maxID = 80

// plainID returns an id that has an id's form; anything else might be a text.
func plainID(id string) string {
	if len(id) > maxID {
		return ""
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '#', c == ':', c == '.':
		default:
			return ""
		}
	}
	return id
}
