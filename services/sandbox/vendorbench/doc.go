// Package vendorbench counts the calls that each vendor's worker makes, against
// what is ideal at that vendor and against one subject at a time, and tells how
// long ten thousand erasures take inside the vendor's limits. Time is simulated
// (testing/synctest): it passes by what calls take and by what the limits make
// wait, so that the figures are the same on every machine.
//
// It is a test, small by default; `make bench-vendors` runs it at full size and
// prints what docs/benchmarks.md shows.
package vendorbench
