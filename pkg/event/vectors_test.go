package event_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/event"
	"habeas.dev/schemas"
)

// vectors are examples of one event type's data, as a file of schemas/vectors has
// them, or a fact's schema.
type vectors struct {
	Type string `json:"type"`
	Good []struct {
		Name string          `json:"name"`
		Data json.RawMessage `json:"data"`
	} `json:"good"`
	Bad []struct {
		Name    string          `json:"name"`
		Data    json.RawMessage `json:"data"`
		Raw     string          `json:"raw_base64"`
		Code    string          `json:"code"`
		Pointer string          `json:"pointer"`
	} `json:"bad"`
}

// readVectors returns the vectors of every event type. A fact's are the examples of
// its schema.
func readVectors(t testing.TB) []vectors {
	t.Helper()
	var all []vectors
	for _, typ := range schemas.EventTypes() {
		v := vectors{Type: typ}
		if text, err := schemas.Read("vectors/" + typ + ".json"); err == nil {
			dec := json.NewDecoder(bytes.NewReader(text))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&v); err != nil || v.Type != typ {
				t.Fatalf("the vectors of %s: %v", typ, err)
			}
		}
		for i, example := range examples(t, typ) {
			v.Good = append(v.Good, struct {
				Name string          `json:"name"`
				Data json.RawMessage `json:"data"`
			}{fmt.Sprintf("example %d", i), example})
		}
		if len(v.Good) == 0 {
			t.Fatalf("%s has neither vectors nor examples", typ)
		}
		all = append(all, v)
	}
	return all
}

// examples returns the examples of a type's schema.
func examples(t testing.TB, typ string) []json.RawMessage {
	t.Helper()
	text, err := schemas.Read(schemas.EventFile(typ))
	if err != nil {
		t.Fatal(err)
	}
	var schema struct{ Examples []json.RawMessage }
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Examples
}

