package paymentech

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/conform"
	sandbox "habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
)

// open makes a worker and the stand-in that it calls; and what the stand-in holds
// of three people. There is no "nobody": under every reference payments may be
// settled.
func open(t testing.TB, p *people.Population, c conform.Config) (workertest.System, *sandbox.Server) {
	t.Helper()
	m, err := Manifest()
	if err != nil {
		t.Fatal(err)
	}
	server, err := sandbox.New(sandbox.Config{Population: p, Clock: c.Clock.Now, Settle: c.Settle})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	ts := httptest.NewServer(server)
	t.Cleanup(ts.Close)
	w, err := New(Config{BaseURL: ts.URL, Username: sandbox.DefaultUsername, Password: vendorapi.SecretValue(sandbox.DefaultPassword), MerchantID: sandbox.DefaultMerchantID, Manifest: m, Access: vendorapi.Access{Rate: rate.Inf, Now: c.Clock.Now, Pause: c.Clock.Pass}})
	if err != nil {
		t.Fatal(err)
	}
	ref := func(who people.Person) []worker.Identifier {
		return []worker.Identifier{{Type: "customer_ref", Value: p.CustomerRef(who.Number)}}
	}
	stays := func(r people.Row) bool { return r.Dataset == datasetSettled }
	return workertest.System{
		Manifest: m, Worker: w,
		Subjects: conform.Subjects(p, people.PaymentTech, ref, stays, people.Camille, people.Californian, people.Leaver),
	}, server
}

// TestConformance holds the worker to the kit.
func TestConformance(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 12})
	workertest.Run(t, func(t testing.TB, _ *slog.Logger) workertest.System {
		s, server := open(t, p, conform.Config{Clock: conform.NewClock()})
		s.Break = func(how workertest.How) bool {
			if how == workertest.Refusing {
				server.Rotate("another")
				return true
			}
			server.Rotate(sandbox.DefaultPassword)
			return conform.Break(server.SetFaults, how)
		}
		return s
	})
}

// TestFaults plays what vendors do.
func TestFaults(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 12})
	conform.Faults(t, func(t testing.TB, c conform.Config) conform.Faulty {
		s, server := open(t, p, c)
		return conform.Faulty{
			Manifest: s.Manifest, Worker: s.Worker, Subjects: s.Subjects, Set: server.SetFaults, Spoils: server.Spoils(), Repeated: server.Repeated,
			Holds: func(i int) bool { return server.Holds(s.Subjects[i].Identifiers[0].Value) },
			Knows: true,
			Forbid: func() (string, func()) {
				server.Rotate("another")
				return "", func() { server.Rotate(sandbox.DefaultPassword) }
			},
		}
	})
}
