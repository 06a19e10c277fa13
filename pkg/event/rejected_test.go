package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/event"
)

// TestRejectionRepeatsNothing: what a stranger wrote may be anybody's data.
func TestRejectionRepeatsNothing(t *testing.T) {
	t.Parallel()
	const id = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	at := time.Date(2026, 11, 20, 9, 30, 0, 123456789, time.FixedZone("", 3600))
	for given, want := range map[[2]string][2]string{
		{"anna@example.com", "dsar.anna.v1"}: {}, {"ANNA", "anna"}: {}, {"", ""}: {},
		{strings.ToUpper(id), "dsar.task.v01"}: {}, {id, event.TypeTask}: {id, event.TypeTask}, {id, "dsar.task.v99999"}: {id, ""}, {id, "dsar.report.v9999"}: {id, "dsar.report.v9999"},
	} {
		e := event.Rejection("habeas/test", event.Rejected{Topic: event.TopicRequests, Code: "not-json", Reason: "The data is no JSON.", RequestID: given[0], EventType: given[1], At: at, Bytes: 4}, "anna@example.com", "anna")
		var r event.Rejected
		if err := json.Unmarshal(e.Data, &r); err != nil || r.RequestID != want[0] || r.EventType != want[1] || e.Subject != want[0] || r.At != at.UTC().Truncate(time.Microsecond) {
			t.Errorf("%v: %+v, %v", given, r, err)
		}
		if text := strings.ToLower(e.ID + e.Subject + string(e.Data)); strings.Contains(text, "anna") {
			t.Errorf("%v: %s", given, text)
		}
	}
}

// TestRejectionIsOne: the same record with the same flaw is the same event, of
// another flaw another one.
func TestRejectionIsOne(t *testing.T) {
	t.Parallel()
	made := func(code, about string, at time.Time) string {
		return event.Rejection("habeas/test", event.Rejected{Topic: event.TopicRequests, Code: code, At: at}, about).ID
	}
	now := time.Now()
	if made("a", "x", now) != made("a", "x", now.Add(time.Hour)) || made("a", "x", now) == made("b", "x", now) || made("a", "x", now) == made("a", "y", now) {
		t.Error("an event's id isn't its record's and flaw's")
	}
}
