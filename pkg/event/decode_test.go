package event_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
)

func envelope() map[string]string {
	return map[string]string{
		"content-type": "application/json", "ce_specversion": "1.0", "ce_id": "1", "ce_source": "shop", "ce_type": event.TypeSubmitted,
		"ce_subject": "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", "ce_time": "2026-11-20T09:30:00Z",
		"ce_traceparent": "00-9f0d6c0e6f0f4b439f0f3a9c3c0f7a11-00f067aa0ba902b7-01",
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		attr := rapid.StringMatching(`[!-~é李]{1,40}`)
		e := event.Event{
			ID: attr.Draw(t, "id"), Source: attr.Draw(t, "source"), Type: attr.Draw(t, "type"),
			Subject: rapid.StringMatching(`[a-z]{0,9}`).Draw(t, "subject"), TraceParent: rapid.StringMatching(`[a-z]{0,9}`).Draw(t, "traceparent"),
			Time: time.Unix(rapid.Int64Range(0, 1<<34).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
			Data: []byte(`{"a":1}`),
		}
		if rapid.Bool().Draw(t, "no time") {
			e.Time = time.Time{}
		}
		headers := e.Headers()
		if rapid.Bool().Draw(t, "shout") {
			headers = shout(headers)
		}
		got, err := event.Decode(headers, e.Data)
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != e.ID || got.Source != e.Source || got.Type != e.Type || got.Subject != e.Subject || got.TraceParent != e.TraceParent || !got.Time.Equal(e.Time) || string(got.Data) != string(e.Data) {
			t.Fatalf("got %+v, want %+v", got, e)
		}
	})
}

func shout(h map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range h {
		out[strings.ToUpper(k)] = v
	}
	return out
}

// reference is what the CloudEvents project's own Go SDK (2.16.2) wrote.
const reference = `{"specversion":"1.0","id":"id-1","source":"https://shop.example/sign-up","type":"dsar.request.submitted.v1",` +
	`"subject":"9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11","datacontenttype":"application/json","time":"2026-11-20T09:30:00.123456789Z",` +
	`"data":{"name":"李小龍 \u0026 \u003cb\u003e"},"traceparent":"00-9f0d6c0e6f0f4b439f0f3a9c3c0f7a11-00f067aa0ba902b7-01"}`

