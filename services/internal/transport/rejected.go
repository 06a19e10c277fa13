package transport

import (
	"time"

	"habeas.dev/pkg/event"
)

// Rejection returns the event that says that a message of a topic can never be
// used, and why. The reason MUST be the rejecter's own words.
func Rejection(source, topic, code, reason string, m Received, at time.Time) event.Event {
	r := event.Rejected{Topic: topic, Code: code, Reason: reason, RequestID: m.Key, EventType: m.Headers[event.HeaderType], At: at, Bytes: len(m.Payload)}
	return event.Rejection(source, r, m.Key, m.Headers[event.HeaderID], string(m.Payload))
}
