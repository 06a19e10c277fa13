package paymentech

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	sandbox "habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
)

// world is a worker and a stand-in of the gateway that it calls.
type world struct {
	*testing.T
	people *people.Population
	server *sandbox.Server
	worker *Worker
	clock  *clock
}

// clock is a time that passes only when something waits.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return ctx.Err()
}

func newWorld(t *testing.T, change func(*sandbox.Config, *Config)) *world {
	t.Helper()
	w := &world{T: t, people: people.Generate(people.Config{Seed: 7, People: 30}), clock: &clock{at: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)}}
	sc := sandbox.Config{Population: w.people, Clock: w.clock.now}
	wc := Config{Username: sandbox.DefaultUsername, Password: vendorapi.SecretValue(sandbox.DefaultPassword), MerchantID: sandbox.DefaultMerchantID, Rate: rate.Inf, Now: w.clock.now, Pause: w.clock.pass}
	if change != nil {
		change(&sc, &wc)
	}
	var err error
	if w.server, err = sandbox.New(sc); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.server.Close() })
	if wc.BaseURL == "" {
		ts := httptest.NewServer(w.server)
		t.Cleanup(ts.Close)
		wc.BaseURL = ts.URL
	}
	if w.worker, err = New(wc); err != nil {
		t.Fatal(err)
	}
	return w
}

func task(a dsar.Action, right dsar.Right, refs ...string) worker.Task {
	t := worker.Task{RequestID: fmt.Sprint(refs), Action: a, Right: right, Attempt: 1}
	for _, ref := range refs {
		t.Identifiers = append(t.Identifiers, worker.Identifier{Type: "customer_ref", Value: ref})
	}
	return t
}

// settledUntil is when what is settled today may go.
func (w *world) settledUntil() dsar.Counts {
	return dsar.Counts{Dataset: datasetSettled, Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax-records", Until: time.Date(2036, 11, 20, 0, 0, 0, 0, time.UTC)}}}
}
