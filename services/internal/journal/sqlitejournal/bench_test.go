//go:build unix

package sqlitejournal_test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"habeas.dev/services/internal/journal/journaltest"
)

// cpu is what this process has used so far, user and system.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{2, 50, 200} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "journal.db"))
			journaltest.Bench(b, s, s.Commits, callers, cpu)
		})
	}
}
