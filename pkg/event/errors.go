package event

import "errors"

// The ways in which a record can fail to be an event that Habeas reads. Every
// error of [Decode] is one of these, by errors.Is, and none of their texts
// quotes the record: what a stranger publishes may hold personal data.
// TestErrorsNeverQuoteTheRecord holds it.
var (
	// ErrTombstone says that the record has no value at all.
	ErrTombstone = errors.New("the record is a tombstone: it has no value")
	// ErrNotCloudEvent says that there is no CloudEvent here: attributes are
	// missing or empty, or the envelope isn't JSON.
	ErrNotCloudEvent = errors.New("not a CloudEvent")
	// ErrSpecVersion says that it is a CloudEvent of another version than 1.0.
	ErrSpecVersion = errors.New("not a CloudEvent of version 1.0")
	// ErrType says that the event has no type.
	ErrType = errors.New("the CloudEvent has no type")
	// ErrAttribute says that an attribute isn't what the specification allows,
	// or is longer than [MaxAttribute].
	ErrAttribute = errors.New("an attribute of the CloudEvent is not allowed")
	// ErrContentType says that the data isn't JSON, by its content type.
	ErrContentType = errors.New("the content type is not one that Habeas reads")
	// ErrTooLarge says that the record is longer than [MaxPayload].
	ErrTooLarge = errors.New("the event is too large")
	// ErrUnknownType says that Habeas has no events of this type.
	ErrUnknownType = errors.New("unknown type of event")
	// ErrUnknownVersion says that the type is known, but not in this version.
	ErrUnknownVersion = errors.New("unknown version")
)

// Code returns the short, stable word for an error of this package, as it stands in
// dsar.rejected and in problem details; empty for any other error.
func Code(err error) string {
	var data *DataError
	switch {
	case errors.As(err, &data):
		return data.Code
	case errors.Is(err, ErrTombstone):
		return "tombstone"
	case errors.Is(err, ErrType):
		return "no-type"
	case errors.Is(err, ErrSpecVersion):
		return "spec-version"
	case errors.Is(err, ErrAttribute):
		return "attribute"
	case errors.Is(err, ErrContentType):
		return "content-type"
	case errors.Is(err, ErrTooLarge):
		return "too-large"
	case errors.Is(err, ErrUnknownType):
		return "unknown-type"
	case errors.Is(err, ErrUnknownVersion):
		return "unknown-version"
	case errors.Is(err, ErrNotCloudEvent):
		return "not-a-cloudevent"
	default:
		return ""
	}
}
