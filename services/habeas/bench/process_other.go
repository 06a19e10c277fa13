//go:build !linux

package bench

import (
	"runtime"
	"time"
)

// residentMemory is what the runtime has of the system, which is more than what
// is resident: elsewhere than on Linux it can't be told without cgo.
func residentMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased) //nolint:gosec // memory sizes fit
}

// processorTime isn't told elsewhere than on Linux.
func processorTime() time.Duration { return 0 }
