package sqlsystem

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

var ceilingRows = flag.Int("ceiling-rows", 200_000, "rows of the table that BenchmarkCeiling gathers and erases from")

const (
	manyRows  = 300_000 // rows of one person, in BenchmarkOnePerson
	rowsOfOne = 100     // rows of one person
	atOnce    = 500     // people who are asked for together
)

// BenchmarkCeiling holds gathering and erasing of 500 people together against what
// PostgreSQL needs for the same rows by its shortest way: COPY of them, and one DELETE. Each
// is taken in turn with the other, of other people, and what is told is the ratio of the
// medians: see docs/benchmarks.md.
func BenchmarkCeiling(b *testing.B) {
	d := postgresDB(b, fmt.Sprintf(`CREATE TABLE events (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, kind TEXT NOT NULL, at TIMESTAMPTZ NOT NULL, body TEXT, amount NUMERIC(12,2));
		INSERT INTO events SELECT i, i %% %d, 'visit', timestamptz '2026-01-01' + i * interval '1 second', repeat('text ', 20), i / 100.0 FROM generate_series(1, %d) AS i;
		CREATE INDEX ON events (user_id); ANALYZE events`, *ceilingRows/rowsOfOne, *ceilingRows))
	s := open(b, d, small(b, "abilities: [gather, erase]\nneeds: [user_id]\nscope: {user_id: given}\nsql: {}",
		"events | table: events, key: [id], subject: {user_id: user_id}, erase: delete | id user_id kind at:datetime body amount:number"))
	times := map[string][]time.Duration{}
	timed := func(what string, do func() error) {
		begin := time.Now()
		if err := do(); err != nil {
			b.Fatalf("%s: %v", what, err)
		}
		times[what] = append(times[what], time.Since(begin))
	}
	next := 0
	people := func() (numbers []string) {
		for range atOnce {
			numbers = append(numbers, fmt.Sprint(next%(*ceilingRows/rowsOfOne)))
			next++
		}
		return numbers
	}
	ctx := b.Context()
	for b.Loop() {
		numbers := people()
		tasks := make([]*worker.Task, atOnce)
		subjects := make([][]worker.Identifier, atOnce)
		for i, n := range numbers {
			subjects[i] = ids("user_id " + n)
			tasks[i] = &worker.Task{Identifiers: subjects[i]}
		}
		list := strings.Join(numbers, ",")
		rows := 0
		timed("gather", func() error {
			return s.gather(ctx, tasks, nil, func(int, string, record.Record, []string) { rows++ }, func(int, *dataset, string, dsar.Cause) {})
		})
		timed("COPY", func() error {
			return copyOut(ctx, s.db, "COPY (SELECT id, user_id, kind, at, body, amount FROM events WHERE user_id = ANY('{"+list+"}') ORDER BY user_id, id) TO STDOUT")
		})
		if next <= *ceilingRows/rowsOfOne && rows != atOnce*rowsOfOne {
			b.Fatalf("%d rows", rows)
		}
		jobs := jobsOf(dsar.Erasure, subjects...)
		timed("plan", func() error { return s.planAll(ctx, jobs) })
		timed("erase", func() error { return s.eraseByPlan(ctx, jobs) })
		others := strings.Join(people(), ",")
		timed("DELETE", func() error {
			_, err := s.db.ExecContext(ctx, "DELETE FROM events WHERE user_id = ANY('{"+others+"}')")
			return err
		})
	}
	median := func(what string) float64 {
		slices.Sort(times[what])
		return times[what][len(times[what])/2].Seconds()
	}
	for what, ceiling := range map[string]string{"gather": "COPY", "erase": "DELETE"} {
		b.ReportMetric(median(what)/median(ceiling), what+"/"+ceiling)
		b.ReportMetric(median(what)*1000, what+"-ms")
	}
	b.ReportMetric(median("plan")*1000, "plan-ms")
}

// copyOut runs a COPY and throws away what comes.
func copyOut(ctx context.Context, db *sql.DB, query string) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		_, err := c.(*stdlib.Conn).Conn().PgConn().CopyTo(ctx, io.Discard, query)
		return err
	})
}

// BenchmarkOnePerson tells the most memory that gathering, planning and erasing one person
// of many rows held, above what was held before.
func BenchmarkOnePerson(b *testing.B) {
	d := postgresDB(b, "CREATE TABLE events (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, body TEXT); CREATE INDEX ON events (user_id)")
	s := open(b, d, small(b, "abilities: [gather, erase]\nneeds: [user_id]\nscope: {user_id: given}\nsql: {}",
		"events | table: events, key: [id], subject: {user_id: user_id}, erase: delete | id user_id body"))
	held := func(what string, do func() error) {
		runtime.GC()
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		most, stop := uint64(0), make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for beat := time.NewTicker(5 * time.Millisecond); ; {
				select {
				case <-beat.C:
					runtime.ReadMemStats(&now)
					most = max(most, now.HeapAlloc)
				case <-stop:
					return
				}
			}
		}()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		close(stop)
		<-done
		b.ReportMetric(float64(most-min(most, before.HeapAlloc))/(1<<20), what+"-MiB")
	}
	for b.Loop() {
		if _, err := s.db.ExecContext(b.Context(), "INSERT INTO events SELECT i, 1, repeat('text ', 20) FROM generate_series(1, $1::int) AS i", manyRows); err != nil {
			b.Fatal(err)
		}
		jobs := jobsOf(dsar.Erasure, ids("user_id 1"))
		held("gather", func() error {
			return s.gather(b.Context(), []*worker.Task{{Identifiers: jobs[0].Identifiers}}, nil, func(int, string, record.Record, []string) {}, func(int, *dataset, string, dsar.Cause) {})
		})
		held("plan", func() error { return s.planAll(b.Context(), jobs) })
		held("erase", func() error { return s.eraseByPlan(b.Context(), jobs) })
	}
}
