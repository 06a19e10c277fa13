package event

import (
	"fmt"
	"mime"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MaxPayload is the longest record value that is read, in bytes. It is what
	// a Kafka topic takes by default, and a thousand times a usual request.
	MaxPayload = 1 << 20
	// MaxAttribute is the longest attribute, in bytes. Ids, sources and types
	// are names; what is longer is a mistake or an attack.
	MaxAttribute = 1024
)

// Decode reads an event from a record in binary or in structured mode. Header
// names count without regard to case. The payload is nil for a tombstone.
//
// Decode looks at the envelope only: whether the type is known is
// [Validator.ValidateData]'s to say, and so is what the data holds. In binary
// mode the event's Data is the payload itself, not a copy.
//
// Its errors are those of errors.go; they name the attribute and never quote
// the record.
func Decode(headers map[string]string, payload []byte) (Event, error) {
	if payload == nil {
		return Event{}, ErrTombstone
	}
	if len(payload) > MaxPayload {
		return Event{}, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, len(payload), MaxPayload)
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
		return Event{}, fmt.Errorf("%w: of the CloudEvents formats, only %s, one event a record", ErrContentType, ContentTypeStructured)
	case contentType == "" || isJSON(media):
		return decodeBinary(headers, payload)
	default:
		return Event{}, fmt.Errorf("%w: the data must be %s, in UTF-8", ErrContentType, ContentTypeJSON)
	}
}

func decodeBinary(headers map[string]string, payload []byte) (Event, error) {
	version, ok := headers[HeaderSpecVersion]
	switch {
	case !ok && headers[HeaderType] == "" && headers[HeaderID] == "":
		return Event{}, fmt.Errorf("%w: neither ce_ headers (binary mode) nor the content type %s (structured mode)", ErrNotCloudEvent, ContentTypeStructured)
	case !ok:
		return Event{}, fmt.Errorf("%w: the header %s is missing", ErrNotCloudEvent, HeaderSpecVersion)
	case version != SpecVersion:
		return Event{}, ErrSpecVersion
	}
	e := Event{
		ID:          headers[HeaderID],
		Source:      headers[HeaderSource],
		Type:        headers[HeaderType],
		Subject:     headers[HeaderSubject],
		TraceParent: headers[HeaderTraceParent],
		Data:        payload,
	}
	if t, ok := headers[HeaderTime]; ok {
		at, err := time.Parse(time.RFC3339, t)
		if err != nil {
			return Event{}, fmt.Errorf("%w: time is not a time of RFC 3339", ErrAttribute)
		}
		e.Time = at
	}
	return e, e.check()
}

// check holds the rules that both modes share.
func (e Event) check() error {
	switch {
	case e.Type == "":
		return ErrType
	case e.ID == "":
		return fmt.Errorf("%w: it has no id", ErrNotCloudEvent)
	case e.Source == "":
		return fmt.Errorf("%w: it has no source", ErrNotCloudEvent)
	case len(e.Data) == 0:
		return fmt.Errorf("%w: it has no data", ErrNotCloudEvent)
	}
	for _, a := range [...]struct{ name, value string }{
		{"id", e.ID}, {"source", e.Source}, {"type", e.Type}, {"subject", e.Subject}, {"traceparent", e.TraceParent},
	} {
		if len(a.value) > MaxAttribute {
			return fmt.Errorf("%w: %s is longer than %d bytes", ErrAttribute, a.name, MaxAttribute)
		}
		if !clean(a.value) {
			return fmt.Errorf("%w: %s is not UTF-8 or has control characters", ErrAttribute, a.name)
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