func newValidator(t testing.TB) *event.Validator {
	t.Helper()
	v, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectors(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for _, file := range readVectors(t) {
		for _, good := range file.Good {
			if err := v.ValidateData(file.Type, good.Data); err != nil {
				t.Errorf("%s, %s: %v", file.Type, good.Name, err)
			}
		}
		for _, bad := range file.Bad {
			data := []byte(bad.Data)
			if bad.Data == nil {
				data, _ = base64.StdEncoding.DecodeString(bad.Raw)
			}
			err := v.ValidateData(file.Type, data)
			var d *event.DataError
			if !errors.As(err, &d) {
				t.Errorf("%s, %s: %v, want a DataError", file.Type, bad.Name, err)
				continue
			}
			if event.Code(err) != bad.Code {
				t.Errorf("%s, %s: code %s, want %s: %v", file.Type, bad.Name, d.Code, bad.Code, err)
			}
			if bad.Code == "invalid" && d.Violations[0].Pointer != bad.Pointer {
				t.Errorf("%s, %s: at %q, want %q: %v", file.Type, bad.Name, d.Violations[0].Pointer, bad.Pointer, err)
			}
			if msg := err.Error(); msg == "" || strings.ContainsAny(msg, "\n\r") {
				t.Errorf("%s, %s: not one line: %q", file.Type, bad.Name, msg)
			}
		}
	}
}

// TestFactsAreHeld: of whatever a fact says nothing can be left out that is required,
// be null, or go on for ever, and nothing can be added.
func TestFactsAreHeld(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	compiler, err := event.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range schemas.EventTypes() {
		sch, err := compiler.Compile(schemas.Base + schemas.EventFile(typ))
		if err != nil {
			t.Fatal(err)
		}
		for _, example := range examples(t, typ) {
			var doc any
			if err := json.Unmarshal(example, &doc); err != nil {
				t.Fatal(err)
			}
			for _, bad := range broken(sch, doc, "") {
				data, err := json.Marshal(bad.doc)
				if err != nil {
					t.Fatal(err)
				}
				var d *event.DataError
				if err := v.ValidateData(typ, data); !errors.As(err, &d) || event.Code(err) != "invalid" || d.Violations[0].Pointer != bad.at {
					t.Errorf("%s, %s: %v, want a violation at %q", typ, bad.why, err, bad.at)
				}
			}
		}
	}
}

// fault is a document that a schema refuses, why, and at which pointer.
type fault struct {
	doc     any
	why, at string
}

// broken returns copies of a document, each with one thing in it that its schema must
// refuse.
func broken(sch *jsonschema.Schema, doc any, at string) []fault {
	for sch.Ref != nil {
		sch = sch.Ref
	}
	out := []fault{{nil, at + " is null", at}}
	switch doc := doc.(type) {
	case map[string]any:
		with := func(name string, value any) map[string]any {
			c := maps.Clone(doc)
			c[name] = value
			return c
		}
		out = append(out, fault{with("note", "x"), at + " has an unknown member", at})
		for _, name := range sch.Required {
			c := maps.Clone(doc)
			delete(c, name)
			out = append(out, fault{c, at + " has no " + name, at})
		}
		for name, value := range doc {
			for _, f := range broken(sch.Properties[name], value, at+"/"+name) {
				out = append(out, fault{with(name, f.doc), f.why, f.at})
			}
		}
	case []any:
		for i, value := range doc {
			for _, f := range broken(sch.Items2020, value, fmt.Sprintf("%s/%d", at, i)) {
				c := slices.Clone(doc)
				c[i] = f.doc
				out = append(out, fault{c, f.why, f.at})
			}
		}
	case string:
		out = append(out, fault{strings.Repeat("A", 1<<19), at + " is half a megabyte", at})
	case float64:
		out = append(out, fault{-1, at + " is negative", at}, fault{"1", at + " is text", at})
	case bool:
		out = append(out, fault{"true", at + " is text", at})
	}
	return out
}

// TestWordsOfFacts: where a fact has one of some words, a list with something in it,
// or somebody's name, nothing else is taken.
func TestWordsOfFacts(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for _, c := range []struct{ fact, member, value, at string }{
		{"letter.sent", "letter", `"postcard"`, "/letter"},
		{"proof.asked", "checks", `["shoe size"]`, "/checks/0"},
		{"request.accepted", "identifiers", `[]`, "/identifiers"},
		{"request.assigned", "to", `""`, "/to"},
		{"request.reminded", "about", `"birthday"`, "/about"},
		{"retention.ended", "systems", `[]`, "/systems"},
		{"task.failed", "outcome", `"erased"`, "/outcome"},
		{"task.sent", "reason", `"why not"`, "/reason"},
		{"stage.started", "stage", `"count"`, "/stage"},
	} {
		typ := event.FactType(c.fact)
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(examples(t, typ)[0], &doc); err != nil {
			t.Fatal(err)
		}
		doc[c.member] = json.RawMessage(c.value)
		data, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		var d *event.DataError
		if err := v.ValidateData(typ, data); !errors.As(err, &d) || d.Violations[0].Pointer != c.at {
			t.Errorf("%s with %s %s: %v", c.fact, c.member, c.value, err)
		}
	}
}

func TestUnknownTypes(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for typ, want := range map[string]string{
		"dsar.request.submitted.v2":  "unknown-version",
		"dsar.request.submitted.v99": "unknown-version",
		"dsar.request.submitted.v0":  "unknown-type", // there is no version 0
		"dsar.request.submitted":     "unknown-type",
		"dsar.request.submitted.v":   "unknown-type",
		"camille@example.com.v1":     "unknown-type",
		"com.example.thing.v1":       "unknown-type",
		"":                           "unknown-type",
		".v1":                        "unknown-type",
	} {
		err := v.ValidateData(typ, []byte(`{}`))
		if event.Code(err) != want {
			t.Errorf("%q: %v, want %s", typ, err, want)
		}
		if err != nil && typ != "" && strings.Contains(err.Error(), "example.com") {
			t.Errorf("%q is quoted: %v", typ, err)
		}
	}
	err := v.ValidateData("dsar.request.submitted.v2", nil)
	if want := "unknown version of dsar.request.submitted: known is v1"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestLawIDs: a law's id is of letters of any script, and of nothing that can't be seen or that
// turns the writing: in requests, in a law's file and at the door alike.
func TestLawIDs(t *testing.T) {
	t.Parallel()
	var common struct {
		Defs map[string]struct{ Pattern string } `yaml:"$defs"`
	}
	var law struct {
		Properties map[string]struct{ Pattern string }
	}
	var door struct {
		Components struct {
			Schemas map[string]struct{ Pattern string }
		}
	}
	for name, into := range map[string]any{"common.schema.json": &common, "jurisdiction.schema.json": &law, "openapi.yaml": &door} {
		text, err := schemas.Read(name)
		if err == nil {
			err = yaml.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatal(name, err)
		}
	}
	pattern := common.Defs["jurisdiction"].Pattern
	if own := law.Properties["id"].Pattern; own != pattern {
		t.Errorf("a law's file has %q", own)
	}
	if own := door.Components.Schemas["Jurisdiction"].Pattern; own != pattern {
		t.Errorf("the door has %q", own)
	}
	re := regexp.MustCompile(pattern)
	for _, id := range []string{"EEA", "South Korea", "Île-de-France", "Україна", "ελλάδα", "ישראל", "السعودية", "भारत", "ประเทศไทย", "中華民國", "日本", "佐々木", "ニホン", "대한민국", "ኢትዮጵያ", "Việt Nam", "U.S."} {
		if !re.MatchString(id) {
			t.Errorf("%s is no law's id", id)
		}
	}
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		hidden := unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
		if hidden && re.MatchString("E"+string(r)+"A") {
			t.Errorf("%U may stand in a law's id", r)
		}
	}
}

// The exact words that an upstream's developer reads.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for data, want := range map[string]string{
		`{}`:   `must have "jurisdiction", "received_at", "request_id", "right", "source", "subject"`,
		`[]`:   "must be of type object",
		`oops`: "the text is not JSON",
		`{"request_id":"9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11","right":"access","jurisdiction":"EEA","received_at":"2026-11-20T09:30:00Z","source":"s","subject":{"identifiers":[]}}`:                                                                 "/subject/identifiers: must have at least 1 items",
		`{"request_id":"9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11","right":"access","jurisdiction":"<Mars>","received_at":"2026-11-20T09:30:00Z","source":"s","subject":{"identifiers":[{"type":"email","value":"a@b.c"}]}}`:                              "/jurisdiction: must have the form ^[A-Za-z\\u00c0...\\ud7a3][A-Za-z\\u00c0...\\ud7a3 .'-]{0,39}$",
		`{"request_id":"9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11","right":"access","jurisdiction":"EEA","received_at":"2026-11-20T09:30:00Z","source":"s","subject":{"identifiers":[{"type":"email","value":"a@b.c"}]},"urgent":true,"a b@c.example":1}`: `must not have the unknown "(not a plain name)", "urgent"`,
	} {
		if err := v.ValidateData(event.TypeSubmitted, []byte(data)); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", data, err, want)
		}
	}
}

