package lifecycle

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// source is the CloudEvents source of what the journal's owner sends.
const source = "habeas/coordinator"

// taskMessage tells a worker what to do, in the state after the fact that it is sent. Its id
// is the same whoever sends it.
func (v versioned) taskMessage(sent core.TaskSent) (journal.Message, error) {
	t := v.state.NewTask(sent)
	if t.Answer != nil {
		t.Answer.Facts = cite(t.Answer.Rests(), v.hashes)
	}
	data, err := json.Marshal(t)
	if err != nil {
		return journal.Message{}, fmt.Errorf("request %s: encode task: %w", t.RequestID, err)
	}
	id := event.TaskID(t.RequestID, t.System, t.Action, t.Attempt)
	return message(event.TopicTasks(t.System), event.Event{ID: id, Source: source, Type: event.TypeTask, Subject: t.RequestID, Time: sent.When(), Data: data}), nil
}

// factMessage tells whoever follows what was journalled, with its hash.
func factMessage(f journal.Fact, h hash) journal.Message {
	id := event.FactID(f.RequestID, f.Version)
	m := message(event.TopicEvents, event.Event{ID: id, Source: source, Type: event.FactType(f.Type), Subject: f.RequestID, Time: f.At, Data: f.Data})
	m.Headers[event.HeaderFactHash] = hex.EncodeToString(h[:])
	return m
}

// FactMessage returns the message by which a fact of the journal was told when it was
// appended.
func FactMessage(f journal.Fact) journal.Message { return factMessage(f, hash(f.Hash)) }

func message(topic string, e event.Event) journal.Message {
	e.TraceParent = telemetry.RequestTraceParent(e.Subject)
	return journal.Message{Topic: topic, Key: e.Subject, Headers: e.Headers(), Payload: e.Data}
}
