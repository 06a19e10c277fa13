package event

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	ce "github.com/cloudevents/sdk-go/v2/event"
)

// decodeStructured reads an event that is one JSON document, with the
// CloudEvents project's own codec. That codec is lenient (it stops at an empty
// name, it skips over what it doesn't keep), so the document's shape is checked
// before.
func decodeStructured(payload []byte) (Event, error) {
	if !utf8.Valid(payload) {
		return Event{}, fmt.Errorf("%w: the envelope is not UTF-8", ErrNotCloudEvent)
	}
	if err := checkShape(payload); err != nil {
		return Event{}, fmt.Errorf("%w: the envelope: %s", ErrNotCloudEvent, err.Reason)
	}
	if !json.Valid(payload) {
		return Event{}, fmt.Errorf("%w: the envelope is not JSON", ErrNotCloudEvent)
	}
	// The codec's own errors quote what they met: they are replaced by what
	// the attributes alone tell.
	var head struct {
		SpecVersion *json.RawMessage `json:"specversion"`
		Type        *json.RawMessage `json:"type"`
	}
	if json.Unmarshal(payload, &head) != nil {
		return Event{}, fmt.Errorf("%w: the envelope is not a JSON object", ErrNotCloudEvent)
	}
	switch {
	case head.SpecVersion == nil:
		return Event{}, fmt.Errorf("%w: specversion is missing", ErrNotCloudEvent)
	case string(*head.SpecVersion) != `"`+SpecVersion+`"`:
		return Event{}, ErrSpecVersion
	case head.Type == nil:
		return Event{}, ErrType
	}
	var in ce.Event
	if in.UnmarshalJSON(payload) != nil {
		return Event{}, fmt.Errorf("%w: an attribute has the wrong type or format", ErrAttribute)
	}
	if in.Type() == "" {
		return Event{}, ErrType
	}
	if media := in.DataContentType(); media != "" && !isJSON(mediaType(media)) {
		return Event{}, fmt.Errorf("%w: the data must be %s, in UTF-8", ErrContentType, ContentTypeJSON)
	}
	if in.Validate() != nil {
		return Event{}, fmt.Errorf("%w: an attribute is empty or malformed", ErrAttribute)
	}
	e := Event{
		ID:      in.ID(),
		Source:  in.Source(),
		Type:    in.Type(),
		Subject: in.Subject(),
		Time:    in.Time(),
		Data:    in.Data(),
	}
	if tp, ok := in.Extensions()["traceparent"].(string); ok {
		e.TraceParent = tp
	}
	return e, e.check()
}
