package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// An erasure that begins anew, or that is taken up since something may go that had to stay,
// is planned again. What led to a record may be gone by then: so the new plan has what is
// still there of the earlier ones, by their keys, beside what is found anew. An answered
// erasure is planned by those keys alone, since the person may have become a customer anew
// (docs/adr/0027).

// Rechecker is an [Eraser] that can say which records of a plan are still there. One that
// isn't is asked by its Prove, which counts them.
type Rechecker interface {
	// Recheck calls there for each record of each job's plan that is there and is the
	// person's, with what becomes of it today: as an erasure would find it by its key.
	Recheck(ctx context.Context, jobs []*EraseJob, there func(job int, e Entry) error) error
}

// Keep names a record that must stay by no word of the plan: it came after it. By its
// key it is found again when it may go. Erase MUST call it for each late record that it
// retains, beside counting it, and may for one that was planned to go.
func (j *EraseJob) Keep(dataset, key string, r dsar.Retention) {
	j.KeepEntry(Entry{Dataset: dataset, Key: key, Keep: true, Ground: r.Ground, Until: r.Until})
}

// KeepEntry does what [EraseJob.Keep] does, with all that a plan has of a record. It stays,
// whatever Keep of the entry says.
func (j *EraseJob) KeepEntry(e Entry) {
	e.Keep = true
	if j.late == nil || j.Err != nil {
		return
	}
	j.Err = j.late.Add(e)
}

