package marketo

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/systems/internal/erasure"
)

const (
	// maxRounds is how often records that were in use, or whose fate an answer
	// left open, are taken up within one erasure.
	maxRounds = 6
	// roundPause is the wait before the second round; it doubles.
	roundPause = 250 * time.Millisecond
)

// codeOutlives is the code of what an erasure leaves that nobody can erase.
const codeOutlives = "outlives-erasure"

// noteUnsubscribed is what a support agent should know of an erasure of somebody
// who had unsubscribed.
const noteUnsubscribed = "Marketo keeps by itself, for the e-mail address, that it has unsubscribed (durable unsubscribe): this outlives the lead, and can be neither read nor erased over its interface"

// target is one record on its way to being gone.
type target struct {
	d     *dataset
	id    string
	of    []*subject
	state state
	// erased tells that it is gone by this erasure: else it was gone already.
	erased bool
	// why is what Marketo said of it last, where it may pass.
	why error
}

type state uint8

const (
	live    state = iota // to be deleted
	gone                 // is no more
	unknown              // an answer was lost: ask
	stuck                // refused; its subjects have the error
	left                 // forbidden, or leads to what is not covered
)

// key names a record over all datasets.
func (t *target) key() string { return t.d.name + "/" + t.id }

// Erase deletes the records of many subjects: those that are found now, and the planned ones
// that aren't found any more, by their ids, where they are still theirs.
func (w *Worker) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	subjects := w.planned(ctx, jobs)
	found := w.inventory(ctx, subjects)
	w.addPlanned(ctx, subjects, found, func(t *target) bool { return w.deleted.Has(t.key()) })
	w.noteDeleted(ctx, subjects, found)
	targets := w.targets(subjects, found)
	w.leave(targets, found)
	err := w.eraseAll(ctx, targets)
	for _, t := range targets {
		if t.state == left && t.d != w.leads { // it may not be deleted
			for _, s := range t.of {
				found[s].markUncovered(t.d)
			}
		}
	}
	w.leave(targets, found)
	if err == nil {
		err = errUnfinished()
	}
	hasLeads := map[*subject]bool{}
	for _, t := range targets {
		for _, s := range t.of {
			hasLeads[s] = hasLeads[s] || t.d == w.leads
			switch {
			case t.state == gone && t.erased:
				s.account.Erased(t.d.name, t.id)
			case t.state == gone:
			case t.state == left: // the counts say why
				s.account.Skipped(t.d.name, t.id)
			default:
				s.fail(err)
			}
		}
	}
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err != nil {
			continue
		}
		found[s].uncover(w, hasLeads[s], func(d *dataset, why string, cause dsar.Cause) { s.account.Uncovered(d.name, why, cause) })
		j.Counts = s.account.Counts()
		if found[s].unsubscribed {
			j.Note(worker.Note{Text: noteUnsubscribed, Cause: dsar.Cause{Code: codeOutlives}})
		}
	}
	return nil
}

// leave leaves the leads by which something is found that isn't covered.
func (w *Worker) leave(targets []*target, found map[*subject]*findings) {
	for _, t := range targets {
		if t.d == w.leads && t.state == live && slices.ContainsFunc(t.of, func(s *subject) bool { return found[s].leadsOn() != nil }) {
			t.state = left
		}
	}
}

// planned returns the jobs' subjects with what was planned of each.
func (w *Worker) planned(ctx context.Context, jobs []*worker.EraseJob) []*subject {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
		account, err := erasure.New(ctx, j)
		if subjects[i].account = account; err != nil {
			subjects[i].fail(err)
		}
	}
	return subjects
}

// noteDeleted notes which of the leads that were found stand in Marketo's list of deletions:
// they are gone, though they may still be shown. The list is everybody's, and long: it is read
// where an erasure was tried before, since only then its leads may have been deleted.
func (w *Worker) noteDeleted(ctx context.Context, subjects []*subject, found map[*subject]*findings) {
	if !slices.ContainsFunc(subjects, func(s *subject) bool { return s.err == nil && s.again && len(found[s].ids[w.leads]) > 0 }) {
		return
	}
	deleted, err := w.deletedLately(ctx)
	if err != nil {
		fail(subjects, err)
	}
	for id := range deleted {
		w.deleted.Add(w.leads.name + "/" + id)
	}
}

