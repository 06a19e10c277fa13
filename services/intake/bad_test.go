package intake_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"habeas.dev/pkg/event"
)

// TestBadInput is the table of what upstreams send, at both doors: each has a
// clear answer, the same at both, quotes nothing, and takes nothing in.
func TestBadInput(t *testing.T) {
	t.Parallel()
	good := string(text(t, request()))
	for name, c := range map[string]struct {
		data []byte
		code string
		// pointer is the place that the answer names.
		pointer string
	}{
		"not JSON":                                 {[]byte(`{"request_id": ` + canary), "not-json", ""},
		"JSON with something behind":               {[]byte(good + good), "not-json", ""},
		"half of it":                               {[]byte(good[:len(good)/2]), "not-json", ""},
		"a member twice":                           {[]byte(strings.Replace(good, `"right":`, `"right":"erasure","right":`, 1)), "not-json", ""},
		"not UTF-8":                                {[]byte(strings.Replace(good, canary, canary+"\xff", 1)), "not-utf8", ""},
		"UTF-16":                                   {[]byte("\xff\xfe{\x00}\x00"), "not-utf8", ""},
		"a byte order mark":                        {[]byte("\xef\xbb\xbf" + good), "not-json", ""},
		"nested 100,000 deep":                      {[]byte(strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)), "limit", ""},
		"a list":                                   {[]byte(`[` + good + `]`), "invalid", ""},
		"null":                                     {[]byte(`null`), "invalid", ""},
		"an unknown right":                         {text(t, request(with("right", canary))), "right-not-granted", "/right"},
		"an unknown jurisdiction":                  {text(t, request(with("jurisdiction", canary))), "invalid", "/jurisdiction"},
		"a right that isn't granted":               {text(t, request(with("right", "know-categories"))), "right-not-granted", "/right"},
		"no identifier":                            {text(t, request(with("identifiers", []any{}))), "invalid", "/subject/identifiers"},
		"no identifiers":                           {text(t, request(with("subject", map[string]any{}))), "invalid", "/subject"},
		"51 identifiers":                           {text(t, request(with("identifiers", many(51)))), "invalid", "/subject/identifiers"},
		"an identifier of 1,000 kB":                {text(t, request(with("identifiers", []any{identifier("email", canary+"@"+strings.Repeat("x", 1_000_000))}))), "invalid", "/subject/identifiers/0/value"},
		"an identifier of 1,025 letters":           {text(t, request(with("identifiers", []any{identifier("cookie_id", strings.Repeat("x", 1025))}))), "invalid", "/subject/identifiers/0/value"},
		"an empty identifier":                      {text(t, request(with("identifiers", []any{identifier("email", "")}))), "invalid", "/subject/identifiers/0/value"},
		"an identifier of white space":             {text(t, request(with("identifiers", []any{identifier("customer_ref", " \u00a0\u3000 ")}))), "invalid", "/subject/identifiers/0/value"},
		"a phone number without digits":            {text(t, request(with("identifiers", []any{identifier("phone", canary)}))), "invalid", "/subject/identifiers/0/value"},
		"an address without @":                     {text(t, request(with("identifiers", []any{identifier("email", canary)}))), "invalid", "/subject/identifiers/0/value"},
		"an identifier that turns round":           {text(t, request(with("identifiers", []any{identifier("email", "a\u202e@"+canary)}))), "invalid", "/subject/identifiers/0/value"},
		"an identifier with half a letter":         {[]byte(strings.Replace(good, `"value":"`, `"value":"\ud800`, 1)), "invalid", "/subject/identifiers/0/value"},
		"an identifier with a line of its own":     {text(t, request(with("identifiers", []any{identifier("account_id", "a\u2028"+canary)}))), "invalid", "/subject/identifiers/0/value"},
		"an identifier with a control code of ISO": {text(t, request(with("identifiers", []any{identifier("account_id", "a\u0085"+canary)}))), "invalid", "/subject/identifiers/0/value"},
		"an identifier with a NUL":                 {text(t, request(with("identifiers", []any{identifier("email", "a\x00@"+canary)}))), "invalid", "/subject/identifiers/0/value"},
		"a type that nobody knows":                 {text(t, request(with("identifiers", []any{identifier("shoe_size", canary)}))), "invalid", "/subject/identifiers/0/type"},
		"a date of the year 3000":                  {text(t, request(with("received_at", "3000-01-01T00:00:00Z"))), "invalid", "/received_at"},
		"a date two days ahead":                    {text(t, request(with("received_at", "2026-11-22T09:30:00Z"))), "invalid", "/received_at"},
		"a date of the year 1999":                  {text(t, request(with("received_at", "1999-12-31T23:59:59Z"))), "invalid", "/received_at"},
		"the 31st of February":                     {text(t, request(with("received_at", "2026-02-31T00:00:00Z"))), "invalid", "/received_at"},
		"a date without a zone":                    {text(t, request(with("received_at", "2026-11-20T09:30:00"))), "invalid", "/received_at"},
		"a date as a number":                       {text(t, request(with("received_at", 1795165800))), "invalid", "/received_at"},
		"a request_id that is no UUID":             {text(t, request(with("request_id", canary))), "invalid", "/request_id"},
		"a request_id in upper case":               {text(t, request(with("request_id", strings.ToUpper(requestID)))), "invalid", "/request_id"},
		"the nil UUID":                             {text(t, request(with("request_id", "00000000-0000-0000-0000-000000000000"))), "invalid", "/request_id"},
		"a member that nobody knows":               {text(t, request(with("urgent", canary), with(address, 1))), "invalid", ""},
		"an empty source":                          {text(t, request(with("source", ""))), "invalid", "/source"},
		"a source with a line break":               {text(t, request(with("source", "a\nb"))), "invalid", "/source"},
		"a locale that is none":                    {text(t, request(with("locale", canary+"_xx"))), "invalid", "/subject/locale"},
		"a rectification without details":          {text(t, request(with("right", "rectification"))), "invalid", "/details/corrections"},
		"a rectification of nothing":               {text(t, request(with("right", "rectification"), with("details", map[string]any{"purposes": []any{"marketing"}}))), "invalid", "/details/corrections"},
		"two values for one field": {text(t, request(with("right", "rectification"), with("details", map[string]any{"corrections": []any{
			map[string]any{"system": "billing", "column": "name", "value": canary}, map[string]any{"dataset": "invoices", "column": "name", "value": "x"},
		}}))), "invalid", "/details/corrections/1"},
		"details of 300 kB": {text(t, request(with("right", "rectification"), with("details", map[string]any{"corrections": corrections(75)}))),
			"invalid", "/details"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			answer := w.post(c.data)
			if answer.Code != 400 || code(t, answer) != c.code || !strings.Contains(answer.Body.String(), `"pointer":"`+c.pointer+`"`) && c.pointer != "" {
				t.Errorf("over HTTP: %d %.500s", answer.Code, answer.Body)
			}
			must(t, w.publish(requestID, c.data))
			r := w.lastRejected()
			if r.Code != c.code || r.Pointer != c.pointer || r.Bytes != len(c.data) || r.Topic != event.TopicRequests || r.EventType != event.TypeSubmitted {
				t.Errorf("on the topic: %+v", r)
			}
			if got := w.reads(r); r.Truncated == bytes.Equal(got.Value, c.data) || !bytes.HasPrefix(c.data, got.Value) || string(got.Key) != requestID {
				t.Errorf("what was kept of %d bytes are %d, cut: %v", len(c.data), len(got.Value), r.Truncated)
			}
			if a := w.accepted(requestID); a.RequestID != "" {
				t.Error("it was taken in")
			}
		})
	}
}

