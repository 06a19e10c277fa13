package httpsystem

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/schemas"
)

// document is the contract as a person reads it.
const document = "worker.openapi.yaml"

// contractSchema returns a schema of worker.openapi.yaml.
func contractSchema(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	text, err := schemas.Read(document)
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schemas.Base+document, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemas.Base + document + "#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestContract: every line that goes out, and every line that is taken in, is one of
// worker.openapi.yaml, for each action.
func TestContract(t *testing.T) {
	t.Parallel()
	asked, answered := contractSchema(t, "AskedLine"), contractSchema(t, "AnswerLine")
	s := &service{}
	s.people()
	var mu sync.Mutex
	seen := map[string]bool{}
	s.seen = func(action string, body, answer []byte) {
		mu.Lock()
		defer mu.Unlock()
		seen[action] = true
		for schema, text := range map[*jsonschema.Schema][]byte{asked: body, answered: answer} {
			for l := range bytes.Lines(text) {
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(l))
				if err == nil {
					err = schema.Validate(v)
				}
				if err != nil {
					t.Errorf("%s: %s: %v", action, l, err)
				}
			}
		}
	}
	w := asking(t, s)
	r := workertest.NewRequest(t, w, anna)
	for _, a := range []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Plan, dsar.Erase, dsar.Prove} {
		if got := r.Ask(a); got.Kind != dsar.ReportEnded {
			t.Fatal(a, got)
		}
	}
	r.Details = event.Details{Corrections: []event.Correction{{Dataset: "bills", Column: "text", Value: "another"}}}
	r.Right = dsar.Rectification
	if got := r.Ask(dsar.Rectify); got.Kind != dsar.ReportEnded || got.Counts[0].Rectified != 1 {
		t.Fatal(got)
	}
	r.Right, r.Details = dsar.Restriction, event.Details{}
	if got := r.Ask(dsar.Restrict); got.Kind != dsar.ReportEnded {
		t.Fatal(got)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, action := range strings.Fields("resolve gather plan erase prove rectify restrict") {
		if !seen[action] {
			t.Errorf("nothing was asked with %s", action)
		}
	}
}
