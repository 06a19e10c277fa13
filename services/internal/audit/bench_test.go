package audit_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal/sqlitejournal"
	"habeas.dev/services/internal/keeper/keepertest"
	"habeas.dev/services/internal/lifecycle"
)

// BenchmarkAudit audits requests of nine systems, with about 30 facts each, in SQLite.
func BenchmarkAudit(b *testing.B) {
	j, err := sqlitejournal.Open(b.Context(), sqlitejournal.Config{Path: filepath.Join(b.TempDir(), "journal.db")})
	must(b, err)
	b.Cleanup(func() { _ = j.Close() })
	const n = 2000
	requests := lifecycle.New(j)
	for i := range n {
		play(b, requests, fmt.Sprintf("20000000-0000-4000-8000-%012d", i))
	}
	for b.Loop() {
		r, err := audit.Run(b.Context(), audit.Config{Journal: j, Parallel: 2})
		must(b, err)
		if r.Requests != n || len(r.Findings) > 0 {
			b.Fatalf("%+v", r.Findings[:min(len(r.Findings), 3)])
		}
		b.ReportMetric(float64(r.Facts)/float64(r.Requests), "facts/request")
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "requests/s")
}

// play plays an access of nine systems to its end, with a leaf.
func play(b *testing.B, requests *lifecycle.Lifecycle, id string) {
	b.Helper()
	a := core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, Source: "bench", Digest: "d", Keep: &core.Keep{AnswerDays: 30, AccountabilityMonths: 24},
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: id, Sealed: make([]byte, 60), Assurance: dsar.AssuranceVerified}}}
	for s := range 9 {
		a.Systems = append(a.Systems, dsar.System{Name: fmt.Sprintf("system%d", s), Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}})
	}
	_, err := requests.Accept(b.Context(), a)
	must(b, err)
	for range 3 {
		s, err := requests.State(b.Context(), id)
		must(b, err)
		for _, t := range s.Tasks {
			if t.Status == core.TaskIsSent {
				outcome := dsar.Gathered
				if t.Action == dsar.Assemble {
					outcome = dsar.Assembled
				}
				_, err := requests.Do(b.Context(), id, core.TakeReport{Now: start, Report: dsar.Report{RequestID: id, System: t.System, Action: t.Action, Attempt: t.Attempt, Kind: dsar.ReportEnded, Outcome: outcome,
					Objects: []dsar.Object{{Name: t.System + "/gather/1-0a0b0c0d", Bytes: 1, SHA256: id}}, Counts: []dsar.Counts{{Dataset: "d", Found: 3}}}})
				must(b, err)
			}
		}
	}
	_, err = requests.Do(b.Context(), id, core.IssueReceipt{Sealed: make([]byte, 2000), Leaf: []byte(id), Now: start})
	must(b, err)
}

var start = keepertest.Start
