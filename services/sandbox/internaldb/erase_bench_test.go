package internaldb_test

import (
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
)

// BenchmarkErasure plans, erases and proves everybody of 2,000 people, in batches of
// 50, once: with -benchtime 1x.
func BenchmarkErasure(b *testing.B) {
	for _, system := range internaldb.Systems() {
		b.Run(system, func(b *testing.B) {
			p := people.Generate(people.Config{Seed: 1, People: 2000})
			w := newFixture(b, p, onSQLite(b, p))
			for batch := range slices.Chunk(everyone(p), 50) {
				w.resolve(batch...)
			}
			able := reachable(w, system)
			able = slices.DeleteFunc(able, func(n int) bool { return len(p.RowsIn(n, system)) == 0 })
			start := cpu(b)
			b.ResetTimer()
			for batch := range slices.Chunk(able, 50) {
				for _, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
					w.do(system, action, dsar.Erasure, batch...)
				}
			}
			b.ReportMetric(float64((cpu(b)-start).Microseconds())/float64(len(able)), "cpu-µs/subject")
		})
	}
}
