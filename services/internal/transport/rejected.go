package transport

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/event"
)

// Rejection returns the event that says that a message of a topic can't be used,
// now or ever, and why. It repeats nothing of the message but what has the form of
// a request id: a stranger's key or text may be anybody's data. The reason MUST be
// the rejecter's own words.
func Rejection(source, topic, code, reason string, m Received, at time.Time) event.Event {
	r := event.Rejected{Topic: topic, Code: code, Reason: reason, At: at.UTC().Truncate(time.Microsecond), Bytes: len(m.Payload)}
	if id, err := uuid.Parse(m.Key); err == nil && id.String() == m.Key {
		r.RequestID = m.Key
	}
	data, _ := json.Marshal(r) //nolint:errchkjson // strings, a number and a time
	return event.Event{
		// The same message again, with the same flaw, is the same event.
		ID:     event.ID("rejected", topic, m.Key, m.Headers[event.HeaderID], string(m.Payload), code),
		Source: source, Type: event.TypeRejected, Subject: r.RequestID, Time: r.At, Data: data,
	}
}
