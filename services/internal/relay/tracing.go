package relay

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
)

// record records a span for each task of a batch, under its request's root. What follows
// the facts has none: there are thirty a request, and nobody waits for them.
func (r *Relay) record(ctx context.Context, messages []journal.Message, began time.Time, err error) {
	if r.tracer == nil {
		return
	}
	tasks := event.TopicTasks("")
	for _, m := range messages {
		system, ok := strings.CutPrefix(m.Topic, tasks)
		if !ok {
			continue
		}
		_, span := r.tracer.Start(telemetry.Continue(ctx, telemetry.RequestTraceParent(m.Key)), "relay "+system,
			trace.WithTimestamp(began), trace.WithSpanKind(trace.SpanKindProducer))
		span.SetAttributes(attribute.String("habeas.request_id", m.Key), attribute.String("habeas.system", system))
		if err != nil {
			span.SetStatus(codes.Error, telemetry.Describe(err))
		}
		span.End()
	}
}
