//go:build unix

package sqlitejournal_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
)

// cpu returns what this process has used so far, user and system.
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

// BenchmarkGrown appends to a journal that has many requests already: an append
// must cost about the same however many.
func BenchmarkGrown(b *testing.B) {
	for _, requests := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("requests=%d", requests), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "journal.db")
			if err := open(b, path).Close(); err != nil {
				b.Fatal(err)
			}
			grow(b, path, requests)
			s := open(b, path)
			journaltest.Bench(b, s, s.Commits, 200, cpu)
			b.ReportMetric(timeOf(b, func() error { _, err := s.Counts(ctx); return err }), "ms/counts")
			b.ReportMetric(timeOf(b, func() error {
				_, err := s.List(ctx, journal.Filter{Statuses: []core.Status{"gathering", "failed"}})
				return err
			}), "ms/list")
		})
	}
}

func timeOf(b *testing.B, f func() error) float64 {
	b.Helper()
	begun := time.Now()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return float64(time.Since(begun).Microseconds()) / 1000
}

// grow writes ended requests of ten facts straight into the tables: their chains
// don't verify.
func grow(b *testing.B, path string, requests int) {
	b.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, q := range []string{
		"PRAGMA synchronous = OFF", "PRAGMA cache_size = -200000", "BEGIN",
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO request SELECT i, lower(hex(randomblob(16))), 10, zeroblob(32), 'completed', 'access', 'EEA', 'signup-page', 'd',
			1700000000000000 + i * 1000000, NULL, NULL, 1700000000000000, 0, '' FROM n`,
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO fingerprint SELECT lower(hex(randomblob(32))), i FROM n`,
		`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? * 10 - 1)
			INSERT INTO fact SELECT i / 10 + 1, i % 10 + 1, 'task.ended', 1700000000000000, zeroblob(100), zeroblob(32) FROM n`,
		"UPDATE counter SET request = ?", "COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)",
	} {
		args := []any{requests}
		if !strings.Contains(q, "?") {
			args = nil
		}
		if _, err := db.Exec(q, args...); err != nil {
			b.Fatalf("%s: %v", q, err)
		}
	}
}
