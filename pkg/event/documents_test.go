package event_test

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/event"
	"habeas.dev/schemas"
)

// document reads a YAML file of the schemas module.
func document(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := schemas.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return doc
}

// at follows a path of names; nil where there is nothing.
func at(doc any, names ...string) any {
	for _, name := range names {
		m, ok := doc.(map[string]any)
		if !ok {
			return nil
		}
		doc = m[name]
	}
	return doc
}

// refs calls f with every $ref in a document.
func refs(doc any, f func(ref string)) {
	switch doc := doc.(type) {
	case map[string]any:
		for name, v := range doc {
			if s, ok := v.(string); ok && name == "$ref" {
				f(s)
			}
			refs(v, f)
		}
	case []any:
		for _, v := range doc {
			refs(v, f)
		}
	}
}

func TestReferencesResolve(t *testing.T) {
	t.Parallel()
	for _, name := range append(schemas.Files(), "openapi.yaml", "worker.openapi.yaml", "asyncapi.yaml") {
		doc := document(t, name) // JSON is YAML
		refs(doc, func(ref string) {
			file, pointer, _ := strings.Cut(ref, "#")
			target := any(doc)
			if file != "" {
				if _, err := schemas.Read(path.Join(path.Dir(name), file)); err != nil {
					t.Errorf("%s: %s: %v", name, ref, err)
					return
				}
				target = document(t, path.Join(path.Dir(name), file))
			}
			if pointer != "" && at(target, strings.Split(strings.TrimPrefix(pointer, "/"), "/")...) == nil {
				t.Errorf("%s: %s leads nowhere", name, ref)
			}
		})
	}
}

// What bundle-formats asks of an AsyncAPI 3 document with Kafka bindings.
func TestAsyncAPI(t *testing.T) {
	t.Parallel()
	doc := document(t, "asyncapi.yaml")
	if doc["asyncapi"] != "3.0.0" || at(doc, "info", "title") == nil || at(doc, "info", "version") == nil {
		t.Error("asyncapi or info is missing")
	}
	addresses := map[string]bool{}
	for name, ch := range at(doc, "channels").(map[string]any) {
		addresses[at(ch, "address").(string)] = true
		kafka, ok := at(ch, "bindings", "kafka").(map[string]any)
		if !ok || kafka["bindingVersion"] != "0.5.0" || kafka["topic"] != at(ch, "address") {
			t.Errorf("channel %s: bindings %v", name, kafka)
		}
		for _, key := range []string{"partitions", "replicas", "topicConfiguration"} {
			if kafka[key] == nil {
				t.Errorf("channel %s: no %s", name, key)
			}
		}
	}
	for _, topic := range []string{event.TopicRequests, event.TopicTasks("{system}"), event.TopicReports, event.TopicEvents, event.TopicRejected} {
		if !addresses[topic] {
			t.Errorf("no channel for %s", topic)
		}
	}
	for name, op := range at(doc, "operations").(map[string]any) {
		if action := at(op, "action"); action != "send" && action != "receive" {
			t.Errorf("operation %s: action %v", name, action)
		}
		if ref, _ := at(op, "channel", "$ref").(string); !strings.HasPrefix(ref, "#/channels/") {
			t.Errorf("operation %s: channel %q", name, ref)
		}
	}
	var sent []string
	modes := map[string]bool{}
	for name, m := range at(doc, "components", "messages").(map[string]any) {
		sent = append(sent, at(m, "name").(string))
		modes[at(m, "contentType").(string)] = true
		if at(m, "bindings", "kafka", "key") == nil {
			t.Errorf("message %s: no key", name)
		}
	}
	slices.Sort(sent)
	if got := slices.Compact(sent); !slices.Equal(got, schemas.EventTypes()) {
		t.Errorf("messages %v, want %v", got, schemas.EventTypes())
	}
	if !modes[event.ContentTypeJSON] || !modes[event.ContentTypeStructured] {
		t.Errorf("content modes: %v", modes)
	}
	// Whatever has no channel of its own is a fact.
	own := []string{event.TypeSubmitted, event.TypeTask, event.TypeReport, event.TypeRejected}
	facts := at(doc, "channels", "events", "messages").(map[string]any)
	if len(facts) != len(schemas.EventTypes())-len(own) {
		t.Errorf("%d facts on dsar.events", len(facts))
	}
}

