package lakesystem

import (
	"log/slog"
	"testing"
	"time"

	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// TestConformance has the conformance kit ask the worker: two tables, several files each,
// null identifiers, and letters that must stay.
func TestConformance(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) }
	record := func(dataset string, values map[string]any) workertest.Record {
		return workertest.Record{Dataset: dataset, Values: values}
	}
	seen := func(id string, account, cookie any) workertest.Record {
		return record("clicks", map[string]any{"click_id": id, "account_id": account, "cookie_id": cookie, "page": "/p", "at": "2026-01-02T03:04:05Z", "weight": 7.0})
	}
	workertest.Run(t, func(t testing.TB, _ *slog.Logger) workertest.System {
		l := newLake(t)
		l.create("clicks", clicks())
		l.create("letters", letters())
		l.append("clicks", click("1", "anna", ""), click("2", "bob", "b-cookie"), click("3", "", ""))
		l.append("clicks", click("4", "", "a-cookie"), click("5", "anna", "a-cookie"))
		l.append("clicks", click("6", "bob", ""), click("7", "carol", "c-cookie"))
		l.append("letters", letter(1, "Anna@Example.com", "2026-03-01"), letter(2, "anna@example.com", "2024-03-01"), letter(3, "bob@example.com", "2024-03-01"))
		m := webManifest(t)
		return workertest.System{
			Manifest: m, Worker: l.serve(m, WithClock(now)),
			Subjects: []workertest.Subject{{
				Identifiers: []worker.Identifier{{Type: "account_id", Value: "anna"}, {Type: "cookie_id", Value: "a-cookie"}, {Type: "email", Value: "anna@example.com"}},
				Records: []workertest.Record{
					seen("1", "anna", nil), seen("4", nil, "a-cookie"), seen("5", "anna", "a-cookie"),
					record("letters", map[string]any{"number": 1.0, "email": "Anna@Example.com", "day": "2026-03-01"}),
					record("letters", map[string]any{"number": 2.0, "email": "anna@example.com", "day": "2024-03-01"}),
				},
				Stay: map[string]int64{"letters": 1},
			}, {
				Identifiers: []worker.Identifier{{Type: "account_id", Value: "bob"}, {Type: "email", Value: "bob@example.com"}},
				Records: []workertest.Record{
					seen("2", "bob", "b-cookie"), seen("6", "bob", nil),
					record("letters", map[string]any{"number": 3.0, "email": "bob@example.com", "day": "2024-03-01"}),
				},
			}},
			Nobody:  []worker.Identifier{{Type: "account_id", Value: "nobody"}},
			Options: []worker.Option{worker.WithClock(now)},
		}
	})
}
