//go:build !linux

package bench

import (
	"runtime"
	"time"
)

// residentMemory returns what the runtime has of the system, which is more than
// what is resident: elsewhere than on Linux it can't be told without cgo.
func residentMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased) //nolint:gosec // memory sizes fit
}

// residentMemoryOf isn't told elsewhere than on Linux.
func residentMemoryOf(int) func() int64 { return func() int64 { return 0 } }

// processorTime isn't told elsewhere than on Linux.
func processorTime() time.Duration { return 0 }

// processorTimeOf isn't told elsewhere than on Linux.
func processorTimeOf(int) func() time.Duration { return func() time.Duration { return 0 } }

// machineLoad isn't told elsewhere than on Linux.
func machineLoad() string { return "unknown" }
