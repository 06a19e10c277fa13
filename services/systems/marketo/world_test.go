package marketo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	sandbox "habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
)

// world is a worker and a stand-in of Marketo that it calls.
type world struct {
	t        *testing.T
	people   *people.Population
	server   *sandbox.Server
	worker   *Worker
	plans    map[string]*worker.Plan // that were made, by address
	url      string
	manifest *manifest.Manifest
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

func newClock() *clock { return &clock{at: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)} }

func newWorld(t *testing.T, n int, change func(*sandbox.Config, *Config)) *world {
	t.Helper()
	w := &world{t: t, plans: map[string]*worker.Plan{}, people: people.Generate(people.Config{Seed: 7, People: n})}
	c := newClock()
	sc := sandbox.Config{Population: w.people, Clock: c.now}
	wc := Config{ClientID: sandbox.DefaultClientID, Secret: vendorapi.SecretValue(sandbox.DefaultClientSecret), Access: vendorapi.Access{Rate: rate.Inf, Now: c.now, Pause: c.pass}}
	if change != nil {
		change(&sc, &wc)
	}
	var err error
	if w.manifest = wc.Manifest; w.manifest == nil {
		if w.manifest, err = Manifest(); err != nil {
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
	return w
}

// task is of a request of its own for each set of addresses.
func task(a dsar.Action, emails ...string) worker.Task {
	t := worker.Task{RequestID: fmt.Sprint(emails), Action: a, Attempt: 1}
	for _, e := range emails {
		t.Identifiers = append(t.Identifiers, worker.Identifier{Type: "email", Value: e})
	}
	return t
}

// emails returns the addresses of everyone, and of nobody.
func (w *world) emails() []string {
	var list []string
	for _, p := range w.people.People {
		list = append(list, p.Email)
	}
	return list
}

// memory keeps records, and holds the worker to the order of datasets.
type memory struct {
	rows map[string][]string // by dataset
	last string
	err  error // to be given instead
	// uncovered are the datasets that could not be looked at, and why.
	uncovered map[string]string
}

func (m *memory) write(dataset string, r record.Record) error {
	if m.err != nil {
		return m.err
	}
	if m.rows == nil {
		m.rows = map[string][]string{}
	}
	if dataset != m.last && m.rows[dataset] != nil {
		return fmt.Errorf("dataset %s was taken up again", dataset)
	}
	m.last = dataset
	b, err := json.Marshal(r)
	m.rows[dataset] = append(m.rows[dataset], string(b))
	return err
}

// gather gathers for addresses, one job each.
func (w *world) gather(emails ...string) ([]*memory, []error) {
	subjects := make([]*subject, len(emails))
	out := make([]*memory, len(emails))
	for i, e := range emails {
		subjects[i] = subjectOf(task(dsar.Gather, e))
		out[i] = &memory{}
	}
	w.gatherFor(subjects, out)
	errs := make([]error, len(emails))
	for i, s := range subjects {
		errs[i] = s.err
	}
	return out, errs
}

// gatherFor gathers each subject's records into a memory.
func (w *world) gatherFor(subjects []*subject, out []*memory) {
	records := map[*subject]*worker.Records{}
	for i, s := range subjects {
		records[s] = worker.NewRecords(w.manifest, dsar.Access, nil, out[i].write)
	}
	w.worker.gather(context.Background(), subjects, records)
	for i, s := range subjects {
		for _, c := range records[s].Counts() {
			if c.Uncovered != "" {
				if out[i].uncovered == nil {
					out[i].uncovered = map[string]string{}
				}
				out[i].uncovered[c.Dataset] = c.Uncovered
			}
		}
	}
}

// count plans, erases or proves for addresses, one job each.
func (w *world) count(a dsar.Action, emails ...string) []*counted {
	w.t.Helper()
	jobs := make([]*counted, len(emails))
	plans, erasures := make([]*worker.PlanJob, len(emails)), make([]*worker.EraseJob, len(emails))
	for i, e := range emails {
		own := worker.Job{Task: task(a, e)}
		plans[i] = &worker.PlanJob{Job: own, Plan: worker.NewPlanWriter(w.manifest)}
		erasures[i] = &worker.EraseJob{Job: own, Plan: w.plans[e]}
		jobs[i] = &counted{Job: &erasures[i].Job}
		if a == dsar.Count {
			jobs[i].Job = &plans[i].Job
		}
	}
	var err error
	switch a {
	case dsar.Count:
		err = w.worker.Plan(context.Background(), plans)
	case dsar.Erase:
		err = w.worker.Erase(context.Background(), erasures)
	default:
		err = w.worker.Prove(context.Background(), erasures)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	for i, j := range jobs {
		if j.Counts = erasures[i].Counts; a == dsar.Count && j.Err == nil {
			j.Counts = plans[i].Plan.Counts()
			if w.plans[emails[i]], err = plans[i].Plan.Plan(); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	return jobs
}

// seeded returns the rows of one person, as a sink keeps them.
func (w *world) seeded(number int) map[string][]string {
	rows := map[string][]string{}
	for _, r := range w.people.RowsIn(number, people.Marketo) {
		b, _ := json.Marshal(r.Values)
		rows[r.Dataset] = append(rows[r.Dataset], string(b))
	}
	return rows
}

func sameRows(a, b map[string][]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		x, y := slices.Sorted(slices.Values(a[k])), slices.Sorted(slices.Values(b[k]))
		if !slices.Equal(x, y) {
			return false
		}
	}
	return true
}

func sizes(rows map[string][]string) map[string]int {
	n := map[string]int{}
	for k, v := range rows {
		n[k] = len(v)
	}
	return n
}

func found(counts []dsar.Counts) map[string]int {
	n := map[string]int{}
	for _, c := range counts {
		n[c.Dataset] = int(c.Found)
	}
	return n
}

func erased(counts []dsar.Counts) map[string]int {
	n := map[string]int{}
	for _, c := range counts {
		if c.Erased > 0 {
			n[c.Dataset] = int(c.Erased)
		}
	}
	return n
}

func total(calls map[string]int64) (n int64) {
	for k, v := range calls {
		if k != "token" {
			n += v
		}
	}
	return n
}

// since returns the calls that came after an earlier reading.
func since(now, before map[string]int64) map[string]int64 {
	d := maps.Clone(now)
	for k, v := range before {
		d[k] -= v
	}
	maps.DeleteFunc(d, func(_ string, v int64) bool { return v == 0 })
	return d
}
