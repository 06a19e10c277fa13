package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
)

// rejection is the data of dsar.rejected.v1 (schemas/), without the record
// itself: a task's content is sealed already, and what isn't a task is still on
// the topic, at the place that the reason names.
type rejection struct {
	Topic     string    `json:"topic"`
	Code      string    `json:"code"`
	Reason    string    `json:"reason"`
	RequestID string    `json:"request_id,omitempty"`
	EventType string    `json:"event_type,omitempty"`
	At        time.Time `json:"at"`
	Bytes     int       `json:"bytes"`
}

// What of a stranger's event may be repeated.
var (
	ours      = regexp.MustCompile(`^dsar\.[a-z.-]{1,60}\.v[0-9]{1,4}$`)
	requestID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// rejected says that a message is no task of this worker's. It quotes nothing
// but what has the form of an id or of a type of ours; at says where the record
// lies, where that is known.
func (w *Worker) rejected(e event.Event, at *bus.Position, err error) event.Event {
	r := rejection{Topic: event.TopicTasks(w.system), Code: event.Code(err), Reason: "the record is not a task", At: w.now().UTC(), Bytes: len(e.Data)}
	var own *errRejected
	switch {
	case errors.As(err, &own):
		r.Code, r.Reason = own.code, own.reason
	case r.Code != "":
		r.Reason = cut(err.Error(), MaxReason) // pkg/event's errors quote nothing
	default:
		r.Code = "unreadable"
	}
	id := e.ID
	if at != nil {
		id = fmt.Sprintf("%d/%d", at.Partition, at.Offset)
		r.Reason += fmt.Sprintf(" (partition %d, offset %d)", at.Partition, at.Offset)
	}
	if ours.MatchString(e.Type) {
		r.EventType = e.Type
	}
	if requestID.MatchString(e.Subject) {
		r.RequestID = e.Subject
	}
	data, _ := json.Marshal(r) // plain data: Marshal can't fail on it
	if id == "" {
		id = w.name()
	}
	return event.Event{
		// The id of the event that it is about may be anything: hash it.
		ID:      event.ID("rejected", w.system, id, r.Code),
		Source:  w.source,
		Type:    event.TypeRejected,
		Subject: r.RequestID,
		Time:    r.At,
		Data:    data,
	}
}
