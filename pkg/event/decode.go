package event

import (
	"fmt"
	"mime"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxPayload is the longest record value that is read, in bytes. It is what
	// a Kafka topic takes by default, and a thousand times a usual request.
	maxPayload = 1 << 20
	// maxAttribute is the longest attribute, in bytes. Ids, sources and types
	// are names; what is longer is a mistake or an attack.
	maxAttribute = 1024
)

// Decode reads an event from a record in binary or in structured mode. Header
// names count without regard to case. The payload is nil for a tombstone.
//
// Decode looks at the envelope only: whether the type is known is
// [Validator.ValidateData]'s to say, and so is what the data holds. In binary
// mode the event's Data is the payload itself, not a copy.
//
// Its errors have a [Code]; they name the attribute and never quote
// the record.
func Decode(headers map[string]string, payload []byte) (Event, error) {
	if payload == nil {
		return Event{}, errTombstone
	}
	if len(payload) > maxPayload {
		return Event{}, fmt.Errorf("%w: %d bytes, at most %d are read", errTooLarge, len(payload), maxPayload)
	}
	headers = fold(headers)
	contentType := headers[HeaderContentType]
	if contentType == ContentTypeJSON { // what nearly everyone sends
		return decodeBinary(headers, payload)
	}
	switch media := mediaType(contentType); {
	case media == ContentTypeStructured:
		return decodeStructured(payload)
	case strings.HasPrefix(media, "application/cloudevents"):
		return Event{}, fmt.Errorf("%w: of the CloudEvents formats, only %s, one event a record", errContentType, ContentTypeStructured)
	case contentType == "" || isJSON(media):
		return decodeBinary(headers, payload)
	default:
		return Event{}, fmt.Errorf("%w: the data must be %s, in UTF-8", errContentType, ContentTypeJSON)
	}
}

func decodeBinary(headers map[string]string, payload []byte) (Event, error) {
	version, ok := headers[HeaderSpecVersion]
	switch {
	case !ok && headers[HeaderType] == "" && headers[HeaderID] == "":
		return Event{}, fmt.Errorf("%w: neither ce_ headers (binary mode) nor the content type %s (structured mode)", errNotCloudEvent, ContentTypeStructured)
	case !ok:
		return Event{}, fmt.Errorf("%w: the header %s is missing", errNotCloudEvent, HeaderSpecVersion)
	case version != specVersion:
		return Event{}, errSpecVersion
	}
	e := Event{
		ID:          headers[HeaderID],
		Source:      headers[headerSource],
		Type:        headers[HeaderType],
		Subject:     headers[headerSubject],
		TraceParent: headers[headerTraceParent],
		Data:        payload,
	}
	if t, ok := headers[HeaderTime]; ok {
		at, err := time.Parse(time.RFC3339, t)
		if err != nil {
			return Event{}, fmt.Errorf("%w: time is not a time of RFC 3339", errAttribute)
		}
		e.Time = at
	}
	return e, e.check()
}

// check holds the rules that both modes share.
func (e Event) check() error {
	switch {
	case e.Type == "":
		return errType
	case e.ID == "":
		return fmt.Errorf("%w: it has no id", errNotCloudEvent)
	case e.Source == "":
		return fmt.Errorf("%w: it has no source", errNotCloudEvent)
	case len(e.Data) == 0:
		return fmt.Errorf("%w: it has no data", errNotCloudEvent)
	}
	for _, a := range [...]struct{ name, value string }{
		{"id", e.ID}, {"source", e.Source}, {"type", e.Type}, {"subject", e.Subject}, {"traceparent", e.TraceParent},
	} {
		if len(a.value) > maxAttribute {
			return fmt.Errorf("%w: %s is longer than %d bytes", errAttribute, a.name, maxAttribute)
		}
		if !clean(a.value) {
			return fmt.Errorf("%w: %s is not UTF-8 or has control characters", errAttribute, a.name)
		}
	}
	return nil
}

// clean reports whether an attribute is UTF-8 without control characters
// (CloudEvents 1.0.2, "Type System", String).
func clean(s string) bool {
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < 0x20 || c == 0x7f:
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if ascii {
		return true
	}
	for _, r := range s {
		if r >= 0x80 && r < 0xa0 {
			return false
		}
	}
	return utf8.ValidString(s)
}

// mediaType returns the content type without its parameters, in lower case; empty
// where it isn't a content type, or names another character set than UTF-8.
func mediaType(contentType string) string {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	if cs := params["charset"]; cs != "" && !strings.EqualFold(cs, "utf-8") {
		return ""
	}
	return media
}

func isJSON(media string) bool {
	return media == ContentTypeJSON || media == "text/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}
