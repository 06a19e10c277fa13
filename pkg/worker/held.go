package worker

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
)

// A legal hold keeps what is held of a person whoever's erasure comes by. What is shared
// with them (a conversation, a joint account) stays on the ground [dsar.LegalHold], though
// it is also the record of the person who asks. Which records those are is asked anew with
// each call, by the held person's own identifiers and by the worker's own Plan: there is no
// list that could be out of date (docs/adr/0026). What led to some of them may be gone with
// the person's own erasure: the plans of that name those by their keys.

// others are the people besides the task's own of whom records are held, and what the
// call found of them.
type others struct {
	people  []link.HeldPerson
	objects *vault.Objects // in which their plans lie
	found   *heldRecords   // set before the implementation is called
}

// heldRecords are the records of everybody of whom a call's tasks must leave something: for
// each, by a hash of it, the requests of whom it is. Two records with one hash would have
// one of them kept that needn't be.
type heldRecords struct {
	seed maphash.Seed
	of   map[uint64][]string
}

type recordKey struct{ dataset, key string }

// IsHeld reports whether a legal hold keeps a record: one on the person's own dataset, or
// one on somebody else whose record it is as well. A worker whose manifest says holds MUST
// ask it of each record before it erases it, with plan, erase and prove, and retain what is
// held on the ground [dsar.LegalHold]. For other workers a single held record keeps all
// that the system has of the person (TestHoldWithoutTheSystemsHelp).
func (t *Task) IsHeld(dataset, key string) bool {
	return slices.Contains(t.Holds, dataset) || t.others.has(dataset, key)
}

func (o *others) has(dataset, key string) bool {
	if o == nil || o.found == nil {
		return false
	}
	of := o.found.of[maphash.Comparable(o.found.seed, recordKey{dataset, key})]
	return slices.ContainsFunc(of, func(request string) bool {
		return slices.ContainsFunc(o.people, func(p link.HeldPerson) bool { return p.RequestID == request })
	})
}

// add notes that a record is of a request.
func (h *heldRecords) add(request, dataset, key string) {
	hash := maphash.Comparable(h.seed, recordKey{dataset, key})
	if !slices.Contains(h.of[hash], request) {
		h.of[hash] = append(h.of[hash], request)
	}
}

// isOf reports whether a record is known to be of a request.
func (h *heldRecords) isOf(request, dataset, key string) bool {
	return slices.Contains(h.of[maphash.Comparable(h.seed, recordKey{dataset, key})], request)
}

// keeper is an [Eraser] that leaves what is held of others, and plans what is left of
// earlier plans.
type keeper struct {
	Eraser
	w *Worker
}

// Plan implements Eraser. What is held is planned to stay, whatever the implementation
// writes.
func (k keeper) Plan(ctx context.Context, jobs []*PlanJob) error {
	if err := k.find(ctx, tasksOf(jobs)); err != nil {
		return err
	}
	var anew []*PlanJob // by what is found, and not only by keys
	for _, j := range jobs {
		j.Plan.others = j.others
		if len(j.earlier) > 0 {
			j.Plan.written = map[recordKey]bool{}
			j.way.goesOn()
		}
		if !j.ByKeys {
			anew = append(anew, j)
		}
	}
	if len(anew) > 0 {
		if err := k.Eraser.Plan(ctx, anew); err != nil {
			return err
		}
	}
	return k.planEarlier(ctx, jobs)
}

