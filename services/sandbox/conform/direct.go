package conform

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/people"
)

// Client is a vendor's worker, as tests call its methods.
type Client interface {
	worker.Gatherer
	worker.Eraser
}

// Direct calls a vendor's worker by its own methods, for people who are known by
// their e-mail address, and remembers the plans that it makes.
type Direct struct {
	T        testing.TB
	Manifest *manifest.Manifest
	Client   Client
	People   *people.Population
	System   string
	// Plans are those that were made, by address.
	Plans map[string]*worker.Plan
	// ByKeys are the addresses of whom erasures and proofs go by the plan's keys only.
	ByKeys []string
}

// Task returns a task with a request of its own for each set of addresses.
func Task(a dsar.Action, emails ...string) worker.Task {
	t := worker.Task{RequestID: fmt.Sprint(emails), Action: a, Attempt: 1}
	for _, e := range emails {
		t.Identifiers = append(t.Identifiers, worker.Identifier{Type: "email", Value: e})
	}
	return t
}

// Emails returns everyone's addresses.
func (d *Direct) Emails() []string {
	var list []string
	for _, p := range d.People.People {
		list = append(list, p.Email)
	}
	return list
}

// Seeded returns the rows of one person, as a [Copy] keeps them.
func (d *Direct) Seeded(number int) map[string][]string {
	rows := map[string][]string{}
	for _, r := range d.People.RowsIn(number, d.System) {
		b, _ := json.Marshal(r.Values) // texts, numbers and lists
		rows[r.Dataset] = append(rows[r.Dataset], string(b))
	}
	return rows
}

// Copy keeps records, and holds the worker to the order of datasets.
type Copy struct {
	Rows map[string][]string // by dataset
	// Uncovered are the datasets that could not be looked at, and why.
	Uncovered map[string]string
	// Full is what writing a record fails with; nil where it doesn't.
	Full error

	last string
}

func (c *Copy) write(dataset string, r record.Record) error {
	if c.Full != nil {
		return c.Full
	}
	if c.Rows == nil {
		c.Rows = map[string][]string{}
	}
	if dataset != c.last && c.Rows[dataset] != nil {
		return fmt.Errorf("dataset %s was taken up again", dataset)
	}
	c.last = dataset
	b, err := json.Marshal(r)
	c.Rows[dataset] = append(c.Rows[dataset], string(b))
	return err
}

// Gather gathers for addresses, one job each.
func (d *Direct) Gather(emails ...string) ([]*Copy, []error) {
	d.T.Helper()
	tasks := make([]worker.Task, len(emails))
	copies := make([]*Copy, len(emails))
	for i, e := range emails {
		tasks[i], copies[i] = Task(dsar.Gather, e), &Copy{}
	}
	return copies, d.GatherInto(tasks, copies)
}

// GatherInto gathers each task's records into a copy.
func (d *Direct) GatherInto(tasks []worker.Task, copies []*Copy) []error {
	d.T.Helper()
	jobs := make([]*worker.GatherJob, len(tasks))
	for i, t := range tasks {
		jobs[i] = &worker.GatherJob{Job: worker.Job{Task: t}, Records: worker.NewRecords(d.Manifest, dsar.Access, nil, copies[i].write)}
	}
	if err := d.Client.Gather(context.Background(), jobs); err != nil {
		d.T.Fatal(err)
	}
	errs := make([]error, len(jobs))
	for i, j := range jobs {
		errs[i] = j.Err
		for _, c := range j.Records.Counts() {
			if c.Uncovered != "" {
				if copies[i].Uncovered == nil {
					copies[i].Uncovered = map[string]string{}
				}
				copies[i].Uncovered[c.Dataset] = c.Uncovered
			}
		}
	}
	return errs
}

// Job is one that was done, whatever its action.
type Job struct {
	*worker.Job
	Counts []dsar.Counts
}

// Do plans, erases or proves for addresses, one job each: by the plan that was made
// of an address last, and without one where there is none.
func (d *Direct) Do(a dsar.Action, emails ...string) []*Job {
	d.T.Helper()
	jobs := make([]*Job, len(emails))
	plans, erasures := make([]*worker.PlanJob, len(emails)), make([]*worker.EraseJob, len(emails))
	for i, e := range emails {
		own := worker.Job{Task: Task(a, e)}
		if a != dsar.Plan && slices.Contains(d.ByKeys, e) {
			own.ByKeys, own.Owner, own.Identifiers = true, own.Identifiers, nil
		}
		plans[i] = &worker.PlanJob{Job: own, Plan: worker.NewPlanWriter(d.Manifest)}
		erasures[i] = &worker.EraseJob{Job: own, Plan: d.Plans[e]}
		jobs[i] = &Job{Job: &erasures[i].Job}
		if a == dsar.Plan {
			jobs[i].Job = &plans[i].Job
		}
	}
	var err error
	switch a {
	case dsar.Plan:
		err = d.Client.Plan(context.Background(), plans)
	case dsar.Erase:
		err = d.Client.Erase(context.Background(), erasures)
	default:
		err = d.Client.Prove(context.Background(), erasures)
	}
	if err != nil {
		d.T.Fatal(err)
	}
	for i, j := range jobs {
		if j.Counts = erasures[i].Counts; a != dsar.Plan || j.Err != nil {
			continue
		}
		j.Counts = plans[i].Plan.Counts()
		plan, err := plans[i].Plan.Plan()
		if err != nil {
			d.T.Fatal(err)
		}
		if d.Plans == nil {
			d.Plans = map[string]*worker.Plan{}
		}
		d.Plans[emails[i]] = plan
	}
	return jobs
}

// SameRows reports whether two copies have the same rows, in whatever order.
func SameRows(a, b map[string][]string) bool {
	return maps.EqualFunc(a, b, func(x, y []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y)))
	})
}

// Sizes counts rows, by dataset.
func Sizes(rows map[string][]string) map[string]int {
	n := map[string]int{}
	for dataset, list := range rows {
		n[dataset] = len(list)
	}
	return n
}

// Found returns what was found, by dataset.
func Found(counts []dsar.Counts) map[string]int {
	n := map[string]int{}
	for _, c := range counts {
		n[c.Dataset] = int(c.Found)
	}
	return n
}

// Erased returns what was erased, by dataset.
func Erased(counts []dsar.Counts) map[string]int {
	n := map[string]int{}
	for _, c := range counts {
		if c.Erased > 0 {
			n[c.Dataset] = int(c.Erased)
		}
	}
	return n
}

// Total counts calls, those for a token aside.
func Total(calls map[string]int64) (n int64) {
	for kind, v := range calls {
		if kind != "token" {
			n += v
		}
	}
	return n
}

// Since returns the calls that came after an earlier reading.
func Since(now, before map[string]int64) map[string]int64 {
	d := maps.Clone(now)
	for kind, v := range before {
		d[kind] -= v
	}
	maps.DeleteFunc(d, func(_ string, v int64) bool { return v == 0 })
	return d
}