// targets returns the records to delete, each once: those that refer to a lead before it.
// One that was deleted and is still shown isn't deleted again.
func (w *Worker) targets(subjects []*subject, found map[*subject]*findings) []*target {
	var all []*target
	for _, d := range w.counted() {
		byID := map[string]*target{}
		for _, s := range subjects {
			if s.err != nil {
				continue
			}
			for _, id := range found[s].ids[d] {
				t := byID[id]
				if t == nil {
					t = &target{d: d, id: id}
					if w.deleted.Has(t.key()) {
						t.state = gone
					}
					byID[id] = t
				}
				if !slices.Contains(t.of, s) {
					t.of = append(t.of, s)
				}
			}
		}
		all = append(all, slices.SortedFunc(maps.Values(byID), func(a, b *target) int { return cmpIDs(a.id, b.id) })...)
	}
	return all
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

// eraseAll deletes records, and takes up again those that were in use or lost. An
// error leaves some as they were.
func (w *Worker) eraseAll(ctx context.Context, targets []*target) error {
	wait := roundPause
	for round := 1; ; round++ {
		if err := w.lookUp(ctx, targets); err != nil {
			return err
		}
		todo := w.todo(targets)
		if len(todo) == 0 {
			return nil
		}
		if round > maxRounds {
			for _, t := range todo {
				t.stop(cmp.Or(vendorapi.Deferred(t.why), errUnfinished()))
			}
			return nil
		}
		if round > 1 {
			if err := w.config.Pause(ctx, wait/2+rand.N(wait/2)); err != nil {
				return err
			}
			wait *= 2
		}
		if err := w.deleteSome(ctx, todo); err != nil {
			return err
		}
	}
}

// todo returns the records to delete next. A lead waits for the records that refer
// to it: they couldn't be found without it.
func (w *Worker) todo(targets []*target) []*target {
	waits := map[*subject]bool{}
	var todo []*target
	for _, t := range targets { // leads come last
		if t.d == w.leads && slices.ContainsFunc(t.of, func(s *subject) bool { return waits[s] }) {
			continue
		}
		if t.d != w.leads && t.state != gone {
			for _, s := range t.of {
				waits[s] = true
			}
		}
		if t.state == live && wanted(t.of) {
			todo = append(todo, t)
		}
	}
	return todo
}

func errUnfinished() error {
	return worker.Transient("unfinished", "not all records could be deleted yet", nil)
}

// stop leaves a record where it is, with the reason.
func (t *target) stop(err error) {
	t.state = stuck
	fail(t.of, err)
}

// deleteSome makes the calls. Of those whose answer is lost, nothing is assumed.
func (w *Worker) deleteSome(ctx context.Context, targets []*target) error {
	for _, some := range chunks(targets) {
		ids := make([]string, len(some))
		for i, t := range some {
			ids[i] = t.id
		}
		results, err := w.deleteOf(ctx, some[0].d, ids)
		if vendorapi.IsUnsure(err) {
			for _, t := range some {
				t.state = unknown
			}
			continue
		}
		if hasCode(err, codeForbidden) && some[0].d != w.leads {
			for _, t := range some {
				t.state = left
			}
			continue
		}
		if err != nil {
			return err
		}
		for i, t := range some {
			w.settle(t, results[i])
		}
	}
	return nil
}

// settle takes what Marketo says of one record.
func (w *Worker) settle(t *target, r result) {
	switch err := w.meaning(r); {
	case err == nil, hasCode(err, codeGone): // or somebody else was faster
		t.state, t.erased = gone, err == nil
		w.deleted.Add(t.key())
	case vendorapi.IsUnsure(err):
		t.state, t.why = unknown, err
	case hasCode(err, codeRefused):
		t.stop(worker.Because(dsar.Cause{Permission: "delete", Answer: r.code}, worker.Permanent("delete-refused", "Marketo refuses to delete a record ("+vendorapi.Code(r.code)+"): it is still there", errors.New(r.text))))
	case isPermanent(err):
		t.stop(err)
	default: // such as in use: it stays live
		t.why = err
	}
}

// deleteOf deletes at most 300 records of one dataset.
func (w *Worker) deleteOf(ctx context.Context, d *dataset, ids []string) ([]result, error) {
	if d == w.leads {
		return w.deleteLeads(ctx, ids)
	}
	return w.deleteRecords(ctx, d, ids)
}

// chunks returns targets of one dataset, as many as a call takes.
func chunks(targets []*target) [][]*target {
	var out [][]*target
	for _, t := range targets {
		if n := len(out); n == 0 || out[n-1][0].d != t.d || len(out[n-1]) == maxPage {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

// lookUp finds out what became of records whose deletion's answer was lost: what
// is no longer shown is gone, and so is a lead that stands in the list of
// deletions, which knows before the others do.
func (w *Worker) lookUp(ctx context.Context, targets []*target) error {
	lost := slices.DeleteFunc(slices.Clone(targets), func(t *target) bool { return t.state != unknown })
	if len(lost) == 0 {
		return nil
	}
	shown := map[string]bool{}
	leads := false
	for _, some := range chunks(lost) {
		if err := w.show(ctx, some, func(id string, _ *fields) { shown[some[0].d.name+"/"+id] = true }); err != nil {
			return err
		}
		leads = leads || some[0].d == w.leads
	}
	deleted := map[string]bool{}
	if len(shown) > 0 && leads {
		var err error
		if deleted, err = w.deletedLately(ctx); err != nil {
			return err
		}
	}
	for _, t := range lost {
		t.state = live
		if !shown[t.key()] || t.d == w.leads && deleted[t.id] {
			t.state, t.erased = gone, true
			w.deleted.Add(t.key())
		}
	}
	return nil
}

// show asks by id for some records of one dataset, and hands out those that are still there,
// each with what it is found by.
func (w *Worker) show(ctx context.Context, some []*target, row func(id string, f *fields)) error {
	ids := make([]string, len(some))
	for i, t := range some {
		ids[i] = t.id
	}
	d := some[0].d
	if d == w.leads {
		return w.leadsBy(ctx, "id", ids, nil, func(f *fields) error {
			id, err := f.id("id")
			row(id, f)
			return err
		})
	}
	f := newFields([]string{guid}, d.Link)
	q := url.Values{"filterType": {guid}, "filterValues": {strings.Join(ids, ",")}, "fields": {strings.Join(f.names, ",")}}
	return w.rows(ctx, "customobjects", pathObject(d), q, func(raw []byte) error {
		if err := f.read(raw); err != nil {
			return err
		}
		row(vendorapi.Text(f.get(guid)), f)
		return nil
	})
}