// Any string that stands in the data, as a value at any place or as a whole
// document, is in no error.
func TestErrorsNeverQuoteTheRecord(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	const canary = "Canary O'Brien <canary@example.com>"
	quoted, _ := json.Marshal(canary)
	check := func(what string, err error) {
		t.Helper()
		if err != nil && strings.Contains(strings.ToLower(err.Error()), "canary") {
			t.Errorf("%s: quoted: %v", what, err)
		}
	}
	for _, file := range readVectors(t) {
		for _, good := range file.Good {
			var doc any
			if err := json.Unmarshal(good.Data, &doc); err != nil {
				t.Fatal(err)
			}
			for _, mutant := range mutants(doc, canary) {
				data, err := json.Marshal(mutant)
				if err != nil {
					t.Fatal(err)
				}
				check(file.Type, v.ValidateData(file.Type, data))
				check(file.Type, v.ValidateData(file.Type, data[:len(data)/2]))
			}
		}
		check("the whole", v.ValidateData(file.Type, quoted))
		check("not JSON", v.ValidateData(file.Type, []byte(canary)))
	}
	for name := range envelope() {
		h := envelope()
		h[name] = canary
		_, err := event.Decode(h, []byte(`{}`))
		check(name, err)
		if err == nil {
			check(name, v.ValidateData(h[event.HeaderType], []byte(`{}`)))
		}
	}
	for _, name := range []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "traceparent", "data_base64", canary} {
		doc := map[string]any{"specversion": "1.0", "id": "1", "source": "s", "type": event.TypeSubmitted, "data": map[string]any{}}
		doc[name] = canary
		data, _ := json.Marshal(doc)
		_, err := event.Decode(map[string]string{"content-type": event.ContentTypeStructured}, data)
		check(name, err)
	}
}

// mutants returns copies of doc, each with one value replaced by the canary, or
// with the canary as the name of one more member.
func mutants(doc any, canary string) []any {
	out := []any{canary}
	switch doc := doc.(type) {
	case map[string]any:
		for name := range doc {
			for _, m := range mutants(doc[name], canary) {
				c := map[string]any{}
				for k, v := range doc {
					c[k] = v
				}
				c[name] = m
				out = append(out, c)
			}
		}
		c := map[string]any{canary: 1}
		for k, v := range doc {
			c[k] = v
		}
		out = append(out, c)
	case []any:
		for i := range doc {
			for _, m := range mutants(doc[i], canary) {
				c := append([]any{}, doc...)
				c[i] = m
				out = append(out, c)
			}
		}
	}
	return out
}

func BenchmarkValidateSubmitted(b *testing.B) {
	v := newValidator(b)
	for _, file := range readVectors(b) {
		if file.Type != event.TypeSubmitted && file.Type != event.TypeReport {
			continue
		}
		b.Run(file.Type, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := v.ValidateData(file.Type, file.Good[0].Data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