// openEarlier opens the plans that were made before. One that isn't there any more keeps
// no erasure from being planned by what is found anew.
func (w *Worker) openEarlier(ctx context.Context, j *job) ([]*Plan, error) {
	var out []*Plan
	for _, o := range j.task.Earlier {
		p, err := w.openObjectPlan(ctx, j, o)
		var e *Error
		if errors.As(err, &e) && e.kind == permanent && e.Code != "shredded" && !j.task.ByKeys {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// openPlans opens the plan that an erasure or its proof goes by, with those that were made
// before it, where the task names any. An erasure that has none is refused, and so is a
// proof by keys that has no keys: it would be taken for proven, and ask nothing
// (TestNothingIsErasedWithoutAPlan).
func (w *Worker) openPlans(ctx context.Context, j *job) (*Plan, error) {
	switch {
	case j.task.Plan != nil:
	case j.task.Action == dsar.Erase:
		return nil, Permanent(dsar.CodeNoPlan, "the task names no plan, so nothing says what may be erased, and nothing was: retry, and it is planned", nil)
	case j.task.ByKeys && len(j.task.Earlier) == 0:
		return nil, Permanent(dsar.CodeNoPlan, "the proof is to go by the keys of a plan, and the task names none: retry, and it is planned", nil)
	}
	plan, err := w.openPlan(ctx, j)
	if err != nil || len(j.task.Earlier) == 0 {
		return plan, err
	}
	all, err := w.openEarlier(ctx, j)
	if err != nil {
		return nil, err
	}
	if plan != nil { // what its erasure left besides comes after it
		all = slices.Insert(all, min(j.task.Done, len(all)), plan)
	}
	return merged(ctx, w, all, len(all)) // it is asked again: all of them were carried out
}

// planEarlier adds to the jobs' plans what is still there of earlier ones.
func (k keeper) planEarlier(ctx context.Context, jobs []*PlanJob) error {
	var from []*PlanJob
	var asked []*EraseJob
	for _, j := range jobs {
		if j.Err != nil || len(j.earlier) == 0 {
			continue
		}
		done := j.done
		if !j.ByKeys {
			done = nothingDone
		}
		plan, err := merged(ctx, k.w, j.earlier, done)
		if err != nil {
			return err
		}
		task := j.Task
		task.Action, task.Right, task.ByKeys = dsar.Prove, dsar.Erasure, true
		if !j.ByKeys {
			task.Owner, task.Identifiers = task.Identifiers, nil
		}
		from, asked = append(from, j), append(asked, &EraseJob{Job: Job{Task: task}, Plan: plan})
	}
	if len(asked) == 0 {
		return nil
	}
	add := func(i int, e Entry) error {
		j := from[i]
		switch {
		case j.Plan.written[recordKey{e.Dataset, e.Key}]:
			return nil
		case e.Keep && e.Ground != dsar.LegalHold && (e.Until.IsZero() || e.Until.After(k.w.now())):
			return j.Plan.Add(e)
		default:
			return j.Plan.Add(Entry{Dataset: e.Dataset, Key: e.Key, Ways: e.Ways, Due: e.Due || e.Keep})
		}
	}
	if r, ok := k.Eraser.(Rechecker); ok {
		return r.Recheck(ctx, asked, add)
	}
	if err := k.Eraser.Prove(ctx, asked); err != nil {
		return err
	}
	for i, a := range asked {
		if a.Err != nil {
			from[i].Err = a.Err
			continue
		}
		if err := k.addCounted(ctx, a, from[i].Plan.written, func(e Entry) error { return add(i, e) }); err != nil {
			return err
		}
	}
	return nil
}

// maxProbes bounds how many records of one plan are asked for one by one.
const maxProbes = 1000

// addCounted adds the records of an earlier plan that are still there, by what a proof has
// counted: where some of a dataset's are and some not, each is asked for by itself, and
// where these are too many, all are added.
func (k keeper) addCounted(ctx context.Context, a *EraseJob, written map[recordKey]bool, add func(Entry) error) error {
	open := map[string][]Entry{} // by dataset, what the new plan doesn't have
	left := map[string]int64{}   // how many of it are there
	for _, c := range a.Counts {
		left[c.Dataset] = c.Found
	}
	for e, err := range a.Plan.Entries(ctx) {
		if err != nil {
			return err
		}
		if written[recordKey{e.Dataset, e.Key}] {
			left[e.Dataset]--
		} else {
			open[e.Dataset] = append(open[e.Dataset], e)
		}
	}
	for _, dataset := range slices.Sorted(maps.Keys(open)) {
		entries := open[dataset]
		if n := int64(len(entries)); left[dataset] <= 0 {
			continue
		} else if left[dataset] < n && n <= maxProbes {
			var err error
			if entries, err = k.probe(ctx, a, entries); err != nil {
				return err
			}
		}
		for _, e := range entries {
			if err := add(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// probe asks for records one by one, and returns those that are there.
func (k keeper) probe(ctx context.Context, a *EraseJob, entries []Entry) ([]Entry, error) {
	jobs := make([]*EraseJob, len(entries))
	for i, e := range entries {
		one := NewPlanWriter(k.w.manifest)
		if err := one.Add(e); err != nil {
			return nil, err
		}
		plan, err := one.Plan()
		if err != nil {
			return nil, err
		}
		jobs[i] = &EraseJob{Job: Job{Task: a.Task}, Plan: plan}
	}
	if err := k.Eraser.Prove(ctx, jobs); err != nil {
		return nil, err
	}
	var there []Entry
	for i, j := range jobs {
		if j.Err != nil {
			return nil, j.Err
		}
		if slices.ContainsFunc(j.Counts, func(c dsar.Counts) bool { return c.Dataset == entries[i].Dataset && c.Found > 0 }) {
			there = append(there, entries[i])
		}
	}
	return there, nil
}

// nothingDone says, in place of how many plans were carried out, that the request was never
// answered: what goes by its plans may be there still, whatever led to it.
const nothingDone = -1

// merged returns one plan of several: each record once, the last word of it, with all the
// ways in which it was ever found (TestMergedPlansKeepWays). By the first plans, as many as are
// done, nothing is due any more: what could go went. Where the request was never answered, all is.
func merged(ctx context.Context, w *Worker, plans []*Plan, done int) (*Plan, error) {
	if len(plans) == 1 && done == 0 {
		return plans[0], nil
	}
	ways := map[recordKey]string{}
	for _, p := range plans {
		for e, err := range p.Entries(ctx) {
			if err != nil {
				return nil, err
			}
			if key := (recordKey{e.Dataset, e.Key}); e.Ways != "" {
				ways[key] = joinWays(ways[key], e.Ways)
			}
		}
	}
	out := NewPlanWriter(w.manifest)
	seen := map[recordKey]bool{}
	for i, p := range slices.Backward(plans) {
		for e, err := range p.Entries(ctx) {
			if err != nil {
				return nil, err
			}
			if seen[recordKey{e.Dataset, e.Key}] {
				continue
			}
			seen[recordKey{e.Dataset, e.Key}] = true
			e.Ways, e.Due = ways[recordKey{e.Dataset, e.Key}], done == nothingDone || e.Due && i >= done
			if err := out.Add(e); err != nil {
				return nil, err
			}
		}
	}
	return out.Plan()
}

// joinWays returns the ways of both, each once, in the order of their names.
func joinWays(a, b string) string {
	all := append(strings.Fields(a), strings.Fields(b)...)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}
