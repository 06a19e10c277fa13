package worker

import (
	"errors"
	"fmt"
	"slices"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
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

// refused returns the report by which the coordinator hears of what came as a task and
// wasn't believed, so that it stands in the trace of the request that it names; zero where
// it names none, or where it only came too late.
func (w *Worker) refused(about link.Envelope, key *link.Key, why error) event.Event {
	var own *errRejected
	if !errors.As(why, &own) || own.code == CodeExpired || about.System != w.system || !slices.Contains(actions[:], about.Action) {
		return event.Event{}
	}
	r := dsar.Report{RequestID: about.RequestID, System: w.system, Action: about.Action, Attempt: about.Attempt, Kind: dsar.ReportRefused, Code: own.code}
	data, err := w.sealReport(key, r, nil)
	if err != nil {
		return event.Event{} // it is on dsar.rejected
	}
	return event.Event{ID: event.ReportID(r.RequestID, r.System, r.Action, r.Attempt, r.Kind, 0), Source: w.source, Type: event.TypeReport,
		Subject: r.RequestID, Time: w.now().UTC(), Data: data}
}
