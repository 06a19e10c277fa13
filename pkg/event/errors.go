package event

import "errors"

// The ways in which a record can fail to be an event that Habeas reads. Every
// error of [Decode] is one of these, [Code] says which, and none of their texts
// quotes the record: what a stranger publishes may hold personal data.
// TestErrorsNeverQuoteTheRecord holds it.
var (
	// errTombstone says that the record has no value at all.
	errTombstone = errors.New("the record is a tombstone: it has no value")
	// errNotCloudEvent says that there is no CloudEvent here: attributes are
	// missing or empty, or the envelope isn't JSON.
	errNotCloudEvent = errors.New("not a CloudEvent")
	// errSpecVersion says that it is a CloudEvent of another version than 1.0.
	errSpecVersion = errors.New("not a CloudEvent of version 1.0")
	// errType says that the event has no type.
	errType = errors.New("the CloudEvent has no type")
	// errAttribute says that an attribute isn't what the specification allows,
	// or is longer than maxAttribute.
	errAttribute = errors.New("an attribute of the CloudEvent is not allowed")
	// errContentType says that the data isn't JSON, by its content type.
	errContentType = errors.New("the content type is not one that Habeas reads")
	// errTooLarge says that the record is longer than maxPayload.
	errTooLarge = errors.New("the event is too large")
	// errUnknownType says that Habeas has no events of this type.
	errUnknownType = errors.New("unknown type of event")
	// errUnknownVersion says that the type is known, but not in this version.
	errUnknownVersion = errors.New("unknown version")
)

// Code returns the short, stable word for an error of this package, as it stands in
// dsar.rejected and in problem details; empty for any other error.
func Code(err error) string {
	var data *DataError
	switch {
	case errors.As(err, &data):
		return data.Code
	case errors.Is(err, errTombstone):
		return "tombstone"
	case errors.Is(err, errType):
		return "no-type"
	case errors.Is(err, errSpecVersion):
		return "spec-version"
	case errors.Is(err, errAttribute):
		return "attribute"
	case errors.Is(err, errContentType):
		return "content-type"
	case errors.Is(err, errTooLarge):
		return "too-large"
	case errors.Is(err, errUnknownType):
		return "unknown-type"
	case errors.Is(err, errUnknownVersion):
		return "unknown-version"
	case errors.Is(err, errNotCloudEvent):
		return "not-a-cloudevent"
	default:
		return ""
	}
}
