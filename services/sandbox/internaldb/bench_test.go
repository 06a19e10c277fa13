package internaldb_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
)

// cpu returns the processor time that this process has used, by all threads.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchmark has each system do an action for a batch of 50 people again and
// again, sealing included, and tells the processor time for each person.
func benchmark(b *testing.B, action dsar.Action) {
	p := people.Generate(people.Config{Seed: 1, People: 2000})
	w := newFixture(b, p, onSQLite(b, p))
	for batch := range slices.Chunk(everyone(p), 50) {
		w.resolve(batch...)
	}
	for _, system := range internaldb.Systems() {
		b.Run(system, func(b *testing.B) {
			const batch = 50
			able := reachable(w, system)
			able = slices.DeleteFunc(able, func(n int) bool { return len(p.RowsIn(n, system)) == 0 })
			w.TB = b
			var start, records, subjects = cpu(b), 0, 0
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := i * batch % (len(able) - batch)
				for _, r := range w.do(system, action, dsar.Access, able[at:at+batch]...) {
					for _, c := range r.Counts {
						records += int(c.Found)
					}
					subjects++
				}
			}
			b.ReportMetric(float64((cpu(b)-start).Microseconds())/float64(subjects), "cpu-µs/subject")
			b.ReportMetric(float64(records)/float64(subjects), "records/subject")
		})
	}
}

func BenchmarkGather(b *testing.B)  { benchmark(b, dsar.Gather) }
func BenchmarkCount(b *testing.B)   { benchmark(b, dsar.Plan) }
func BenchmarkResolve(b *testing.B) { benchmark(b, dsar.Resolve) }
