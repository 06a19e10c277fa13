// Package httpsystem is the worker of a system that is served over HTTP: the pipeline
// calls, and a service in any language answers in lines. The service needs no Kafka, no
// keys and no state; this package is the worker that stands between.
//
// # The contract
//
// schemas/worker.openapi.yaml has it whole. GET /v1 says what the service can do. Each
// action is a POST of lines of JSON (NDJSON): a line for each task, with an erasure and its
// proof a line for each planned key, and a line that counts those before it. The answer is
// lines as well: records, keys, identifiers; a line that ends each task, or says why it
// failed; and the line that counts them all.
//
//   - An answer without its last line, or of another count, is cut: nothing of it counts
//     (TestCutAnswer). A task that the answer doesn't end is asked again (TestUnended).
//   - An erasure answers each planned key, in the order in which it was given, so that what
//     became of each is known and nobody needs to remember the keys (TestOrder). What was
//     found beside them is late.
//   - Every POST is signed as Standard Webhooks 1.0 have it, over its whole body. The id is
//     the same whenever the same is asked for again, so that a service may answer 202 while
//     it is at work on that, and with the lines once it has ended (TestAccepted).
//   - Identifiers stand in bodies, never in an address. What a service answers beside its
//     lines is sealed, and shown to nobody (TestCanary).
//   - Redirects aren't followed, plain HTTP is for loopback (TestAddress).
//
// Memory doesn't grow with an answer, nor with a plan: a line is read, passed on, and
// forgotten, and a body is written twice, once to be signed and counted
// (TestLongPlan).
package httpsystem
