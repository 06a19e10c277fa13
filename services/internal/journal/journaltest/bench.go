package journaltest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Bench appends as a busy coordinator does, callers at once, while a relay
// carries the messages to nowhere: requests of ten appends of two facts (400
// bytes each) and three messages (500 bytes and eight headers each).
// It reports facts per second, CPU per fact (of this process: cpu returns it),
// and appends per commit. One operation is one append.
func Bench(b *testing.B, s journal.Store, commits func() int64, callers int, cpu func() time.Duration) {
	b.Helper()
	const appends, facts = 10, 2
	ctx, cancel := context.WithCancel(context.Background())
	relayed := make(chan struct{})
	go func() {
		defer close(relayed)
		for {
			pending, err := s.Pending(ctx, 1000)
			if err == nil && len(pending) > 0 {
				err = s.Sent(ctx, ids(pending))
			} else if err == nil {
				err = s.Wait(ctx)
			}
			if err != nil {
				return
			}
		}
	}()
	var next atomic.Int64
	committed, used := commits(), cpu()
	b.SetParallelism(max(callers/2, 1)) // times GOMAXPROCS
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for {
			id := fmt.Sprintf("%08x-6f0f-4b43-9f0f-3a9c3c0f7a11", uint32(next.Add(1)*2654435761)) // scattered, as UUIDs are
			for version := range appends {
				if !pb.Next() {
					return
				}
				a := typical(id, version*facts)
				if err := s.Append(ctx, a); err != nil {
					b.Error(err)
					return
				}
			}
		}
	})
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(n*facts/b.Elapsed().Seconds(), "facts/s")
	b.ReportMetric(float64((cpu()-used).Microseconds())/(n*facts), "cpu-µs/fact")
	b.ReportMetric(n/float64(max(commits()-committed, 1)), "appends/commit")
	cancel()
	<-relayed
}

var (
	benchData    = make([]byte, 400)
	benchPayload = make([]byte, 500)
)

func typical(id string, expected int) journal.Append {
	at := start.Add(time.Duration(expected) * time.Second)
	status := core.StatusGathering
	if expected >= 18 {
		status = core.StatusCompleted
	}
	a := journal.Append{
		RequestID: id, Expected: expected,
		Facts:    []journal.NewFact{{Type: "task.ended", At: at, Data: benchData}, {Type: "task.sent", At: at, Data: benchData}},
		Messages: make([]journal.Message, 3),
		Row: journal.Row{Status: status, Right: "access", Jurisdiction: "EEA", Source: "signup-page", Digest: "0123456789abcdef0123456789abcdef",
			ReceivedAt: start, DueAt: start.AddDate(0, 1, 0), WakeAt: at.Add(10 * time.Minute), UpdatedAt: at, Waiting: []string{"billing", "marketplace", "salesforce"}},
	}
	for i := range a.Messages {
		a.Messages[i] = journal.Message{Topic: "dsar.tasks.marketplace", Key: id, Payload: benchPayload, Headers: map[string]string{
			"content-type": "application/json", "ce_specversion": "1.0", "ce_id": "0a1b2c3d-6f0f-4b43-9f0f-3a9c3c0f7a11", "ce_source": "habeas/coordinator",
			"ce_type": "dsar.task.v1", "ce_subject": id, "ce_time": "2026-11-20T09:30:00.123456Z", "ce_traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		}}
	}
	if expected == 0 {
		a.Fingerprints = []string{"f" + id + id[:27], "g" + id + id[:27]} // 64 characters, as a hex hash
	}
	return a
}
