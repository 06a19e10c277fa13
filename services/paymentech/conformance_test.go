package paymentech

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/conform"
	sandbox "habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
)

// TestConformance holds the worker to the kit. There is no "nobody" in it: under
// every reference payments may be settled.
func TestConformance(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 12})
	m, err := Manifest()
	if err != nil {
		t.Fatal(err)
	}
	workertest.Run(t, func(t testing.TB, _ *slog.Logger) workertest.System {
		c := &clock{at: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)}
		server, err := sandbox.New(sandbox.Config{Population: p, Clock: c.now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Close() })
		ts := httptest.NewServer(server)
		t.Cleanup(ts.Close)
		w, err := New(Config{BaseURL: ts.URL, Username: sandbox.DefaultUsername, Password: vendorapi.SecretValue(sandbox.DefaultPassword), MerchantID: sandbox.DefaultMerchantID, Rate: rate.Inf, Manifest: m, Now: c.now, Pause: c.pass})
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
			Break:    func(how workertest.How) bool { return conform.Break(server.SetFaults, how) },
		}
	})
}
