// Package event is the envelope of everything that travels over Kafka: a
// CloudEvent (1.0), in binary mode where Habeas writes it, in binary or
// structured mode where others do.
//
// Stability: none: Habeas' services share it, and it changes with them.
package event

import (
	"time"
)

// The types of the CloudEvents. What a type's data may hold is in
// schemas/; a change that breaks a reader gets a new version.
const (
	TypeSubmitted = "dsar.request.submitted.v1" // upstream → intake
	TypeTask      = "dsar.task.v1"              // relay → worker; data is dsar.Task
	TypeReport    = "dsar.report.v1"            // worker → coordinator; data is dsar.Report
	TypeRejected  = "dsar.rejected.v1"          // intake, workers → operators
)

// FactType returns the CloudEvent type of a journal fact: "dsar." + name + ".v1".
func FactType(name string) string { return "dsar." + name + ".v1" }

// The topics. They never hold state that isn't in the journal.
const (
	TopicRequests = "dsar.requests"
	TopicReports  = "dsar.reports"
	TopicEvents   = "dsar.events"
	TopicRejected = "dsar.rejected"
)

// TopicTasks returns the topic of one system's tasks.
func TopicTasks(system string) string { return "dsar.tasks." + system }

// Event is a CloudEvent, with the attributes that Habeas uses.
type Event struct {
	ID     string
	Source string // a URI reference: habeas/coordinator, habeas/worker/billing
	Type   string
	// Subject is the request id.
	Subject string
	Time    time.Time
	// TraceParent is the W3C trace context (distributed tracing extension).
	TraceParent string
	Data        []byte // JSON
}
