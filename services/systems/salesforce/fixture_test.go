package salesforce

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/sandbox/conform"
	"habeas.dev/services/sandbox/people"
	sandbox "habeas.dev/services/sandbox/salesforce"
)

// fixture is a worker and a stand-in of Salesforce that it calls.
type fixture struct {
	conform.Direct
	people *people.Population
	server *sandbox.Server
	worker *Worker
	url    string
	clock  *conform.Clock
	onCall func(path string)
}

func newFixture(t *testing.T, n int, change func(*sandbox.Config, *Config)) *fixture {
	t.Helper()
	w := &fixture{people: people.Generate(people.Config{Seed: 7, People: n})}
	c := conform.NewClock()
	w.clock = c
	sc := sandbox.Config{Population: w.people, Clock: c.Now}
	wc := Config{ClientID: sandbox.DefaultClientID, Secret: vendorapi.SecretValue(sandbox.DefaultClientSecret), Access: vendorapi.Access{Now: c.Now, Pause: c.Pass}}
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
	ts := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.onCall != nil {
			w.onCall(r.URL.Path)
		}
		w.server.ServeHTTP(rw, r)
	}))
	t.Cleanup(ts.Close)
	w.url = ts.URL
	wc.BaseURL = ts.URL
	if w.worker, err = New(wc); err != nil {
		t.Fatal(err)
	}
	w.Direct = conform.Direct{T: t, Manifest: m, Client: w.worker, People: w.people, System: people.Salesforce}
	return w
}

// planned returns how many rows of a person are counted by themselves.
func (w *fixture) planned(number int) map[string]int { return countedRows(w.Seeded(number)) }

// countedRows returns how many rows are counted by themselves, by dataset.
func countedRows(rows map[string][]string) map[string]int {
	n := conform.Sizes(rows)
	delete(n, "file_links")
	delete(n, "email_relations")
	return n
}
