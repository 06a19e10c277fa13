package worker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
)

// A number may be given anew when an erasure has taken the row that it was of. What that erasure
// had to keep stands under it still, and would be found for whoever has it now. Its plan names
// those records: what is found by nothing but the number, and was kept, isn't the task's person's
// (docs/adr/0052).

// formers are what earlier erasures keep of whom had a number of the task's person before, and
// what of it was left out.
type formers struct {
	all []formerKept

	mu   sync.Mutex
	left map[recordKey]bool
}

// formerKept is what one erasure keeps.
type formerKept struct {
	numbers []link.Identifier
	kept    map[recordKey]bool
}

// IsFormer reports whether a record is one that an earlier erasure keeps, of whom had a number
// before that the task's person has now. By are the identifiers by which the record was found. A
// worker whose system gives numbers anew MUST ask it of each record that it finds, with whatever
// action, and leave out those: they are counted ([dsar.Counts].Former), and told.
func (t *Task) IsFormer(dataset, key string, by ...Identifier) bool {
	if t.formers == nil || len(by) == 0 {
		return false
	}
	for _, f := range t.formers.all {
		if f.kept[recordKey{dataset, key}] && !slices.ContainsFunc(by, func(id Identifier) bool { return !f.has(id) }) {
			t.formers.mu.Lock()
			defer t.formers.mu.Unlock()
			t.formers.left[recordKey{dataset, key}] = true
			return true
		}
	}
	return false
}

// HasFormers reports whether there may be such records: else [Task.IsFormer] needn't be asked.
func (t *Task) HasFormers() bool { return t.formers != nil }

func (f *formerKept) has(id Identifier) bool {
	return slices.ContainsFunc(f.numbers, func(n link.Identifier) bool { return n.Type == id.Type && strings.EqualFold(n.Value, id.Value) })
}

// readFormers reads what earlier erasures keep of whom had a number of the task's person before.
// One that can't be read leaves nothing to be done: nobody knows whose the records are.
func (w *Worker) readFormers(ctx context.Context, j *job) (*formers, error) {
	if len(j.grant.Formers) == 0 {
		return nil, nil //nolint:nilnil // there are none
	}
	all, err := j.grant.ReadFormers(ctx, j.objects)
	if err != nil {
		return nil, Transient("vault", "what an earlier erasure keeps could not be read from the vault", err)
	}
	out := &formers{left: map[recordKey]bool{}}
	for _, f := range all {
		of := &job{objects: j.objects, grant: f.Grant, task: dsar.Task{RequestID: f.RequestID}}
		one := formerKept{numbers: f.Numbers, kept: map[recordKey]bool{}}
		for _, o := range f.Plans {
			if err := w.addKept(ctx, of, o, one.kept); err != nil {
				return nil, err
			}
		}
		out.all = append(out.all, one)
	}
	return out, nil
}

// addKept notes what a plan has stay, and that what it has go isn't kept any more.
func (w *Worker) addKept(ctx context.Context, of *job, o dsar.Object, kept map[recordKey]bool) error {
	plan, err := w.openObjectPlan(ctx, of, o)
	if err != nil {
		return formerFault(err)
	}
	for e, err := range plan.Entries(ctx) {
		if err != nil {
			return formerFault(err)
		}
		delete(kept, recordKey{e.Dataset, e.Key})
		if e.Keep {
			kept[recordKey{e.Dataset, e.Key}] = true
		}
	}
	return nil
}

// CodeEarlierUnreadable is the code of a task of whose person's number an earlier erasure keeps
// records, and nobody knows which.
const CodeEarlierUnreadable = "earlier-unreadable"

const earlierUnreadable = "an earlier erasure keeps records under a number that the person has, and which can't be read any more, so that nobody knows whose they are: restore the vault, and retry"

func formerFault(err error) error {
	var e *Error
	if errors.Is(err, vault.ErrShredded) || errors.As(err, &e) && e.kind == permanent {
		return Permanent(CodeEarlierUnreadable, earlierUnreadable, err)
	}
	return err
}

// countFormers adds what was left out to the counts of a task.
func (t *Task) countFormers(counts []dsar.Counts) []dsar.Counts {
	if t.formers == nil || len(t.formers.left) == 0 {
		return counts
	}
	counts = slices.Clone(counts)
	for key := range t.formers.left {
		i := slices.IndexFunc(counts, func(c dsar.Counts) bool { return c.Dataset == key.dataset })
		if i < 0 {
			i, counts = len(counts), append(counts, dsar.Counts{Dataset: key.dataset})
		}
		counts[i].Former++
	}
	return counts
}
