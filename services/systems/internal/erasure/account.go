// Package erasure holds what an erasure did against its plan. All vendors' clients
// go by it.
package erasure

import (
	"context"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Account is that of one job: each planned record is erased, anonymised, retained
// or gone, and what wasn't planned is late.
type Account struct {
	byKeys bool
	open   map[string]map[string]bool // planned keys, by dataset: not accounted for yet
	order  []string                   // datasets
	counts map[string]*dsar.Counts
}

// New reads a job's plan; one that is nil is empty. Its error is one of package
// worker.
func New(ctx context.Context, j *worker.EraseJob) (*Account, error) {
	a := &Account{byKeys: j.ByKeys, open: map[string]map[string]bool{}, counts: map[string]*dsar.Counts{}}
	for e, err := range j.Plan.Entries(ctx) {
		if err != nil {
			return nil, err
		}
		a.of(e.Dataset)
		a.open[e.Dataset][e.Key] = true
	}
	return a, nil
}

func (a *Account) of(dataset string) *dsar.Counts {
	c := a.counts[dataset]
	if c == nil {
		c = &dsar.Counts{Dataset: dataset}
		a.counts[dataset], a.open[dataset] = c, map[string]bool{}
		a.order = append(a.order, dataset)
	}
	return c
}

// Planned reports whether a record was planned. A nil account has no plan.
func (a *Account) Planned(dataset, key string) bool {
	if a == nil {
		return false
	}
	_, planned := a.open[dataset][key]
	return planned
}

// Open returns the keys of a dataset that were planned and aren't accounted for yet,
// in their order. A nil account has none.
func (a *Account) Open(dataset string) []string {
	if a == nil {
		return nil
	}
	var keys []string
	for key, open := range a.open[dataset] {
		if open {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Erased accounts for a record that is erased.
func (a *Account) Erased(dataset, key string) { a.take(dataset, key).Erased++ }

// Anonymised accounts for a record that holds nothing of the person any more.
func (a *Account) Anonymised(dataset, key string) { a.take(dataset, key).Anonymised++ }

// Kept accounts for a record that must stay.
func (a *Account) Kept(dataset, key string, r dsar.Retention) {
	c := a.take(dataset, key)
	i := slices.IndexFunc(c.Retained, func(o dsar.Retention) bool { return o.Ground == r.Ground })
	if i < 0 {
		r.Records = 0
		i, c.Retained = len(c.Retained), append(c.Retained, r)
	}
	c.Retained[i].Records++
	if r.Until.After(c.Retained[i].Until) {
		c.Retained[i].Until = r.Until
	}
}

// Skipped accounts for a record that is left where it is, as the dataset's reason says:
// see [Account.Uncovered].
func (a *Account) Skipped(dataset, key string) {
	a.of(dataset).Found++
	a.open[dataset][key] = false
}

// Anothers accounts for a planned record that is somebody else's by now ([worker.Holder]) and
// was left: the dataset is not covered, or, long after the plan, the person's own is gone.
func (a *Account) Anothers(dataset, key string) {
	if a.byKeys {
		return
	}
	if c := a.of(dataset); a.open[dataset][key] {
		c.Reassigned++
	}
	a.open[dataset][key] = false
	a.Uncovered(dataset, worker.Overtaken, dsar.Cause{Dataset: dataset})
}

// take accounts for a record once.
func (a *Account) take(dataset, key string) *dsar.Counts {
	c := a.of(dataset)
	c.Found++
	if !a.Planned(dataset, key) {
		c.Late++
	}
	a.open[dataset][key] = false
	return c
}

// Uncovered says why a dataset could not be reached, or not all of it, in words and in
// fields.
func (a *Account) Uncovered(dataset, why string, cause dsar.Cause) {
	c := a.of(dataset)
	c.Uncovered, c.Cause = why, &cause
}

// Counts returns what was done. What was planned and is not accounted for is gone, in
// a dataset that was reached: it MUST have been asked for by its key before.
func (a *Account) Counts() []dsar.Counts {
	var out []dsar.Counts
	for _, dataset := range a.order {
		c := *a.counts[dataset]
		if c.Uncovered == "" {
			c.Gone = int64(len(a.Open(dataset)))
		}
		c.Retained = slices.Clone(c.Retained)
		if c.Found > 0 || c.Gone > 0 || c.Uncovered != "" {
			out = append(out, c)
		}
	}
	return out
}
