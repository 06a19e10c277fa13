package event

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// The names of the headers in binary mode (CloudEvents, Kafka protocol binding
// 1.0.2, section 3.2). The watermill metadata and the Kafka headers have the
// same names.
const (
	HeaderContentType = "content-type"
	HeaderSpecVersion = "ce_specversion"
	HeaderID          = "ce_id"
	headerSource      = "ce_source"
	HeaderType        = "ce_type"
	headerSubject     = "ce_subject"
	HeaderTime        = "ce_time"
	headerTraceParent = "ce_traceparent"
)

// The headers of a fact on dsar.events, beside those of every event: extension attributes,
// which [Decode] leaves out.
const (
	// HeaderFactHash is the fact's hash in its request's chain, in hexadecimal, by which
	// whoever follows can verify that chain.
	HeaderFactHash = "ce_facthash"
	// HeaderFactMAC is that hash's MAC by a secret of the vault, in base64: who has the
	// vault knows by it that the journal had that fact.
	HeaderFactMAC = "ce_factmac"
)

const (
	// specVersion is the version of CloudEvents that Habeas speaks.
	specVersion = "1.0"
	// ContentTypeJSON is the content type of all data.
	ContentTypeJSON = "application/json"
	// ContentTypeStructured is the content type of an event in structured mode.
	ContentTypeStructured = "application/cloudevents+json"
)

// Headers returns the headers of the event in binary mode; the record's value is
// e.Data as it is. Attributes that the event doesn't have get no header. MUST be
// read back by [Decode] as the same event (TestRoundTrip).
func (e Event) Headers() map[string]string {
	h := make(map[string]string, 8)
	h[HeaderContentType] = ContentTypeJSON
	h[HeaderSpecVersion] = specVersion
	h[HeaderID] = e.ID
	h[headerSource] = e.Source
	h[HeaderType] = e.Type
	if e.Subject != "" {
		h[headerSubject] = e.Subject
	}
	if !e.Time.IsZero() {
		h[HeaderTime] = e.Time.UTC().Format(time.RFC3339Nano)
	}
	if e.TraceParent != "" {
		h[headerTraceParent] = e.TraceParent
	}
	return h
}

// fold returns the headers with their names in lower case. Most writers use lower
// case already, so that it mostly returns its argument. Of two names that differ in
// case only, the lower-case one counts, else the first in byte order: the answer
// mustn't depend on the order of a map.
func fold(headers map[string]string) map[string]string {
	plain := true
	for name := range headers {
		if hasUpper(name) {
			plain = false
			break
		}
	}
	if plain {
		return headers
	}
	folded := make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lower := strings.ToLower(name)
		if _, taken := folded[lower]; !taken || name == lower {
			folded[lower] = headers[name]
		}
	}
	return folded
}

func hasUpper(s string) bool {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' || s[i] >= 0x80 {
			return true
		}
	}
	return false
}
