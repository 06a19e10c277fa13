package worker

import (
	"errors"
	"fmt"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
)

// rejected returns the event that says that a message is no task of this worker's
// ([event.Rejection]), without the record itself: a task's content is sealed
// already, and what isn't a task is still on the topic, at the place that the
// reason names. at says where the record lies, where that is known.
func (w *Worker) rejected(e event.Event, at *bus.Position, err error) event.Event {
	r := event.Rejected{Topic: event.TopicTasks(w.system), Code: event.Code(err), Reason: "the record is not a task", RequestID: e.Subject, EventType: e.Type, At: w.now(), Bytes: len(e.Data)}
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
	if id == "" {
		id = w.name()
	}
	return event.Rejection(w.source, r, id) // the id of the event that it is about may be anything: it is hashed
}
