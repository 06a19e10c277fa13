// Package simulation plays the real services' logic with everything that can go
// wrong between them: messages that come twice, late, out of order or never,
// processes that die between any two steps, systems that fail, stall or erase
// by halves, on a virtual clock, from a seed. At the end of every run the
// invariants of the design are checked; a failure prints its seed and the
// command that repeats it.
//
// There is nothing here but tests: go test ./services/internal/simulation
// -seeds=10000, or -seed=N for one run.
package simulation
