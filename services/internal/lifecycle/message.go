package lifecycle

import (
	"encoding/json"
	"fmt"
	"time"

	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// source is the CloudEvents source of what the journal's owner sends.
const source = "habeas/coordinator"

// taskMessage tells a worker what to do. Its id is the same whoever sends it.
func taskMessage(t core.AssembleTask, at time.Time) (journal.Message, error) {
	data, err := json.Marshal(t)
	if err != nil {
		return journal.Message{}, fmt.Errorf("request %s: encode task: %w", t.RequestID, err)
	}
	id := event.TaskID(t.RequestID, t.System, t.Action, t.Attempt)
	return message(event.TopicTasks(t.System), event.Event{ID: id, Source: source, Type: event.TypeTask, Subject: t.RequestID, Time: at, Data: data}), nil
}

// factMessage tells whoever follows what was journalled.
func factMessage(requestID string, version int, typ string, at time.Time, data []byte) journal.Message {
	id := event.FactID(requestID, version)
	return message(event.TopicEvents, event.Event{ID: id, Source: source, Type: event.FactType(typ), Subject: requestID, Time: at, Data: data})
}

func message(topic string, e event.Event) journal.Message {
	e.TraceParent = telemetry.RequestTraceParent(e.Subject)
	return journal.Message{Topic: topic, Key: e.Subject, Headers: e.Headers(), Payload: e.Data}
}
