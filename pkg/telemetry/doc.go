// Package telemetry says what a program does without saying about whom.
//
// One request is one trace, and the trace's id is the request id's 128 bits:
// whoever has the one has the other. It is carried over Kafka in each message's
// traceparent ([TraceParent], [Continue]). Where traces and metrics go is the
// program's own affair: pkg/worker takes OpenTelemetry's providers.
//
// What is logged passes [NewLogger]'s filter, which lets through only what is
// known to be free of personal data.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package telemetry