// The outline in openapi.yaml is no looser, in names, than the schema that
// counts, and its words are the same.
func TestOpenAPIOutlinesTheSchema(t *testing.T) {
	t.Parallel()
	doc := document(t, "openapi.yaml")
	if v, _ := doc["openapi"].(string); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("openapi %q", v)
	}
	codes := at(doc, "paths", "/v1/requests", "post", "responses").(map[string]any)
	for _, code := range []string{"202", "400", "409", "413", "415", "429", "503"} {
		if codes[code] == nil {
			t.Errorf("POST /v1/requests: no %s", code)
		}
	}
	outline := at(doc, "components", "schemas")
	real := document(t, schemas.EventFile(event.TypeSubmitted))
	common := document(t, "common.schema.json")
	for _, pair := range []struct{ outline, schema any }{
		{at(outline, "SubmittedRequest"), real},
		{at(outline, "Subject"), at(real, "properties", "subject")},
		{at(outline, "SubjectIdentifier"), at(real, "properties", "subject", "properties", "identifiers", "items")},
		{at(outline, "Details"), at(real, "properties", "details")},
		{at(outline, "Correction"), at(real, "properties", "details", "properties", "corrections", "items")},
	} {
		if a, b := names(at(pair.outline, "properties")), names(at(pair.schema, "properties")); !slices.Equal(a, b) {
			t.Errorf("properties %v, want %v", a, b)
		}
		if a, b := at(pair.outline, "required"), at(pair.schema, "required"); !reflect.DeepEqual(a, b) {
			t.Errorf("required %v, want %v", a, b)
		}
	}
	for a, b := range map[string]string{"Right": "right", "Jurisdiction": "jurisdiction"} {
		if got, want := at(outline, a, "enum"), at(common, "$defs", b, "enum"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", a, got, want)
		}
	}
	// Its example is one that the service takes.
	example, err := json.Marshal(at(doc, "paths", "/v1/requests", "post", "requestBody", "content", "application/json", "examples", "access", "value"))
	if err != nil {
		t.Fatal(err)
	}
	if err := newValidator(t).ValidateData(event.TypeSubmitted, example); err != nil {
		t.Errorf("the example: %v", err)
	}
}

func names(m any) []string {
	var out []string
	for name := range m.(map[string]any) {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Every string, array and number in the schemas of what comes in has a bound.
func TestEverythingIsBounded(t *testing.T) {
	t.Parallel()
	for _, name := range schemas.Files() {
		if name != "common.schema.json" && !strings.HasPrefix(name, "events/") {
			continue
		}
		bounded(t, name, document(t, name))
	}
}

func bounded(t *testing.T, where string, doc any) {
	t.Helper()
	m, ok := doc.(map[string]any)
	if !ok {
		return
	}
	if p, ok := m["pattern"].(string); m["type"] == "string" && m["maxLength"] == nil && !(ok && fixed(p)) {
		t.Errorf("%s: a string without a bound", where)
	}
	if m["type"] == "array" && m["maxItems"] == nil {
		t.Errorf("%s: an array without a bound", where)
	}
	if m["type"] == "object" && m["additionalProperties"] != false {
		t.Errorf("%s: an object with unknown members", where)
	}
	for name, v := range m {
		bounded(t, fmt.Sprintf("%s/%s", where, name), v)
	}
}

// fixed reports whether a pattern is anchored and without an open repetition.
func fixed(p string) bool {
	return strings.HasPrefix(p, "^") && strings.HasSuffix(p, "$") && !strings.ContainsAny(p, "*") && !strings.Contains(p, "+$")
}
