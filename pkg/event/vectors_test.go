package event_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"habeas.dev/pkg/event"
	"habeas.dev/schemas"
)

// vectors is one file of schemas/vectors.
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

func readVectors(t testing.TB) []vectors {
	t.Helper()
	names, err := fs.Glob(schemas.FS, "vectors/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("vectors: %v, %v", names, err)
	}
	var all []vectors
	for _, name := range names {
		text, err := schemas.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		var v vectors
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, v)
	}
	return all
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
	have := map[string]bool{}
	for _, file := range readVectors(t) {
		have[file.Type] = true
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
	for _, typ := range schemas.EventTypes() {
		if !have[typ] {
			t.Errorf("no vectors for %s", typ)
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

// The exact words that an upstream's developer reads.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for data, want := range map[string]string{
		`{}`:   `must have "jurisdiction", "received_at", "request_id", "right", "source", "subject"`,
		`[]`:   "must be of type object",
		`oops`: "the text is not JSON",
		`{"request_id":"9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11","right":"access","jurisdiction":"EEA","received_at":"2026-11-20T09:30:00Z","source":"s","subject":{"identifiers":[]}}`:                                                                 "/subject/identifiers: must have at least 1 items",
		`{"request_id":"9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11","right":"access","jurisdiction":"Mars","received_at":"2026-11-20T09:30:00Z","source":"s","subject":{"identifiers":[{"type":"email","value":"a@b.c"}]}}`:                                `/jurisdiction: must be one of "EEA", "UK", "California", "Canada", "Japan", "South Korea", "Brazil", "Switzerland", "Virginia", "Colorado", "elsewhere"`,
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
