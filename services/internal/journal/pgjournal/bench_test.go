//go:build unix

package pgjournal_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/pgtest"
)

// cpu is what this process has used so far; the server's is not in it.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkAppend(b *testing.B) {
	server := pgtest.Start(b, pgtest.Param("fsync=on"), pgtest.Param("full_page_writes=on"))
	for _, callers := range []int{2, 50, 200} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, server.Database(b))
			journaltest.Bench(b, s, s.Commits, callers, cpu)
		})
	}
}
