//go:build unix

package pgjournal_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/pgtest"
)

// cpu returns what this process has used so far; the server's is not in it.
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

// BenchmarkGrown appends to a journal that has many requests already: an append
// must cost about the same however many.
func BenchmarkGrown(b *testing.B) {
	server := pgtest.Start(b, pgtest.Param("fsync=on"), pgtest.Param("full_page_writes=on"))
	for _, requests := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("requests=%d", requests), func(b *testing.B) {
			url := server.Database(b)
			s := open(b, url)
			// Ended requests of ten facts; their chains don't verify.
			pgtest.Exec(b, url, fmt.Sprintf(`INSERT INTO request (id, version, hash, status, "right", jurisdiction, source, digest, received_at, updated_at, overdue, waiting)
				SELECT gen_random_uuid()::text, 10, '', 'completed', 'access', 'EEA', 'signup-page', 'd', to_timestamp(1700000000 + i), now(), false, '{}'
				FROM generate_series(1, %d) AS i`, requests))
			pgtest.Exec(b, url, `INSERT INTO fact SELECT num, v, 'task.ended', now(), decode(repeat('00', 100), 'hex'), '' FROM request, generate_series(1, 10) AS v`)
			pgtest.Exec(b, url, `INSERT INTO fingerprint SELECT md5(num::text) || md5('x' || num), num FROM request`)
			pgtest.Exec(b, url, "VACUUM ANALYZE")
			pgtest.Exec(b, url, "CHECKPOINT")
			journaltest.Bench(b, s, s.Commits, 200, cpu)
			for name, f := range map[string]func() error{
				"ms/counts": func() error { _, err := s.Counts(ctx); return err },
				"ms/list": func() error {
					_, err := s.List(ctx, journal.Filter{Statuses: []core.Status{"gathering", "failed"}})
					return err
				},
			} {
				begun := time.Now()
				if err := f(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(time.Since(begun).Microseconds())/1000, name)
			}
		})
	}
}
