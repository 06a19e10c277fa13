package internaldb_test

import (
	"log/slog"
	"testing"
	"time"

	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/conform"
	"habeas.dev/services/sandbox/people"
)

// TestConformance holds the four systems that are manifests alone to the kit.
func TestConformance(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 14, People: 12})
	persons := []int{people.Leaver, people.Camille, people.Californian}
	customer := func(who people.Person) []worker.Identifier {
		return []worker.Identifier{{Type: "customer_ref", Value: p.CustomerRef(who.Number)}}
	}
	for _, m := range manifests(t) {
		t.Run(m.System, func(t *testing.T) {
			t.Parallel()
			workertest.Run(t, func(t testing.TB, _ *slog.Logger) workertest.System {
				s, err := sqlsystem.Open(t.Context(), m, onSQLite(t, p)(m.System), sqlsystem.WithClock(func() time.Time { return today }))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
				sys := workertest.System{Manifest: m, Worker: s, Nobody: conform.Nobody()}
				switch m.System {
				case people.Billing:
					sys.Subjects = conform.Subjects(p, m.System, conform.Account, mustStay, persons...)
					sys.Nobody = []worker.Identifier{{Type: "account_id", Value: "acc_nobody"}}
					for i, n := range persons {
						sys.Subjects[i].Finds = customer(p.Person(n))
					}
				case people.Marketplace:
					sys.Subjects = conform.Subjects(p, m.System, conform.Account, nil, persons...)
					sys.Nobody = []worker.Identifier{{Type: "account_id", Value: "acc_nobody"}}
				case people.Account:
					sys.Subjects = conform.Subjects(p, m.System, conform.Email, nil, persons...)
					for i, n := range persons {
						sys.Subjects[i].Finds = conform.Account(p.Person(n))
					}
				default:
					sys.Subjects = conform.Subjects(p, m.System, conform.Email, nil, persons...)
				}
				return sys
			})
		})
	}
}
