package worker

import (
	"context"
	"errors"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
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
//
// Two people of a household may share a telephone. What is found of the held person by that
// alone, and of who asks by what only they have, is theirs who asks, and goes
// (docs/adr/0053).

// others are the people besides the task's own of whom records are held, and what the
// call found of them.
type others struct {
	request string // the task's own
	people  []link.HeldPerson
	objects *vault.Objects // in which their plans lie
	found   *heldRecords   // set before the implementation is called

	mu   sync.Mutex
	kept map[string]bool // the requests of whom a record was asked for that is held
}

// heldRecords are the records of everybody of whom a call's tasks must leave something: for
// each, by a hash of it, how it was found. Two records with one hash are taken for one, of
// which there are some in 2^64.
type heldRecords struct {
	seed maphash.Seed
	of   map[uint64][]finding
}

// finding says of whom a record was found, by the requests of both: without Without, by all
// that is known of them; else by what they have and Without's person hasn't; where both are the
// same, by the key of a plan.
type finding struct{ of, without string }

func planned(request string) finding { return finding{request, request} }

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
	of, held := o.found.at(dataset, key), false
	for _, p := range o.people {
		if o.holds(p, of) {
			o.mu.Lock()
			o.kept[p.RequestID], held = true, true
			o.mu.Unlock()
		}
	}
	return held
}

// holds reports whether a record is one person's of whom something is held, by how it was
// found: always where their plan has its key, and where it is found by what they alone have.
// What is found by what who asks has too is the record of either, and is held, unless what
// only who asks has leads to it: then it is theirs.
func (o *others) holds(p link.HeldPerson, of []finding) bool {
	if slices.Contains(of, planned(p.RequestID)) {
		return true
	}
	theirs := !p.Shared || slices.Contains(of, finding{p.RequestID, o.request})
	return slices.Contains(of, finding{of: p.RequestID}) && (theirs || !slices.Contains(of, finding{o.request, p.RequestID}))
}

// notes says in the trace for whose sake something was kept.
func (o *others) notes() (out []Note) {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, request := range slices.Sorted(maps.Keys(o.kept)) {
		out = append(out, Note{Text: "records stay for the legal hold on request " + request + ": they are of its person, or may be"})
	}
	return out
}

// add notes how a record was found.
func (h *heldRecords) add(f finding, dataset, key string) {
	hash := maphash.Comparable(h.seed, recordKey{dataset, key})
	if !slices.Contains(h.of[hash], f) {
		h.of[hash] = append(h.of[hash], f)
	}
}

// at returns how a record was found.
func (h *heldRecords) at(dataset, key string) []finding {
	return h.of[maphash.Comparable(h.seed, recordKey{dataset, key})]
}

// has reports whether a record was found so.
func (h *heldRecords) has(f finding, dataset, key string) bool {
	return slices.Contains(h.at(dataset, key), f)
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
			i := slices.IndexFunc(people, func(o link.HeldPerson) bool { return o.RequestID == p.RequestID })
			if i < 0 {
				i, people = len(people), append(people, p)
			}
			people[i].Shared = people[i].Shared || p.Shared // with one who asks or another
		}
	}
	if len(people) == 0 {
		return nil
	}
	found := &heldRecords{seed: maphash.MakeSeed(), of: map[uint64][]finding{}}
	jobs := make([]*PlanJob, 0, len(people))
	for _, p := range people {
		jobs = append(jobs, k.look(ctx, p.RequestID, k.w.asked(dsar.Plan, p.Identifiers), func(dataset, key string) {
			if k.keeps(p, dataset) {
				found.add(finding{of: p.RequestID}, dataset, key)
			}
		}))
	}
	if err := k.plan(ctx, jobs); err != nil {
		return err
	}
	if err := k.findPlanned(ctx, people, objects, found); err != nil {
		return err
	}
	if err := k.findApart(ctx, tasks, found); err != nil {
		return err
	}
	for _, t := range tasks {
		if t.others != nil {
			t.others.found, t.others.kept = found, map[string]bool{}
		}
	}
	return nil
}

// findApart finds, of the records of each person of whom records are held who has something in
// common with who asks, those to which what only one of both has leads.
func (k keeper) findApart(ctx context.Context, tasks []*Task, found *heldRecords) error {
	var jobs []*PlanJob
	look := func(of, without string, by []link.Identifier, held string) {
		jobs = append(jobs, k.look(ctx, of, k.w.asked(dsar.Plan, by), func(dataset, key string) {
			if found.has(finding{of: held}, dataset, key) {
				found.add(finding{of, without}, dataset, key)
			}
		}))
	}
	for _, t := range tasks {
		if t.others == nil {
			continue
		}
		for _, p := range t.others.people {
			if p.Shared {
				look(p.RequestID, t.RequestID, p.Theirs, p.RequestID)
				look(t.RequestID, p.RequestID, p.Askers, p.RequestID)
			}
		}
	}
	return k.plan(ctx, jobs)
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
				case !k.keeps(p, e.Dataset), ask[key], !p.Shared && found.has(finding{of: p.RequestID}, e.Dataset, e.Key):
				case e.Keep || !rechecks:
					found.add(planned(p.RequestID), e.Dataset, e.Key)
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
		found.add(planned(jobs[i].RequestID), e.Dataset, e.Key)
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
			held = j.others.has(e.Dataset, e.Key) || held
		}
		counts := slices.Clone(j.Plan.Counts())
		now := k.look(ctx, j.RequestID, j.Identifiers, func(dataset, key string) {
			held = j.others.has(dataset, key) || held
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
