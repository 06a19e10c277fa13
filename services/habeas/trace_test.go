package main

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/sandbox/people"
)

// TestOneTrace looks at the spans of a request: from door to bundle they are one
// trace, whose id is the request id's 128 bits. Each step is under the one root,
// and each call to a vendor under the step that made it.
func TestOneTrace(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	id := p.submit(people.Camille, dsar.Access)
	p.wait(id)
	root, err := telemetry.SpanContext(id)
	if err != nil {
		t.Fatal(err)
	}
	if got := root.TraceID().String(); got != strings.ReplaceAll(id, "-", "") {
		t.Errorf("the trace of %s is %s", id, got)
	}
	named := func(name string) bool {
		return slices.ContainsFunc(p.spans.GetSpans(), func(s tracetest.SpanStub) bool { return s.Name == name })
	}
	for deadline := time.Now().Add(patience); !named("letter answer") && time.Now().Before(deadline); {
		runtime.Gosched() // the letter's span ends when its fact is journalled
	}
	spans := p.spans.GetSpans()
	steps := map[trace.SpanID]bool{}
	for _, s := range spans {
		steps[s.SpanContext.SpanID()] = s.SpanKind == trace.SpanKindConsumer
	}
	var names []string
	for _, s := range spans {
		if s.Name == "query.count" || s.Name == "token" { // of what lies beyond its period, or for whoever calls next: no request's
			continue
		}
		if s.SpanContext.TraceID() != root.TraceID() {
			t.Errorf("span %s is of another trace", s.Name)
			continue
		}
		names = append(names, s.Name)
		if s.Name == "intake" && s.SpanContext.SpanID() != root.SpanID() {
			t.Error("the door's span isn't the root")
		}
		switch parent := s.Parent.SpanID(); {
		case s.SpanKind == trace.SpanKindClient:
			if !steps[parent] {
				t.Errorf("the call %s isn't under a step", s.Name)
			}
		case s.Name != "intake" && parent != root.SpanID():
			t.Errorf("span %s isn't under the root", s.Name)
		}
	}
	for _, want := range []string{"intake", "account resolve", "billing resolve", "account gather", "billing gather", "marketplace gather", "events gather", "salesforce gather", "marketo gather", "aggregator assemble",
		"relay account", "relay aggregator", "decide TakeReport", "decide NoteLetter", "letter answer"} {
		if !slices.Contains(names, want) {
			t.Errorf("no span %q in %v", want, names)
		}
	}
}
