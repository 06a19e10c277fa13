package internaldb_test

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/conform"
	"habeas.dev/services/sandbox/people"
)

// TestConformance holds the systems that are manifests alone to the kit.
func TestConformance(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 14, People: 12})
	persons := []int{people.Leaver, people.Camille, people.Californian}
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
				if !slices.Contains(m.Needs, "email") {
					sys.Nobody = []worker.Identifier{{Type: "account_id", Value: "acc_nobody"}}
				}
				switch m.System {
				case people.Billing:
					sys.Subjects = conform.Subjects(p, m.System, conform.Account, mustStay, persons...)
					for i, n := range persons {
						sys.Subjects[i].Finds = conform.Customer(p, p.Person(n))
					}
				case people.Marketplace:
					sys.Subjects = conform.Subjects(p, m.System, conform.Account, nil, persons...)
				case people.Account:
					sys.Subjects = conform.Subjects(p, m.System, conform.Email, nil, persons...)
					for i, n := range persons {
						sys.Subjects[i].Finds = slices.Concat(conform.Account(p.Person(n)), conform.Cookies(p, p.Person(n)))
					}
				case people.Advertising:
					sys.Subjects = conform.Subjects(p, m.System, func(who people.Person) []worker.Identifier {
						return slices.Concat(conform.Account(who), conform.Cookies(p, who))
					}, nil, persons...)
				case people.Credit:
					sys.Subjects = conform.Subjects(p, m.System, func(who people.Person) []worker.Identifier {
						return slices.Concat(conform.Account(who), conform.Tax(p, who))
					}, nil, persons...)
				case people.Community:
					sys.Subjects = conform.Subjects(p, m.System, func(who people.Person) []worker.Identifier {
						return slices.Concat(conform.Account(who), conform.Email(who))
					}, nil, persons...)
				default:
					sys.Subjects = conform.Subjects(p, m.System, conform.Email, nil, persons...)
				}
				return sys
			})
		})
	}
}
