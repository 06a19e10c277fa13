package conform

import (
	"time"

	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/fault"
)

// Break makes a stand-in behave in a way of the conformance kit, by its faults; false
// where it can't.
func Break(set func(fault.Config), how workertest.How) bool {
	faults, ok := map[workertest.How]fault.Config{
		workertest.Working:     {},
		workertest.RateLimited: {Throttle: 1},
		workertest.Hanging:     {Latency: time.Hour},
		workertest.Halfway:     {Lock: 1},
	}[how]
	if ok {
		set(faults)
	}
	return ok
}
