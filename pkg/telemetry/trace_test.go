package telemetry_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"

	"habeas.dev/pkg/telemetry"
)

const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

func TestTraceIDIsRequestID(t *testing.T) {
	t.Parallel()
	sc, err := telemetry.SpanContext(request)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(request, "-", ""); sc.TraceID().String() != want || !sc.IsValid() || !sc.IsSampled() || !sc.IsRemote() {
		t.Errorf("%+v, want %s", sc, want)
	}
	for _, id := range []string{"", "r1", request + "0", uuid.Nil.String()} {
		if _, err := telemetry.SpanContext(id); err == nil || id != "" && strings.Contains(err.Error(), id) {
			t.Errorf("%q: %v", id, err)
		}
		if telemetry.RequestTraceParent(id) != "" {
			t.Errorf("%q has a traceparent", id)
		}
	}
}

func TestTraceParentRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var cfg trace.SpanContextConfig
		copy(cfg.TraceID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "trace"))
		copy(cfg.SpanID[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "span"))
		if rapid.Bool().Draw(t, "sampled") {
			cfg.TraceFlags = trace.FlagsSampled
		}
		sc := trace.NewSpanContext(cfg)
		header := telemetry.TraceParent(sc)
		if !sc.IsValid() {
			if header != "" {
				t.Fatalf("an invalid one is written: %s", header)
			}
			return
		}
		if got := telemetry.Parse(header); got.TraceID() != sc.TraceID() || got.SpanID() != sc.SpanID() || got.IsSampled() != sc.IsSampled() || !got.IsRemote() {
			t.Fatalf("%s: %+v, want %+v", header, got, sc)
		}
	})
}

// A bad header mustn't hold up a request: it is as if there were none.
func TestBadTraceParent(t *testing.T) {
	t.Parallel()
	good := telemetry.RequestTraceParent(request)
	for _, bad := range []string{"", "x", good[:54], good + "0", "ff" + good[2:], strings.ToUpper(good), "00-" + strings.Repeat("0", 32) + good[35:], strings.Repeat("0", 1<<20)} {
		if telemetry.Parse(bad).IsValid() {
			t.Errorf("%.60q is taken for a traceparent", bad)
		}
		if ctx := context.Background(); telemetry.Continue(ctx, bad) != ctx {
			t.Errorf("%.60q changes the context", bad)
		}
	}
	if !telemetry.Parse(good).IsValid() {
		t.Error(good)
	}
}