func many(n int) (ids []any) {
	for i := range n {
		ids = append(ids, identifier("email", fmt.Sprintf("%s%d@example.com", canary, i)))
	}
	return ids
}

func corrections(n int) (list []any) {
	for i := range n {
		list = append(list, map[string]any{"dataset": fmt.Sprintf("d%d", i), "column": "name", "value": canary + strings.Repeat("x", 4000)})
	}
	return list
}

// TestBadRecords is the table of what only a topic can bring.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	good := text(t, request())
	header := func(name, value string) func(map[string]string) {
		return func(h map[string]string) {
			if h[name] = value; value == "" {
				delete(h, name)
			}
		}
	}
	none := func(h map[string]string) { clear(h) }
	structured := header(event.HeaderContentType, event.ContentTypeStructured)
	for name, c := range map[string]struct {
		code    string
		key     string
		payload []byte
		change  func(map[string]string)
	}{
		"a tombstone":                    {"tombstone", requestID, nil, header("", "")},
		"an empty value":                 {"not-a-cloudevent", requestID, []byte{}, header("", "")},
		"no headers":                     {"not-a-cloudevent", requestID, good, none},
		"no type":                        {"no-type", requestID, good, header(event.HeaderType, "")},
		"an unknown version":             {"unknown-version", requestID, good, header(event.HeaderType, "dsar.request.submitted.v2")},
		"an unknown type":                {"unknown-type", requestID, good, header(event.HeaderType, canary)},
		"a type of ours that isn't read": {"unknown-type", requestID, good, header(event.HeaderType, event.TypeReport)},
		"a CloudEvent of version 0.3":    {"spec-version", requestID, good, header("ce_specversion", "0.3")},
		"no id":                          {"not-a-cloudevent", requestID, good, header(event.HeaderID, "")},
		"a type with control characters": {"attribute", requestID, good, header(event.HeaderType, canary+"\x00")},
		"a time that is none":            {"attribute", requestID, good, header(event.HeaderTime, canary)},
		"Avro":                           {"content-type", requestID, good, header(event.HeaderContentType, "application/avro")},
		"Latin-1":                        {"content-type", requestID, good, header(event.HeaderContentType, "application/json; charset=iso-8859-1")},
		"a batch of CloudEvents":         {"content-type", requestID, []byte("[]"), header(event.HeaderContentType, "application/cloudevents-batch+json")},
		"structured, and not JSON":       {"not-a-cloudevent", requestID, []byte(canary), structured},
		"structured, without a type":     {"no-type", requestID, []byte(`{"specversion":"1.0","id":"1","source":"x","data":{}}`), structured},
		"structured, unknown version":    {"unknown-version", requestID, []byte(`{"specversion":"1.0","id":"1","source":"x","type":"dsar.request.submitted.v9","data":{}}`), structured},
		"structured, without data":       {"not-a-cloudevent", requestID, []byte(`{"specversion":"1.0","id":"1","source":"x","type":"dsar.request.submitted.v1"}`), structured},
		"another key":                    {"key-mismatch", "11111111-1111-4111-8111-111111111111", good, header("", "")},
		"an address for a key":           {"key-mismatch", address, good, header("", "")},
		"no key":                         {"key-mismatch", "", good, header("", "")},
		"headers of 1 MB":                {"no-type", requestID, good, func(h map[string]string) { delete(h, event.HeaderType); h["x"] = strings.Repeat(canary, 80_000) }},
		"50 MB of JSON":                  {"too-large", requestID, append(bytes.Repeat([]byte(" "), 50<<20), good...), header("", "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			if err := w.publish(c.key, c.payload, c.change); err != nil {
				t.Fatal(err)
			}
			subject := w.rejected[0].Subject
			r := w.lastRejected()
			if r.Code != c.code || r.Bytes != len(c.payload) || subject == "" {
				t.Errorf("%+v, about %q", r, subject)
			}
			if got := w.reads(r); string(got.Key) != c.key || !bytes.HasPrefix(c.payload, got.Value) {
				t.Errorf("kept is another record, with the key %q", got.Key)
			}
			if a := w.accepted(requestID); a.RequestID != "" {
				t.Error("it was taken in")
			}
			// The same again is the same event.
			must(t, w.publish(c.key, c.payload, c.change))
			must(t, w.publish(c.key, c.payload, c.change))
			if len(w.rejected) != 2 || w.rejected[0].ID != w.rejected[1].ID {
				t.Error("the same record again is another event")
			}
		})
	}
}

// TestKeyOfStructured: in structured mode, too, the key must be the request_id.
func TestKeyOfStructured(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	payload := []byte(`{"specversion":"1.0","id":"1","source":"x","type":"` + event.TypeSubmitted + `","data":` + string(text(t, request())) + `}`)
	structured := func(h map[string]string) {
		clear(h)
		h["Content-Type"] = event.ContentTypeStructured + "; charset=UTF-8"
	}
	must(t, w.publish("", payload, structured))
	if r := w.lastRejected(); r.Code != "key-mismatch" || r.RequestID != requestID {
		t.Errorf("%+v", r)
	}
	must(t, w.publish(requestID, payload, structured))
	if a := w.accepted(requestID); len(w.rejected) > 0 || a.Source != "signup-page" {
		t.Errorf("taken in as %+v", a)
	}
}
