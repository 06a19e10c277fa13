package event

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/schemas"
)

// Rejected is the data of dsar.rejected.v1: a record that could not be read.
// Only Sealed may hold personal data.
type Rejected struct {
	// Topic is the one that the record came on.
	Topic string `json:"topic"`
	// Code is a short word for machines: one of [Code]'s, conflict, key-mismatch.
	Code string `json:"code"`
	// Reason is one sentence. It never quotes the record.
	Reason string `json:"reason"`
	// Pointer is the place in the data, as a JSON Pointer.
	Pointer string `json:"pointer,omitempty"`
	// RequestID is set where one could be read.
	RequestID string `json:"request_id,omitempty"`
	// EventType is set where it is a type of ours, in whatever version.
	EventType string    `json:"event_type,omitempty"`
	At        time.Time `json:"at"`
	// Bytes is the length of the record's value; 0 for a tombstone.
	Bytes int `json:"bytes"`
	// Sealed is a [Record] as JSON, sealed by the vault's key set KeySet as
	// vault.Rejected.
	Sealed []byte `json:"sealed,omitempty"`
	KeySet string `json:"key_set,omitempty"`
	// Truncated says that Sealed holds only the beginning of the value.
	Truncated bool `json:"truncated,omitempty"`
}

// Record is a record as it came in.
type Record struct {
	Key     []byte            `json:"key,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Value   []byte            `json:"value,omitempty"`
}

// Rejection returns the event that says that a record can't be used, now or ever.
// Of what a stranger wrote it repeats only what has the form of a request id or of
// a type of ours; r.Reason MUST be the rejecter's own words. about is what the
// record is known by: the same record again, with the same flaw, is the same event.
func Rejection(source string, r Rejected, about ...string) Event {
	if !dsar.ValidRequestID(r.RequestID) {
		r.RequestID = ""
	}
	if !ours(r.EventType) {
		r.EventType = ""
	}
	r.At = r.At.UTC().Truncate(time.Microsecond)
	data, _ := json.Marshal(r) //nolint:errchkjson // strings, numbers and a time
	id := append([]string{"rejected", r.Topic}, about...)
	return Event{ID: ID(append(id, r.Code)...), Source: source, Type: TypeRejected, Subject: r.RequestID, Time: r.At, Data: data}
}

var eventTypes = sync.OnceValue(schemas.EventTypes)

// ours reports whether a type is one of Habeas, in whatever version.
func ours(typ string) bool {
	name, version, ok := splitType(typ)
	return ok && version < 10_000 && slices.ContainsFunc(eventTypes(), func(known string) bool {
		of, _, _ := splitType(known)
		return of == name
	})
}
