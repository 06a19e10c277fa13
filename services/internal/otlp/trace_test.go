package otlp_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/otlp"
)

const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

// recording returns a tracer, and the recorder that keeps its spans.
func recording(t testing.TB, sample float64) (trace.Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	tel, err := otlp.Setup(context.Background(), otlp.Config{Service: "test", Sample: sample, Processors: []sdktrace.SpanProcessor{spans}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tel.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return tel.Tracers().Tracer("test"), spans
}

// TestOneTracePerRequest goes a request's way: the door begins its trace, a
// message carries it over Kafka, another process continues it, and one that has
// no span at hand hangs its own on the same root.
func TestOneTracePerRequest(t *testing.T) {
	t.Parallel()
	tracer, spans := recording(t, 1)

	ctx, door := tracer.Start(otlp.Begin(context.Background(), request), "door")
	_, within := tracer.Start(ctx, "within")
	header := telemetry.TraceParent(within.SpanContext())
	within.End()
	door.End()
	_, worker := tracer.Start(telemetry.Continue(context.Background(), header), "worker")
	worker.End()
	_, timer := tracer.Start(telemetry.Continue(context.Background(), telemetry.RequestTraceParent(request)), "timer")
	timer.End()

	root, err := telemetry.SpanContext(request)
	if err != nil {
		t.Fatal(err)
	}
	parents := map[string]trace.SpanID{"within": root.SpanID(), "door": {}, "worker": within.SpanContext().SpanID(), "timer": root.SpanID()}
	ended := spans.Ended()
	if len(ended) != len(parents) {
		t.Fatalf("%d spans", len(ended))
	}
	for _, s := range ended {
		if s.SpanContext().TraceID() != root.TraceID() {
			t.Errorf("%s has a trace of its own", s.Name())
		}
		if s.Parent().SpanID() != parents[s.Name()] {
			t.Errorf("%s: parent %s, want %s", s.Name(), s.Parent().SpanID(), parents[s.Name()])
		}
	}
	if door.SpanContext().SpanID() != root.SpanID() {
		t.Error("the door's span is not the root")
	}
}

// TestBeginLeavesACallersTrace holds that a request's trace is its own, whatever
// trace the caller of the door is in.
func TestBeginLeavesACallersTrace(t *testing.T) {
	t.Parallel()
	tracer, _ := recording(t, 1)
	ctx, caller := tracer.Start(context.Background(), "caller")
	_, door := tracer.Start(otlp.Begin(ctx, request), "door")
	if door.SpanContext().TraceID() == caller.SpanContext().TraceID() || door.SpanContext().TraceID().String() != strings.ReplaceAll(request, "-", "") {
		t.Error(door.SpanContext().TraceID())
	}
	if otlp.Begin(ctx, "no UUID") != ctx {
		t.Error("a request without a UUID changes the context")
	}
}

// TestSampleHitsItsShare: UUIDs have fixed bits, which the SDK's own sampler by
// ratio would take for chance.
func TestSampleHitsItsShare(t *testing.T) {
	t.Parallel()
	const n = 4000
	for _, ratio := range []float64{0.01, 0.1, 0.5, 0.9} {
		tracer, _ := recording(t, ratio)
		hit := 0
		for range n {
			_, span := tracer.Start(otlp.Begin(context.Background(), uuid.NewString()), "door")
			if span.SpanContext().IsSampled() {
				hit++
			}
		}
		// Five standard deviations of a fair sampler are 158 at most.
		if want := ratio * n; float64(hit) < want-158 || float64(hit) > want+158 {
			t.Errorf("%v: %d of %d", ratio, hit, n)
		}
	}
}

// TestSampleIsAlikeEverywhere: a trace is whole or not at all, although every
// process decides by itself.
func TestSampleIsAlikeEverywhere(t *testing.T) {
	t.Parallel()
	door, _ := recording(t, 0.5)
	worker, _ := recording(t, 0.5)
	for range 200 {
		id := uuid.NewString()
		_, a := door.Start(otlp.Begin(context.Background(), id), "door")
		_, b := worker.Start(telemetry.Continue(context.Background(), telemetry.RequestTraceParent(id)), "worker")
		if a.SpanContext().IsSampled() != b.SpanContext().IsSampled() {
			t.Fatalf("%s is recorded in one process only", id)
		}
	}
}

func TestOtherSpansAreRandom(t *testing.T) {
	t.Parallel()
	tracer, _ := recording(t, 1)
	seen := map[trace.TraceID]bool{}
	for range 100 {
		_, s := tracer.Start(context.Background(), "s")
		if id := s.SpanContext().TraceID(); seen[id] || !s.SpanContext().IsValid() {
			t.Fatal(id)
		} else {
			seen[id] = true
		}
	}
}