// What others write is read the same in structured mode as its attributes are
// in binary mode.
func TestStructuredIsAsTheReferenceWritesIt(t *testing.T) {
	t.Parallel()
	want := event.Event{
		ID: "id-1", Source: "https://shop.example/sign-up", Type: event.TypeSubmitted, Subject: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11",
		Time:        time.Date(2026, 11, 20, 9, 30, 0, 123456789, time.UTC),
		TraceParent: "00-9f0d6c0e6f0f4b439f0f3a9c3c0f7a11-00f067aa0ba902b7-01",
		Data:        []byte(`{"name":"李小龍 \u0026 \u003cb\u003e"}`),
	}
	for _, contentType := range []string{"application/cloudevents+json", "application/cloudevents+json; charset=UTF-8", "Application/CloudEvents+JSON"} {
		structured, err := event.Decode(map[string]string{"Content-Type": contentType}, []byte(reference))
		if err != nil {
			t.Fatalf("%s: %v", contentType, err)
		}
		binary, err := event.Decode(structured.Headers(), structured.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []event.Event{structured, binary} {
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v is not %+v", got, want)
			}
		}
	}
	// Null is as good as missing, and extensions are passed over.
	got, err := event.Decode(map[string]string{"content-type": event.ContentTypeStructured},
		[]byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","subject":null,"time":null,"datacontenttype":null,"mine":7,"yours":true,"theirs":null,"data":[]}`))
	if err != nil || got.Subject != "" || !got.Time.IsZero() || string(got.Data) != `[]` {
		t.Errorf("%+v, %v", got, err)
	}
	// data_base64 is data too.
	got, err = event.Decode(map[string]string{"content-type": event.ContentTypeStructured},
		[]byte(`{"data_base64":"eyJhIjoxfQ==","specversion":"1.0","id":"1","source":"s","type":"t"}`))
	if err != nil || string(got.Data) != `{"a":1}` {
		t.Errorf("data_base64: %s, %v", got.Data, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	without := func(names ...string) map[string]string {
		h := envelope()
		for _, n := range names {
			delete(h, n)
		}
		return h
	}
	with := func(name, value string) map[string]string {
		h := envelope()
		h[name] = value
		return h
	}
	structured := map[string]string{"content-type": event.ContentTypeStructured}
	for name, c := range map[string]struct {
		headers map[string]string
		payload []byte
		code    string
	}{
		"tombstone":                         {envelope(), nil, "tombstone"},
		"no headers":                        {nil, []byte(`{}`), "not-a-cloudevent"},
		"empty value":                       {envelope(), []byte{}, "not-a-cloudevent"},
		"no type":                           {without("ce_type"), []byte(`{}`), "no-type"},
		"empty type":                        {with("ce_type", ""), []byte(`{}`), "no-type"},
		"no id":                             {without("ce_id"), []byte(`{}`), "not-a-cloudevent"},
		"no source":                         {without("ce_source"), []byte(`{}`), "not-a-cloudevent"},
		"no specversion":                    {without("ce_specversion"), []byte(`{}`), "not-a-cloudevent"},
		"specversion 0.3":                   {with("ce_specversion", "0.3"), []byte(`{}`), "spec-version"},
		"time":                              {with("ce_time", "yesterday"), []byte(`{}`), "attribute"},
		"long id":                           {with("ce_id", strings.Repeat("x", 1025)), []byte(`{}`), "attribute"},
		"line break in id":                  {with("ce_id", "a\r\nb"), []byte(`{}`), "attribute"},
		"id not UTF-8":                      {with("ce_id", "\xff"), []byte(`{}`), "attribute"},
		"XML":                               {with("content-type", "application/xml"), []byte(`<a/>`), "content-type"},
		"Latin-1":                           {with("content-type", "application/json; charset=iso-8859-1"), []byte(`{}`), "content-type"},
		"a batch":                           {with("content-type", "application/cloudevents-batch+json"), []byte(`[]`), "content-type"},
		"50 MB":                             {envelope(), make([]byte, 50<<20), "too-large"},
		"structured: not JSON":              {structured, []byte(`dear sir`), "not-a-cloudevent"},
		"structured: trailing text":         {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","data":{}} x`), "not-a-cloudevent"},
		"structured: an array":              {structured, []byte(`[]`), "not-a-cloudevent"},
		"structured: null":                  {structured, []byte(`null`), "not-a-cloudevent"},
		"structured: not UTF-8":             {structured, []byte("{\"specversion\":\"1.0\",\"id\":\"\xff\"}"), "not-a-cloudevent"},
		"structured: no type":               {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","data":{}}`), "no-type"},
		"structured: empty type":            {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"","data":{}}`), "no-type"},
		"structured: type is a number":      {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":7,"data":{}}`), "attribute"},
		"structured: no id":                 {structured, []byte(`{"specversion":"1.0","source":"s","type":"t","data":{}}`), "attribute"},
		"structured: no data":               {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t"}`), "not-a-cloudevent"},
		"structured: type twice":            {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","type":"u","data":{}}`), "not-a-cloudevent"},
		"structured: type twice, escaped":   {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","t\u0079pe":"u","data":{}}`), "not-a-cloudevent"},
		"structured: version 0.3":           {structured, []byte(`{"specversion":"0.3","id":"1","source":"s","type":"t","data":{}}`), "spec-version"},
		"structured: null version":          {structured, []byte(`{"specversion":null,"id":"1","source":"s","type":"t","data":{}}`), "not-a-cloudevent"},
		"structured: null type":             {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":null,"data":{}}`), "no-type"},
		"structured: null id":               {structured, []byte(`{"specversion":"1.0","id":null,"source":"s","type":"t","data":{}}`), "attribute"},
		"structured: not a time":            {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","time":"today","data":{}}`), "attribute"},
		"structured: not a URI":             {structured, []byte(`{"specversion":"1.0","id":"1","source":"%zz","type":"t","data":{}}`), "attribute"},
		"structured: an object beside data": {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","mine":{},"data":{}}`), "attribute"},
		"structured: a dash in a name":      {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","my-own":1,"data":{}}`), "attribute"},
		"structured: Type beside type":      {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","Type":"u","data":{}}`), "attribute"},
		"structured: Type for type":         {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","Type":"t","data":{}}`), "no-type"},
		"structured: data twice":            {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","data":{},"data_base64":"e30="}`), "attribute"},
		"structured: not base64":            {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"?"}`), "attribute"},
		"structured: deep":                  {structured, []byte(`{"data":` + strings.Repeat("[", 100_000)), "not-a-cloudevent"},
		"structured: XML inside":            {structured, []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"text/xml","data":"<a/>"}`), "content-type"},
		"structured: control char in an id": {structured, []byte(`{"specversion":"1.0","id":"a\u0000","source":"s","type":"t","data":{}}`), "attribute"},
	} {
		_, err := event.Decode(c.headers, c.payload)
		if event.Code(err) != c.code {
			t.Errorf("%s: %v (%s), want %s", name, err, event.Code(err), c.code)
		}
	}
}

// Names that differ in case only don't make the answer depend on a map's order.
func TestHeaderTwice(t *testing.T) {
	t.Parallel()
	h := envelope()
	h["CE_TYPE"], h["Ce_Type"] = "other", "another"
	for range 20 {
		e, err := event.Decode(maps.Clone(h), []byte(`{}`))
		if err != nil || e.Type != event.TypeSubmitted {
			t.Fatalf("%s, %v", e.Type, err)
		}
	}
}

func TestNamespace(t *testing.T) {
	t.Parallel()
	ns := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://habeas.dev/messages"))
	if got, want := event.ID("a", "bc"), uuid.NewSHA1(ns, []byte("1:a2:bc")).String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	const r = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	ids := []string{
		event.ID(), event.ID(""), event.ID("", ""), event.ID("a", "bc"), event.ID("ab", "c"), event.ID("abc"), event.ID("1:a"),
		event.TaskID(r, "billing", dsar.Gather, 1), event.TaskID(r, "billing", dsar.Gather, 2), event.TaskID(r, "billing", dsar.Erase, 1),
		event.ReportID(r, "billing", dsar.Gather, 1, dsar.ReportEnded, 0), event.ReportID(r, "billing", dsar.Gather, 1, dsar.ReportProgress, 1),
		event.ReportID(r, "billing", dsar.Gather, 1, dsar.ReportProgress, 2), event.FactID(r, 1), event.FactID(r, 11),
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(ids)))); n != len(ids) {
		t.Errorf("%d of %d ids differ", n, len(ids))
	}
}

func TestUpcast(t *testing.T) {
	t.Parallel()
	up := func(from, to string) event.Upcaster {
		return event.Upcaster{From: from, To: to, Up: func(data []byte) ([]byte, error) { return append(slices.Clone(data), to[len(to)-1]), nil }}
	}
	chain := event.Upcasters{up("a.v2", "a.v3"), up("a.v1", "a.v2"), up("c.v1", "c.v2"), up("c.v2", "c.v1")}
	if e, err := chain.Read(event.Event{Type: "a.v1", Data: []byte("1")}, "a.v3"); err != nil || e.Type != "a.v3" || string(e.Data) != "123" {
		t.Errorf("%s %s, %v", e.Type, e.Data, err)
	}
	if e, err := event.Upcasters(nil).Read(event.Event{Type: "a.v1"}, "a.v1"); err != nil || e.Type != "a.v1" {
		t.Errorf("%s, %v", e.Type, err)
	}
	for typ, want := range map[string]string{"a.v4": "unknown-version", "b.v1": "unknown-type", "": "unknown-type"} {
		if _, err := chain.Read(event.Event{Type: typ}, "a.v3"); event.Code(err) != want {
			t.Errorf("%s: %v, want %s", typ, err, want)
		}
	}
	if _, err := chain.Read(event.Event{Type: "c.v1"}, "c.v3"); event.Code(err) != "unknown-version" {
		t.Errorf("a circle: %v", err)
	}
	bad := event.Upcasters{{From: "a.v1", To: "a.v2", Up: func([]byte) ([]byte, error) { return nil, errors.ErrUnsupported }}}
	if _, err := bad.Read(event.Event{Type: "a.v1"}, "a.v2"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

// FuzzDecode: whatever comes in, Decode returns a clean event or one of its
// errors, and doesn't panic; what it takes goes round.
func FuzzDecode(f *testing.F) {
	f.Add("application/json", "1.0", "1", "s", event.TypeSubmitted, "2026-11-20T09:30:00Z", []byte(`{}`))
	f.Add("application/cloudevents+json", "", "", "", "", "", []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","time":"2026-11-20T09:30:00Z","traceparent":"x","data":{"a":[1,"b"]}}`))
	f.Add("application/cloudevents+json", "", "", "", "", "", []byte(`{"data_base64":"e30=","specversion":"1.0","id":"1","source":"s","type":"t","":0}`))
	f.Add("application/cloudevents+json", "", "", "", "", "", []byte(`{"data":"\ud800","specversion":"1.0","id":"\u0000","source":"%zz","type":"t"}`))
	v := newValidator(f)
	f.Fuzz(func(t *testing.T, contentType, spec, id, source, typ, at string, payload []byte) {
		h := map[string]string{"content-type": contentType, "ce_specversion": spec, "ce_id": id, "ce_source": source, "ce_type": typ, "ce_time": at}
		e, err := event.Decode(h, payload)
		if err != nil {
			if event.Code(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		for _, s := range []string{e.ID, e.Source, e.Type} {
			if s == "" || !utf8.ValidString(s) || len(s) > 1024 {
				t.Fatalf("taken: %+v", e)
			}
		}
		again, err := event.Decode(e.Headers(), e.Data)
		if err != nil && e.Time.Year() >= 0 && e.Time.Year() <= 9999 {
			t.Fatalf("%+v doesn't go round: %v", e, err)
		}
		if err == nil && (again.ID != e.ID || again.Type != e.Type || again.Source != e.Source) {
			t.Fatalf("%+v became %+v", e, again)
		}
		if err := v.ValidateData(event.TypeSubmitted, e.Data); err != nil && event.Code(err) == "" {
			t.Fatalf("an error without a code: %v", err)
		}
	})
}

func BenchmarkDecodeBinary(b *testing.B) {
	h, data := envelope(), []byte(`{}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Decode(h, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHeaders(b *testing.B) {
	e, err := event.Decode(envelope(), []byte(`{}`))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.Headers()
	}
}
