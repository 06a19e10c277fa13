package telemetry

import (
	"context"
	"encoding/hex"
	"errors"
	"hash/fnv"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// errRequestID doesn't quote what it was given: it may be anything.
var errRequestID = errors.New("telemetry: the request id is not a UUID, or the nil one")

// SpanContext returns the root of a request's trace: its trace id is the request
// id's 128 bits, and its span id is derived from it, so that every process that
// knows the request knows the root. It is remote and sampled; whether spans are
// recorded is each process' own choice, the same for one request in all of them.
func SpanContext(requestID string) (trace.SpanContext, error) {
	id, err := uuid.Parse(requestID)
	if err != nil || id == uuid.Nil {
		return trace.SpanContext{}, errRequestID
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    trace.TraceID(id),
		SpanID:     rootSpan(trace.TraceID(id)),
		TraceFlags: trace.FlagsSampled,
		Remote:     true,
	}), nil
}

// rootSpan returns the id of a trace's root span; never the invalid zero.
func rootSpan(id trace.TraceID) (s trace.SpanID) {
	h := fnv.New64a()
	h.Write(id[:])
	h.Sum(s[:0])
	s[7] |= 1
	return s
}

// RequestTraceParent returns the traceparent of a request's root span, for a
// message that begins something when no span is at hand; empty if the id is not a
// UUID.
func RequestTraceParent(requestID string) string {
	sc, err := SpanContext(requestID)
	if err != nil {
		return ""
	}
	return TraceParent(sc)
}

// TraceParent returns a span context as a W3C traceparent header; empty where it is
// not valid.
func TraceParent(sc trace.SpanContext) string {
	if !sc.IsValid() {
		return ""
	}
	// 00-<32 hex>-<16 hex>-<2 hex> (W3C Trace Context, section 3.2.2)
	var b [55]byte
	t, s := sc.TraceID(), sc.SpanID()
	copy(b[:], "00-")
	hex.Encode(b[3:], t[:])
	b[35] = '-'
	hex.Encode(b[36:], s[:])
	copy(b[52:], "-00")
	if sc.IsSampled() {
		b[54] = '1'
	}
	return string(b[:])
}

// Parse reads a traceparent. What isn't one gives a span context that is not
// valid, and a trace of its own: a bad header mustn't hold up a request.
func Parse(traceParent string) trace.SpanContext {
	if traceParent == "" {
		return trace.SpanContext{}
	}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), header(traceParent)))
}

// Continue returns a context under which spans are children of a traceparent.
func Continue(ctx context.Context, traceParent string) context.Context {
	if sc := Parse(traceParent); sc.IsValid() {
		return trace.ContextWithRemoteSpanContext(ctx, sc)
	}
	return ctx
}

// header is a propagation carrier that holds one traceparent.
type header string

func (h header) Get(key string) string {
	if key == "traceparent" {
		return string(h)
	}
	return ""
}
func (h header) Set(string, string) {}
func (h header) Keys() []string     { return []string{"traceparent"} }
