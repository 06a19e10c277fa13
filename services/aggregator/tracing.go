package aggregator

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/core"
)

// begin starts the span of a task, in the trace of its request.
func (a *Aggregator) begin(ctx context.Context, t core.AssembleTask, e event.Event) (context.Context, trace.Span) {
	parent := e.TraceParent
	if parent == "" {
		parent = telemetry.RequestTraceParent(t.RequestID)
	}
	return a.tracer.Start(telemetry.Continue(ctx, parent), "aggregator assemble", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("habeas.request_id", t.RequestID), attribute.String("habeas.right", string(t.Right)), attribute.Int("habeas.attempt", t.Attempt)))
}

// outcome says in a span what became of its task.
func outcome(span trace.Span, r dsar.Report) {
	for _, o := range r.Objects {
		span.SetAttributes(attribute.Int64("habeas.bytes", o.Bytes), attribute.Int64("habeas.records", o.Records))
	}
	if r.Code != "" {
		span.SetAttributes(attribute.String("habeas.code", r.Code))
	}
	if r.Kind == dsar.ReportFailed {
		span.SetStatus(codes.Error, r.Code)
	}
}
