package worker

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
)

// scope names this package's spans and metrics.
const scope = "habeas.dev/pkg/worker"

// tracing records a span for each task. A nil one does nothing, and the task's
// traceparent goes on into its report as it came.
type tracing struct{ tracer trace.Tracer }

func newTracing(p trace.TracerProvider) *tracing {
	if p == nil {
		return nil
	}
	return &tracing{p.Tracer(scope)}
}

func (t *tracing) begin(ctx context.Context, w *Worker, j *job) {
	if t == nil {
		return
	}
	parent := j.event.TraceParent
	if parent == "" {
		parent = telemetry.RequestTraceParent(j.task.RequestID)
	}
	_, span := t.tracer.Start(telemetry.Continue(ctx, parent), w.system+" "+string(j.task.Action),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(j.began))
	if !span.SpanContext().IsValid() { // a tracer that does nothing
		return
	}
	j.span = span
	if span.IsRecording() {
		span.SetAttributes(
			attribute.String("habeas.request_id", j.task.RequestID),
			attribute.String("habeas.system", w.system),
			attribute.String("habeas.action", string(j.task.Action)),
			attribute.String("habeas.right", string(j.task.Right)),
			attribute.Int("habeas.attempt", j.task.Attempt),
		)
	}
}

// trace returns the middleware that puts a lone job's call under the job's own
// span, so that what the implementation records is part of its request's trace. A
// batch is of many requests: its calls are under none of them.
func (t *tracing) trace(next Call) Call {
	if t == nil {
		return next
	}
	return func(ctx context.Context, jobs []*Job) error {
		if len(jobs) == 1 && jobs[0].way.span != nil {
			ctx = trace.ContextWithSpan(ctx, jobs[0].way.span)
		}
		return next(ctx, jobs)
	}
}

func (t *tracing) end(j *job, r dsar.Report, what string) {
	if t == nil || j.span == nil {
		return
	}
	if j.span.IsRecording() {
		j.span.SetAttributes(attribute.String("habeas.outcome", what))
		if r.Code != "" {
			j.span.SetAttributes(attribute.String("habeas.code", r.Code))
		}
		if r.Kind == dsar.ReportParked {
			j.span.AddEvent("parked", trace.WithAttributes(attribute.String("habeas.until", r.Until.UTC().Format(time.RFC3339))))
		}
		if r.Kind == dsar.ReportFailed {
			j.span.SetStatus(codes.Error, r.Code)
		}
	}
	j.span.End()
}

// parent returns the traceparent of what follows from a job.
func (t *tracing) parent(j *job) string {
	if t == nil || j.span == nil {
		return j.event.TraceParent
	}
	return telemetry.TraceParent(j.span.SpanContext())
}
