// Package telemetry is how Habeas shows what it does without showing about whom:
// traces and metrics by OpenTelemetry, logs by slog.
//
// One request is one trace, and the trace's id is the request id's 128 bits:
// whoever has the one has the other. It is carried over Kafka in each message's
// traceparent ([TraceParent], [Continue]).
//
// Nothing is exported unless [Config] names a collector, and then near to
// nothing is spent. What is logged passes [NewLogger]'s filter, which lets
// through only what is known to be free of personal data.
package telemetry
