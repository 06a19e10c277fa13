package event

import "time"

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
	// Sealed is a [Record] as JSON, sealed by the vault's key set KeySet with
	// the context "rejected".
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
