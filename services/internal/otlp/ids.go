package otlp

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"habeas.dev/pkg/telemetry"
)

// Begin returns a context under which the next span is the root of a request's
// trace, with the ids that [telemetry.SpanContext] tells. It is for the door
// through which a request comes in. The tracer MUST be one of [Setup].
func Begin(ctx context.Context, requestID string) context.Context {
	root, err := telemetry.SpanContext(requestID)
	if err != nil {
		return ctx
	}
	return context.WithValue(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), beginKey{}, root)
}

type beginKey struct{}

// ids gives a root span that was announced by [Begin] the ids of its request,
// and every other span random ones.
type ids struct{}

func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if root, ok := ctx.Value(beginKey{}).(trace.SpanContext); ok {
		return root.TraceID(), root.SpanID()
	}
	var id trace.TraceID
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()|1)
	return id, spanID()
}

func (ids) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return spanID() }

func spanID() (s trace.SpanID) {
	binary.NativeEndian.PutUint64(s[:], rand.Uint64()|1)
	return s
}

// share samples a share of the traces, by a hash of their id: every process
// decides alike for one request, whatever its parent says. The SDK's own ratio
// takes the id's last 8 bytes as they are; in a UUID these begin with the bits
// 10, so that it would sample nothing below a ratio of one half
// (TestSampleHitsItsShare).
type share uint64

func newShare(ratio float64) sdktrace.Sampler {
	switch {
	case ratio >= 1:
		return sdktrace.AlwaysSample()
	case ratio <= 0:
		return sdktrace.NeverSample()
	default:
		return share(ratio * math.MaxUint64)
	}
}

func (s share) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	h := fnv.New64a()
	h.Write(p.TraceID[:])
	// FNV's high bits mix slowly over few bytes: fold them once more.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	r := sdktrace.SamplingResult{Decision: sdktrace.Drop, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
	if x < uint64(s) {
		r.Decision = sdktrace.RecordAndSample
	}
	return r
}

func (s share) Description() string { return "HabeasShareOfRequests" }
