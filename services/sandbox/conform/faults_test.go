package conform_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/sandbox/conform"
	marketosandbox "habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/systems/marketo"
)

// serve serves a stand-in for one test.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	return ts.URL
}

// TestMarketo plays on this vendor's worker what is played on all others.
func TestMarketo(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 12})
	m, err := marketo.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	conform.Faults(t, func(t testing.TB, c conform.Config) conform.Faulty {
		server, err := marketosandbox.New(marketosandbox.Config{Population: p, Clock: c.Clock.Now, Settle: c.Settle})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Close() })
		w, err := marketo.New(marketo.Config{BaseURL: serve(t, server), ClientID: marketosandbox.DefaultClientID, Secret: vendorapi.SecretValue(marketosandbox.DefaultClientSecret),
			Manifest: m, Access: vendorapi.Access{Rate: rate.Inf, Now: c.Clock.Now, Pause: c.Clock.Pass}})
		if err != nil {
			t.Fatal(err)
		}
		subjects := conform.Subjects(p, people.Marketo, conform.Email, nil, people.Camille, people.Californian, people.Leaver)
		return conform.Faulty{Manifest: m, Worker: w, Subjects: subjects, Set: server.SetFaults, Spoils: server.Spoils(), Repeated: server.Repeated, Knows: true,
			Holds: func(i int) bool { return server.Holds(subjects[i].Identifiers[0].Value) },
			Forbid: func() (string, func()) {
				server.Forbid("activities")
				return "activities", func() { server.Forbid() }
			}}
	})
}
