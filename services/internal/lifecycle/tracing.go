package lifecycle

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/core"
)

// scope names this package's spans.
const scope = "habeas.dev/services/internal/lifecycle"

// WithTracer records a span for each command of which facts follow, under its request's
// root: whoever decides, be it the coordinator, letters, the portal or an agent.
func WithTracer(p trace.TracerProvider) Option {
	return func(l *Lifecycle) {
		if _, nothing := p.(noop.TracerProvider); !nothing {
			l.tracer = p.Tracer(scope)
		}
	}
}

// record records what was decided.
func (l *Lifecycle) record(ctx context.Context, requestID string, c core.Command, facts []core.Event, began time.Time) {
	if l.tracer == nil {
		return
	}
	_, span := l.tracer.Start(telemetry.Continue(ctx, telemetry.RequestTraceParent(requestID)), "decide "+strings.TrimPrefix(fmt.Sprintf("%T", c), "core."),
		trace.WithTimestamp(began))
	defer span.End()
	if !span.IsRecording() {
		return
	}
	types := make([]string, len(facts))
	for i, f := range facts {
		types[i] = core.TypeOf(f)
		if p, ok := f.(core.TaskParked); ok {
			span.AddEvent("parked", trace.WithAttributes(attribute.String("habeas.system", p.System), attribute.String("habeas.code", p.Code),
				attribute.String("habeas.until", p.Until.UTC().Format(time.RFC3339))))
		}
	}
	span.SetAttributes(attribute.String("habeas.request_id", requestID), attribute.StringSlice("habeas.facts", types))
}
