package paymentech

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/conform"
	sandbox "habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
)

// fixture is a worker and a stand-in of the gateway that it calls.
type fixture struct {
	*testing.T
	people *people.Population
	server *sandbox.Server
	worker *Worker
	clock  *conform.Clock
}

func newFixture(t *testing.T, change func(*sandbox.Config, *Config)) *fixture {
	t.Helper()
	w := &fixture{T: t, people: people.Generate(people.Config{Seed: 7, People: 30}), clock: conform.NewClock()}
	sc := sandbox.Config{Population: w.people, Clock: w.clock.Now}
	wc := Config{Username: sandbox.DefaultUsername, Password: vendorapi.SecretValue(sandbox.DefaultPassword), MerchantID: sandbox.DefaultMerchantID, Access: vendorapi.Access{Rate: rate.Inf, Now: w.clock.Now, Pause: w.clock.Pass}}
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

// erasing returns an erasure, or its proof, by a plan.
func erasing(t worker.Task, plan *worker.Plan) *worker.EraseJob {
	return &worker.EraseJob{Job: worker.Job{Task: t}, Plan: plan}
}

// settledUntil returns when what is settled today may go.
func (w *fixture) settledUntil() dsar.Counts {
	return dsar.Counts{Dataset: datasetSettled, Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax-records", Until: time.Date(2037, 1, 1, 0, 0, 0, 0, time.UTC)}}}
}

// plan plans for one person, and counts what was planned.
func (w *fixture) plan(ctx context.Context, t worker.Task) ([]dsar.Counts, error) {
	p, err := w.planOf(ctx, t)
	return p.Counts(), err
}

// planOf plans for one person.
func (w *fixture) planOf(ctx context.Context, t worker.Task) (*worker.Plan, error) {
	m, err := Manifest()
	if err != nil {
		return nil, err
	}
	j := &worker.PlanJob{Job: worker.Job{Task: t}, Plan: worker.NewPlanWriter(m)}
	if err := w.worker.Plan(ctx, []*worker.PlanJob{j}); err != nil || j.Err != nil {
		return nil, errors.Join(err, j.Err)
	}
	return j.Plan.Plan()
}
