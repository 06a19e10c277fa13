package marketo

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/conform"
	sandbox "habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
)

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
		server, err := sandbox.New(sandbox.Config{Population: p, Clock: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Close() })
		ts := httptest.NewServer(server)
		t.Cleanup(ts.Close)
		w, err := New(Config{BaseURL: ts.URL, ClientID: sandbox.DefaultClientID, Secret: vendorapi.SecretValue(sandbox.DefaultClientSecret), Manifest: m, Access: vendorapi.Access{Rate: rate.Inf, Now: c.Now, Pause: c.Pass}})
		if err != nil {
			t.Fatal(err)
		}
		return workertest.System{
			Manifest: m, Worker: w, Nobody: conform.Nobody(),
			Subjects: conform.Subjects(p, people.Marketo, conform.Email, nil, people.Camille, people.Californian, people.Leaver),
			Break:    func(how workertest.How) bool { return conform.Break(server.SetFaults, how) },
		}
	})
}
