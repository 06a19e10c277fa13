package salesforce

import (
	"log/slog"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/conform"
	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
	sandbox "habeas.dev/services/sandbox/salesforce"
)

// TestFaults plays what vendors do.
func TestFaults(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 12})
	m, err := Manifest()
	if err != nil {
		t.Fatal(err)
	}
	persons := []int{people.Camille, people.Californian, people.Leaver, 11}
	for name, bulkFrom := range map[string]int{"record by record": -1, "by bulk jobs": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conform.Faults(t, func(t testing.TB, c conform.Config) conform.Faulty {
				server, err := sandbox.New(sandbox.Config{Population: p, Clock: c.Clock.Now, Settle: c.Settle, PageSize: 9, BulkTime: 5 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { server.Close() })
				ts := httptest.NewServer(server)
				t.Cleanup(ts.Close)
				w, err := New(Config{BaseURL: ts.URL, ClientID: sandbox.DefaultClientID, Secret: vendorapi.SecretValue(sandbox.DefaultClientSecret), BulkFrom: bulkFrom, Manifest: m, Access: vendorapi.Access{Now: c.Clock.Now, Pause: c.Clock.Pass}})
				if err != nil {
					t.Fatal(err)
				}
				return conform.Faulty{
					Manifest: m, Worker: w, Subjects: conform.Subjects(p, people.Salesforce, conform.Email, nil, persons...),
					Set: server.SetFaults, Spoils: server.Spoils(), Repeated: server.Repeated, Knows: true,
					Holds: func(i int) bool {
						return slices.ContainsFunc(p.RowsIn(persons[i], people.Salesforce), func(r people.Row) bool { return server.Holds(r.Key) })
					},
					Forbid: func() (string, func()) { return "tasks", server.Hide("Task") },
				}
			})
		})
	}
}

// TestConformance holds the worker to the kit.
func TestConformance(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 12})
	m, err := Manifest()
	if err != nil {
		t.Fatal(err)
	}
	workertest.Run(t, func(t testing.TB, _ *slog.Logger) workertest.System {
		c := conform.NewClock()
		server, err := sandbox.New(sandbox.Config{Population: p, Clock: c.Now, DailyCalls: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Close() })
		ts := httptest.NewServer(server)
		t.Cleanup(ts.Close)
		w, err := New(Config{BaseURL: ts.URL, ClientID: sandbox.DefaultClientID, Secret: vendorapi.SecretValue(sandbox.DefaultClientSecret), Manifest: m, Access: vendorapi.Access{Now: c.Now, Pause: c.Pass}})
		if err != nil {
			t.Fatal(err)
		}
		return workertest.System{
			Manifest: m, Worker: w, Nobody: conform.Nobody(),
			Subjects: conform.Subjects(p, people.Salesforce, conform.Email, nil, people.Camille, people.Californian, people.Leaver),
			Break: func(how workertest.How) bool {
				if how == workertest.Halfway { // with every record locked, none is left to be halfway at
					server.SetFaults(fault.Config{Lock: 0.9, Seed: 1})
					return true
				}
				return conform.Break(server.SetFaults, how)
			},
		}
	})
}
