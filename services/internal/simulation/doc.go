// Package simulation plays the real services' logic with everything that can go
// wrong between them: messages that come twice, late, out of order or never,
// processes that die between any two steps, stores that don't answer or answer
// without saying so, systems that fail, stall or erase by halves. All of it is
// on a virtual clock and from a seed. At the end of every run the invariants of
// the design are checked; a failure prints its seed and the command that repeats
// it, and the seed then goes into a table that is played every time.
//
// What is real: intake with its HTTP door and its topic, lifecycle, coordinator,
// relay, worker SDK, vault, aggregator, bundle, and the logger. What is played:
// Kafka, the disk and the bucket below journal and vault, the systems, upstream,
// the support agent.
//
// There is nothing here but tests:
//
//	go test ./services/internal/simulation -seeds=10000    more runs
//	go test ./services/internal/simulation -seed=N         one run
//
// TestMutants proves that the checks can fail: each mutant breaks one promise,
// and must be caught within a few seeds.
package simulation