// Erase implements Eraser.
func (k keeper) Erase(ctx context.Context, jobs []*EraseJob) error {
	if err := k.find(ctx, tasksOf(jobs)); err != nil {
		return err
	}
	touched, err := k.touched(ctx, jobs)
	if err != nil {
		return err
	}
	var rest []*EraseJob
	for _, j := range jobs {
		if counts, is := touched[j]; is && j.Err == nil {
			j.Counts = counts
		} else if !is {
			rest = append(rest, j)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return k.Eraser.Erase(ctx, rest)
}

// Prove implements Eraser.
func (k keeper) Prove(ctx context.Context, jobs []*EraseJob) error {
	if err := k.find(ctx, tasksOf(jobs)); err != nil {
		return err
	}
	touched, err := k.touched(ctx, jobs)
	if err != nil {
		return err
	}
	for j := range touched {
		j.way.goesOn()
	}
	err = k.Eraser.Prove(ctx, jobs)
	for j := range touched {
		for i := range j.Counts {
			c := &j.Counts[i]
			if left := c.Found - c.Kept(); left > 0 {
				c.Retain(left, dsar.LegalHold, time.Time{})
			}
		}
	}
	return err
}

// tasksOf returns the tasks of jobs.
func tasksOf[J interface{ job() *Job }](jobs []J) []*Task {
	out := make([]*Task, len(jobs))
	for i, j := range jobs {
		out[i] = &j.job().Task
	}
	return out
}

// find asks for the records of everybody whom the tasks' holds concern, each once.
func (k keeper) find(ctx context.Context, tasks []*Task) error {
	var people []link.HeldPerson
	var objects *vault.Objects
	for _, t := range tasks {
		if t.others == nil {
			continue
		}
		objects = t.others.objects
		for _, p := range t.others.people {
			if !slices.ContainsFunc(people, func(o link.HeldPerson) bool { return o.RequestID == p.RequestID }) {
				people = append(people, p)
			}
		}
	}
	if len(people) == 0 {
		return nil
	}
	found := &heldRecords{seed: maphash.MakeSeed(), of: map[uint64][]string{}}
	jobs := make([]*PlanJob, 0, len(people))
	for _, p := range people {
		jobs = append(jobs, k.look(ctx, p.RequestID, k.w.asked(dsar.Plan, p.Identifiers), func(dataset, key string) {
			if k.keeps(p, dataset) {
				found.add(p.RequestID, dataset, key)
			}
		}))
	}
	if err := k.plan(ctx, jobs); err != nil {
		return err
	}
	if err := k.findPlanned(ctx, people, objects, found); err != nil {
		return err
	}
	for _, t := range tasks {
		if t.others != nil {
			t.others.found = found
		}
	}
	return nil
}

// keeps reports whether a hold on a person is on a dataset.
func (k keeper) keeps(p link.HeldPerson, dataset string) bool {
	return !k.w.holds || len(p.Datasets) == 0 || slices.Contains(p.Datasets, dataset)
}

// findPlanned adds what the people's own erasures planned and what isn't found by their
// identifiers any more. What had to stay is theirs as long as it is there; of the rest the
// implementation says what is theirs still, where it can, since its key may be another
// record's by now.
func (k keeper) findPlanned(ctx context.Context, people []link.HeldPerson, objects *vault.Objects, found *heldRecords) error {
	rechecker, rechecks := k.Eraser.(Rechecker)
	var jobs []*EraseJob
	for _, p := range people {
		open, ask := NewPlanWriter(k.w.manifest), map[recordKey]bool{}
		of := &job{objects: objects, grant: p.Grant, task: dsar.Task{RequestID: p.RequestID}}
		for _, o := range p.Plans {
			plan, err := k.w.openObjectPlan(ctx, of, o)
			if err != nil {
				return heldFault(err)
			}
			for e, err := range plan.Entries(ctx) {
				switch key := (recordKey{e.Dataset, e.Key}); {
				case err != nil:
					return heldFault(err)
				case !k.keeps(p, e.Dataset), ask[key], found.isOf(p.RequestID, e.Dataset, e.Key):
				case e.Keep || !rechecks:
					found.add(p.RequestID, e.Dataset, e.Key)
				default:
					if ask[key] = true; k.w.datasets[e.Dataset] == nil {
						continue // the manifest has it no more
					}
					if err := open.Add(e); err != nil {
						return err
					}
				}
			}
		}
		if len(ask) == 0 {
			continue
		}
		plan, err := open.Plan()
		if err != nil {
			return err
		}
		jobs = append(jobs, &EraseJob{Plan: plan, Job: Job{Task: Task{RequestID: p.RequestID, Action: dsar.Prove, Right: dsar.Erasure,
			Identifiers: k.w.asked(dsar.Prove, p.Identifiers)}}})
	}
	if len(jobs) == 0 {
		return nil
	}
	return rechecker.Recheck(ctx, jobs, func(i int, e Entry) error {
		found.add(jobs[i].RequestID, e.Dataset, e.Key)
		return nil
	})
}

// heldFault says what it means for an erasure that a plan of somebody else's, of whom
// records are held, can't be read: nobody knows what must stay.
func heldFault(err error) error {
	var e *Error
	if errors.As(err, &e) && e.kind == permanent {
		return Permanent(CodeHoldUnreadable, "a legal hold is on, and the plan that names what it keeps can't be read any more, so that nobody knows what must stay: restore the objects of the vault, or lift the hold, and retry", err)
	}
	return err
}

// look makes a job that plans for nobody, and hands out the records that it is told of.
func (k keeper) look(ctx context.Context, requestID string, by []Identifier, record func(dataset, key string)) *PlanJob {
	return &PlanJob{
		Job:  Job{Task: Task{RequestID: requestID, Action: dsar.Plan, Right: dsar.KnowCategories, Identifiers: by}},
		Plan: &PlanWriter{ctx: ctx, system: k.w.system, datasets: k.w.datasets, seen: record},
	}
}

// plan has the implementation plan for nobody. Where it can't, nothing is known of what
// must stay, and nothing may go.
func (k keeper) plan(ctx context.Context, jobs []*PlanJob) error {
	jobs = slices.DeleteFunc(jobs, func(j *PlanJob) bool { return len(j.Identifiers) == 0 })
	if len(jobs) == 0 {
		return nil
	}
	if err := k.Eraser.Plan(ctx, jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Err != nil {
			return j.Err
		}
		if j.Plan.err != nil {
			return j.Plan.err
		}
	}
	return nil
}

// touched returns the jobs of which something is held of others too, with what then stays,
// for an implementation that can't keep single records: all of it, planned or come since.
func (k keeper) touched(ctx context.Context, jobs []*EraseJob) (map[*EraseJob][]dsar.Counts, error) {
	out := map[*EraseJob][]dsar.Counts{}
	if k.w.holds {
		return out, nil
	}
	for _, j := range jobs {
		if j.others == nil || len(j.others.people) == 0 {
			continue
		}
		planned, held := map[recordKey]bool{}, false
		for e, err := range j.Plan.Entries(ctx) {
			if err != nil {
				return nil, err
			}
			planned[recordKey{e.Dataset, e.Key}] = true
			held = held || j.others.has(e.Dataset, e.Key)
		}
		counts := slices.Clone(j.Plan.Counts())
		now := k.look(ctx, j.RequestID, j.Identifiers, func(dataset, key string) {
			held = held || j.others.has(dataset, key)
			if !planned[recordKey{dataset, key}] {
				counts = countEntry(counts, &Entry{Dataset: dataset, Key: key})
				i := slices.IndexFunc(counts, func(c dsar.Counts) bool { return c.Dataset == dataset })
				counts[i].Late++
			}
		})
		if err := k.plan(ctx, []*PlanJob{now}); err != nil {
			return nil, err
		}
		if !held {
			continue
		}
		for i := range counts {
			c := &counts[i]
			c.Retained = slices.Clone(c.Retained)
			if left := c.Found - c.Kept(); left > 0 {
				c.Retain(left, dsar.LegalHold, time.Time{})
			}
		}
		out[j] = counts
	}
	return out, nil
}
