package marketo

import (
	"net/http/httptest"
	"testing"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/sandbox/conform"
	sandbox "habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
)

// fixture is a worker and a stand-in of Marketo that it calls.
type fixture struct {
	conform.Direct
	people *people.Population
	server *sandbox.Server
	worker *Worker
	url    string
	clock  *conform.Clock
}

func newFixture(t *testing.T, n int, change func(*sandbox.Config, *Config)) *fixture {
	t.Helper()
	w := &fixture{people: people.Generate(people.Config{Seed: 7, People: n})}
	c := conform.NewClock()
	w.clock = c
	sc := sandbox.Config{Population: w.people, Clock: c.Now}
	wc := Config{ClientID: sandbox.DefaultClientID, Secret: vendorapi.SecretValue(sandbox.DefaultClientSecret), Access: vendorapi.Access{Rate: rate.Inf, Now: c.Now, Pause: c.Pass}}
	if change != nil {
		change(&sc, &wc)
	}
	var err error
	m := wc.Manifest
	if m == nil {
		if m, err = Manifest(); err != nil {
			t.Fatal(err)
		}
	}
	if w.server, err = sandbox.New(sc); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.server.Close() })
	w.people = sc.Population
	ts := httptest.NewServer(w.server)
	t.Cleanup(ts.Close)
	w.url = ts.URL
	wc.BaseURL = ts.URL
	if w.worker, err = New(wc); err != nil {
		t.Fatal(err)
	}
	w.Direct = conform.Direct{T: t, Manifest: m, Client: w.worker, People: w.people, System: people.Marketo}
	return w
}
