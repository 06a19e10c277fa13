package event

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// decodeStructured reads an event that is one JSON document (CloudEvents, JSON
// event format 1.0.2). Names are compared exactly, and a name that comes twice
// is refused: a document says the same to every reader of it.
func decodeStructured(payload []byte) (Event, error) {
	if !utf8.Valid(payload) {
		return Event{}, fmt.Errorf("%w: the envelope is not UTF-8", errNotCloudEvent)
	}
	if err := checkShape(payload); err != nil {
		return Event{}, fmt.Errorf("%w: the envelope: %s", errNotCloudEvent, err.Reason)
	}
	var in envelope
	if json.Unmarshal(payload, &in) != nil || in == nil {
		return Event{}, fmt.Errorf("%w: the envelope is not a JSON object", errNotCloudEvent)
	}
	if err := in.checkVersion(); err != nil {
		return Event{}, err
	}
	if err := in.checkContentType(); err != nil {
		return Event{}, err
	}
	e, err := in.event()
	if err != nil {
		return Event{}, err
	}
	return e, e.check()
}

// envelope is a structured event's members by name: attributes, extensions and
// the data.
type envelope map[string]json.RawMessage

func (in envelope) checkVersion() error {
	version, ok := in["specversion"]
	switch {
	case !ok || string(version) == "null":
		return fmt.Errorf("%w: specversion is missing", errNotCloudEvent)
	case string(version) != `"`+specVersion+`"`:
		return errSpecVersion
	default:
		return nil
	}
}

func (in envelope) checkContentType() error {
	media, err := in.text("datacontenttype")
	if err != nil {
		return err
	}
	if media != "" && !isJSON(mediaType(media)) {
		return fmt.Errorf("%w: the data must be %s, in UTF-8", errContentType, ContentTypeJSON)
	}
	return nil
}

// event returns the event that the members make.
func (in envelope) event() (Event, error) {
	var e Event
	var at string
	for _, a := range [...]struct {
		name string
		to   *string
	}{
		{"id", &e.ID}, {"source", &e.Source}, {"type", &e.Type}, {"subject", &e.Subject},
		{"time", &at}, {"traceparent", &e.TraceParent},
	} {
		var err error
		if *a.to, err = in.text(a.name); err != nil {
			return Event{}, err
		}
	}
	if e.Type == "" {
		return Event{}, errType
	}
	if e.ID == "" || e.Source == "" {
		return Event{}, fmt.Errorf("%w: id or source is missing or empty", errAttribute)
	}
	if _, err := url.Parse(e.Source); err != nil { // its error quotes the source
		return Event{}, fmt.Errorf("%w: source is not a URI reference", errAttribute)
	}
	if at != "" {
		var err error
		if e.Time, err = time.Parse(time.RFC3339, at); err != nil {
			return Event{}, fmt.Errorf("%w: time is not a time of RFC 3339", errAttribute)
		}
	}
	if err := in.checkNames(); err != nil {
		return Event{}, err
	}
	var err error
	e.Data, err = in.data()
	return e, err
}

// text returns an attribute that is a string; empty where it is missing or null,
// which the format takes for missing.
func (in envelope) text(name string) (string, error) {
	value, ok := in[name]
	if !ok {
		return "", nil
	}
	var s *string
	if json.Unmarshal(value, &s) != nil {
		return "", fmt.Errorf("%w: %s is not a string", errAttribute, name)
	}
	if s == nil {
		return "", nil
	}
	return *s, nil
}

// checkNames refuses members that are no attribute: a name is of letters and
// digits (CloudEvents 1.0.2, "Attribute Naming Convention", which has them in
// lower case; not every writer does), and a value is a string, a number, a
// boolean or null. Two names that differ in case only are one to some readers.
func (in envelope) checkNames() error {
	for name, value := range in {
		if name == "data" || name == "data_base64" {
			continue
		}
		if !isAttributeName(name) || value[0] == '{' || value[0] == '[' {
			return fmt.Errorf("%w: a member of the envelope is no attribute", errAttribute)
		}
		if lower := strings.ToLower(name); lower != name && in[lower] != nil {
			return fmt.Errorf("%w: two names differ in case only", errAttribute)
		}
	}
	return nil
}

func isAttributeName(name string) bool {
	for i := range len(name) {
		if c := name[i] | 0x20; (c < 'a' || c > 'z') && (name[i] < '0' || name[i] > '9') {
			return false
		}
	}
	return name != ""
}

// data returns the data, which stands in the envelope as JSON or in base64.
func (in envelope) data() ([]byte, error) {
	text, isJSON := in["data"]
	if _, ok := in["data_base64"]; !ok {
		return text, nil
	}
	if isJSON {
		return nil, fmt.Errorf("%w: data and data_base64 exclude each other", errAttribute)
	}
	encoded, err := in.text("data_base64")
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: data_base64 is not base64", errAttribute)
	}
	return data, nil
}
