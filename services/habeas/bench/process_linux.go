package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// residentMemory returns what this process holds of the machine's memory, in bytes.
func residentMemory() int64 { return residentMemoryOf(os.Getpid())() }

// residentMemoryOf returns what reads how much a process holds; 0 where it is gone.
func residentMemoryOf(pid int) func() int64 {
	return func() int64 {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			return 0
		}
		var size, resident int64
		if _, err := fmt.Sscan(string(data), &size, &resident); err != nil {
			return 0
		}
		return resident * int64(os.Getpagesize())
	}
}

// processorTime returns what this process has used of the processors so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// clockTick is the unit of the processor times in /proc: USER_HZ, which is 100 on
// every architecture that Go runs on.
const clockTick = time.Second / 100

// processorTimeOf returns what reads the processor time that a process has used so
// far; 0 where it is gone.
func processorTimeOf(pid int) func() time.Duration {
	return func() time.Duration {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0
		}
		// The name of the program, in parentheses, may hold anything.
		fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
		const utime, stime = 11, 12 // proc(5): fields 14 and 15, of which three are before
		if len(fields) <= stime {
			return 0
		}
		user, _ := strconv.ParseInt(string(fields[utime]), 10, 64)
		system, _ := strconv.ParseInt(string(fields[stime]), 10, 64)
		return time.Duration(user+system) * clockTick
	}
}

// machineLoad returns how many processes want a processor: the averages of one, five
// and fifteen minutes.
func machineLoad() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return string(bytes.Join(bytes.Fields(data)[:3], []byte(" ")))
}
