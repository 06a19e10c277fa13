package marketo

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// maxRounds is how often leads that were in use, or whose fate an answer left
	// open, are taken up within one erasure.
	maxRounds = 6
	// roundPause is the wait before the second round; it doubles.
	roundPause = 250 * time.Millisecond
	// settleWait is when to look again at what is deleted and still shown.
	settleWait = time.Minute
)

// lead is one lead on its way to being gone.
type lead struct {
	id    string
	of    []*subject
	state state
}

type state uint8

const (
	live    state = iota // to be deleted
	gone                 // is no more
	unknown              // an answer was lost: ask
	stuck                // refused; its subjects have the error
)

// CountBatch counts the leads of many subjects: the plan of an erasure, and its
// proof. Activities go with their lead and aren't counted: that would take a
// hundred times the calls.
func (w *Worker) CountBatch(ctx context.Context, jobs []*worker.CountsJob) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
	}
	found := map[*subject][]string{}
	settling := map[*subject]bool{}
	eachGroup(groupsOf(subjects), func(g *group) error {
		return w.find(ctx, g, nil, func(id string, _ *fields, of []*subject) error {
			for _, s := range of {
				found[s] = append(found[s], id)
				settling[s] = settling[s] || w.deleted.Has(id)
			}
			return ctx.Err()
		})
	})
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err != nil {
			continue
		}
		if j.Action == dsar.Prove && settling[s] {
			j.Err = errSettling()
			continue
		}
		j.Counts = counts(len(found[s]), 0)
		if j.Action == dsar.Count {
			w.plans.keep(s, found[s])
		}
	}
	return nil
}

func counts(found, erased int) []dsar.Counts {
	if found == 0 {
		return nil
	}
	return []dsar.Counts{{Dataset: datasetLeads, Found: int64(found), Erased: int64(erased)}}
}

func errSettling() error {
	return worker.RetryAfter(settleWait, "settling", "Marketo has deleted the leads and still shows them; it is asked again in a minute", nil)
}

// EraseBatch deletes the leads of many subjects: those that were counted a
// moment ago in this process, else those that are found now. Whatever came
// between the two is found by the proof.
func (w *Worker) EraseBatch(ctx context.Context, jobs []*worker.CountsJob) error {
	subjects := make([]*subject, len(jobs))
	leads := map[string]*lead{}
	var unplanned []*subject
	for i, j := range jobs {
		s := subjectOf(j.Task)
		subjects[i] = s
		ids, ok := w.plans.take(s)
		if !ok {
			unplanned = append(unplanned, s)
		}
		for _, id := range ids {
			w.add(leads, id, []*subject{s})
		}
	}
	eachGroup(groupsOf(unplanned), func(g *group) error {
		return w.find(ctx, g, nil, func(id string, _ *fields, of []*subject) error {
			w.add(leads, id, of)
			return ctx.Err()
		})
	})
	all := make([]*lead, 0, len(leads))
	for _, l := range leads {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *lead) int { return cmpIDs(a.id, b.id) })
	err := w.eraseAll(ctx, all)
	if err == nil {
		err = worker.Transient("unfinished", "not all leads could be deleted yet", nil)
	}
	found, erased := map[*subject]int{}, map[*subject]int{}
	for _, l := range all {
		for _, s := range l.of {
			found[s]++
			if l.state == gone {
				erased[s]++
			} else {
				s.fail(err)
			}
		}
	}
	for i, j := range jobs {
		s := subjects[i]
		j.Counts, j.Err = counts(found[s], erased[s]), s.err
	}
	return nil
}

// cmpIDs orders ids as numbers, without reading them.
func cmpIDs(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	return 1
}

// add puts a lead on the list. One that was deleted and is still shown isn't
// deleted again.
func (w *Worker) add(leads map[string]*lead, id string, of []*subject) {
	l := leads[id]
	if l == nil {
		l = &lead{id: id}
		leads[id] = l
		if w.deleted.Has(id) {
			l.state = gone
		}
	}
	for _, s := range of {
		if !slices.Contains(l.of, s) {
			l.of = append(l.of, s)
		}
	}
}

// eraseAll deletes leads, and takes up again those that were in use or lost. An
// error leaves some as they were.
func (w *Worker) eraseAll(ctx context.Context, leads []*lead) error {
	wait := roundPause
	for round := 1; ; round++ {
		if err := w.look(ctx, leads); err != nil {
			return err
		}
		var todo []*lead
		for _, l := range leads {
			if l.state == live && wanted(l.of) {
				todo = append(todo, l)
			}
		}
		if len(todo) == 0 {
			return nil
		}
		if round > maxRounds {
			for _, l := range todo {
				l.stop(worker.Transient("in-use", "a lead is in use in Marketo; it is tried again later", nil))
			}
			return nil
		}
		if round > 1 {
			if err := w.pause(ctx, wait/2+rand.N(wait/2)); err != nil {
				return err
			}
			wait *= 2
		}
		if err := w.deleteSome(ctx, todo); err != nil {
			return err
		}
	}
}

// stop leaves a lead where it is, with the reason.
func (l *lead) stop(err error) {
	l.state = stuck
	fail(l.of, err)
}

// deleteSome makes the calls. Of those whose answer is lost, nothing is assumed.
func (w *Worker) deleteSome(ctx context.Context, leads []*lead) error {
	for some := range slices.Chunk(leads, maxPage) {
		ids := make([]string, len(some))
		for i, l := range some {
			ids[i] = l.id
		}
		results, err := w.deleteLeads(ctx, ids)
		if vendorapi.IsUnsure(err) {
			for _, l := range some {
				l.state = unknown
			}
			continue
		}
		if err != nil {
			return err
		}
		for i, l := range some {
			w.settle(l, results[i])
		}
	}
	return nil
}

// settle takes what Marketo says of one lead.
func (w *Worker) settle(l *lead, r result) {
	switch {
	case r.done, r.code == "1004": // lead not found: somebody else was faster
		l.state = gone
		w.deleted.Add(l.id)
	case r.code == "1022": // in use
		// stays live
	case r.code == "1018":
		l.stop(worker.Permanent("crm-sync", "Marketo doesn't delete a lead that its CRM holds: erase it there first", errors.New(r.text)))
	default:
		l.stop(worker.Permanent("delete-refused", "Marketo refuses to delete a lead ("+vendorapi.Code(r.code)+"): it is still there", errors.New(r.text)))
	}
}

// look finds out what became of leads whose deletion's answer was lost: what is
// no longer shown is gone, and so is what stands in the list of deletions, which
// knows before the others do.
func (w *Worker) look(ctx context.Context, leads []*lead) error {
	lost := map[string]*lead{}
	var ids []string
	for _, l := range leads {
		if l.state == unknown {
			lost[l.id], ids = l, append(ids, l.id)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	shown := map[string]bool{}
	for some := range slices.Chunk(ids, maxPage) {
		err := w.leadsBy(ctx, "id", some, nil, func(f *fields) error {
			id, err := f.id("id")
			shown[id] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	deleted := map[string]bool{}
	if len(shown) > 0 {
		var err error
		if deleted, err = w.deletedLately(ctx); err != nil {
			return err
		}
	}
	for id, l := range lost {
		l.state = live
		if !shown[id] || deleted[id] {
			l.state = gone
			w.deleted.Add(id)
		}
	}
	return nil
}

func (w *Worker) pause(ctx context.Context, d time.Duration) error {
	if w.config.Pause != nil {
		return w.config.Pause(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
