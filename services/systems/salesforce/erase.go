package salesforce

import (
	"context"
	"errors"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// held is one thing on its way to being gone: a record, or what is deleted in
// its place, with those of the dataset's records that go with it.
type held struct {
	id     string
	object int
	of     []*subject
	rows   []heldRow
	state  state
	// leads tells that others are found by it.
	leads bool
	// with is what takes it along, so that it isn't deleted by itself.
	with *held
	// why is what Salesforce said of it last, where it may pass.
	why error
}

// heldRow is one record and whose it is.
type heldRow struct {
	id string
	of []*subject
}

type state uint8

const (
	live       state = iota // to be deleted, or overwritten
	binned                  // to be purged
	gone                    // is no more
	anonymised              // holds nothing of a person any more
	written                 // holds what was to be written into it
	unknown                 // an answer was lost: ask
	stuck                   // refused, or left; its subjects have the error
)

// Erase deletes or overwrites what is held of many subjects, planned or come since,
// what refers to others first, and purges it from the recycle bin. One that fails has
// its own error; what was deleted of it until then is purged.
//
// Where Salesforce doesn't show an object, what leads to its records is left, so
// that they can still be found; the rest goes, and a person is told.
func (w *Worker) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	subjects := plannedOf(ctx, jobs)
	counts := w.tallyOf(subjects)
	g := groupOf(withoutError(subjects))
	e, err := w.list(ctx, g)
	if err != nil {
		g.failed(err)
	} else {
		e.left = ancestors(w.objects, hiddenOf(g))
		err = w.eraseAll(ctx, e)
		if err == nil {
			err = worker.Transient("unfinished", "not all records could be deleted yet", nil)
		}
		w.account(e, counts, err)
	}
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err != nil {
			continue
		}
		for n, why := range w.erasureGaps(g, s, counts[s]) {
			s.account.Uncovered(w.objects[n].dataset, why, w.unseen(n))
		}
		w.tellLeft(s, w.erasureGaps(g, s, counts[s]), s.account.Uncovered)
		j.Counts = s.account.Counts()
	}
	return nil
}

// withoutError returns the subjects that have none.
func withoutError(subjects []*subject) []*subject {
	return slices.DeleteFunc(slices.Clone(subjects), func(s *subject) bool { return s.err != nil })
}

func hiddenOf(g *group) map[int]bool {
	hidden := map[int]bool{}
	for i := range g.uncovered {
		hidden[i] = true
	}
	return hidden
}

// batch is everything that one call erases.
type batch struct {
	group *group
	// records are by object, links those of datasets that go with others.
	records [][]*held
	links   [][]*held
	// left are the objects that aren't touched.
	left map[int]bool
}

// list finds all records of a group, without content.
func (w *Worker) list(ctx context.Context, g *group) (*batch, error) {
	e := &batch{group: g, records: make([][]*held, len(w.objects)), links: make([][]*held, len(w.objects))}
	byID := map[string]*held{}
	takes := map[string]*held{} // by the id of what is taken along
	err := w.findPlanned(ctx, g, (*object).overwritten, func(n int, record string, f *fields, of []*subject) error {
		o, id := &w.objects[n], record
		deleted := string(f.get("IsDeleted")) == "true"
		if o.anonymous(f) && !deleted {
			return ctx.Err()
		}
		if target := vendorapi.Text(f.get(o.target())); isID(target) {
			id = target
		}
		r := byID[id]
		if r == nil {
			r = &held{id: id, object: n, state: binned, leads: len(o.sourceFields) > 0}
			byID[id] = r
			if o.goesWith != "" {
				e.links[n] = append(e.links[n], r)
			} else {
				e.records[n] = append(e.records[n], r)
			}
		}
		if !deleted {
			r.state = live
		}
		r.of = add(r.of, of)
		r.rows = append(r.rows, heldRow{record, of})
		for field := range reversed(o.Takes) {
			if taken := vendorapi.Text(f.get(field)); isID(taken) {
				takes[taken] = r
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	for id, by := range takes {
		if r := byID[id]; r != nil && r != by {
			r.with = by
		}
	}
	for _, records := range e.records {
		for _, r := range records {
			switch {
			case w.purged.Has(r.id):
				r.stop(errSettling()) // still shown, and gone: not again
			case w.pending.waits(r):
				r.stop(errDoubt())
			}
		}
	}
	return e, nil
}

// reversed returns the fields of takes.
func reversed(takes map[string]string) map[string]bool {
	fields := map[string]bool{}
	for _, f := range takes {
		fields[f] = true
	}
	return fields
}

// eraseAll overwrites and deletes by rank, then purges, what was found last
// first: until then everything can be found again. An error leaves some records
// as they were.
func (w *Worker) eraseAll(ctx context.Context, e *batch) error {
	if err := w.separate(ctx, e); err != nil {
		return err
	}
	for _, rank := range w.steps(func(o *object) int { return o.rank }) {
		var records []*held
		for _, n := range rank {
			if e.left[n] {
				e.leave(n)
				continue
			}
			if w.objects[n].anonymises() {
				if err := w.overwrite(ctx, e.records[n]); err != nil {
					return err
				}
				continue
			}
			records = append(records, e.alone(n)...)
		}
		if err := w.settle(ctx, records, live, w.deleteSome); err != nil {
			return err
		}
	}
	if err := w.follow(ctx, e); err != nil {
		return err
	}
	stages := w.steps(func(o *object) int { return o.stage })
	slices.Reverse(stages)
	for _, stage := range stages {
		var records []*held
		for _, n := range stage {
			if !e.left[n] {
				records = append(records, e.alone(n)...)
			}
		}
		if err := w.settle(ctx, records, binned, w.purgeSome); err != nil {
			return err
		}
	}
	return w.follow(ctx, e)
}

// steps returns the objects by a number that they have, in its order.
func (w *Worker) steps(of func(*object) int) [][]int {
	var steps [][]int
	for i := range w.objects {
		n := of(&w.objects[i])
		for len(steps) <= n {
			steps = append(steps, nil)
		}
		steps[n] = append(steps[n], i)
	}
	return steps
}

// alone returns an object's records that nothing takes along.
func (e *batch) alone(n int) []*held {
	return slices.DeleteFunc(slices.Clone(e.records[n]), func(r *held) bool { return r.with != nil })
}

// leave leaves an object's records as they are. Their subjects are told by what
// isn't covered.
func (e *batch) leave(n int) {
	for _, r := range e.records[n] {
		r.state = stuck
	}
}

// follow looks where records are that others took along.
func (w *Worker) follow(ctx context.Context, e *batch) error {
	var taken []*held
	for _, records := range e.records {
		for _, r := range records {
			if r.with != nil && (r.state == live || r.state == binned) && r.with.state != live {
				taken = append(taken, r)
			}
		}
	}
	return w.lookUp(ctx, taken)
}

// account accounts for what came of each record, and gives the subjects of those
// that are still there the error.
func (w *Worker) account(e *batch, counts tally, err error) {
	for n, records := range e.records {
		dataset := w.objects[n].dataset
		for _, r := range records {
			for _, row := range r.rows {
				for _, s := range row.of {
					switch counts[s][n].Found++; r.state {
					case gone:
						s.account.Erased(dataset, row.id)
					case anonymised:
						s.account.Anonymised(dataset, row.id)
					case stuck: // says itself why, or what isn't covered does
						s.account.Skipped(dataset, row.id)
					default:
						fail([]*subject{s}, err)
					}
				}
			}
		}
	}
}

// wanted reports whether one of a record's subjects is still without error. What is
// in the recycle bin is purged all the same, since it was deleted for them; but not
// what leads to other records: those of a subject with an error may still be there,
// and must be found again (TestFaults).
func (r *held) wanted() bool {
	if r.state == binned && !r.leads {
		return true
	}
	failed := func(s *subject) bool { return s.err != nil }
	if r.state == binned {
		return !slices.ContainsFunc(r.of, failed)
	}
	return !all(r.of, failed)
}

func all(subjects []*subject, such func(*subject) bool) bool {
	for _, s := range subjects {
		if !such(s) {
			return false
		}
	}
	return len(subjects) > 0
}

// stop leaves a record where it is, with the reason.
func (r *held) stop(err error) {
	r.state = stuck
	fail(r.of, err)
}

// deleteSome deletes records: a thousand to a call, or, of an object of which
// there are many, by a bulk job that leaves nothing in the recycle bin.
func (w *Worker) deleteSome(ctx context.Context, records []*held) error {
	records, err := w.deleteBulk(ctx, records)
	if err != nil {
		return err
	}
	return w.act(ctx, records, heavy*maxCollection, w.deleteAll, func(r *held, x result) {
		if err := w.meaning(x); err == nil || hasCode(err, codeGone) {
			r.state = binned
		} else {
			w.notDone(r, "delete", x, err)
		}
	})
}

// purgeSome empties the recycle bin of records, 200 to a call. What Salesforce
// says of one that it doesn't purge is not to be relied on: it is looked up.
func (w *Worker) purgeSome(ctx context.Context, records []*held) error {
	var odd []*held
	var why []result
	err := w.act(ctx, records, maxCollection, w.purge, func(r *held, x result) {
		switch err := w.meaning(x); {
		case err == nil:
			w.markGone(r)
		case isPermanent(err):
			odd, why = append(odd, r), append(why, x)
		default:
			w.notDone(r, "purge", x, err)
		}
	})
	if err != nil || len(odd) == 0 {
		return err
	}
	if err := w.lookUp(ctx, odd); err != nil {
		return err
	}
	for i, r := range odd {
		switch r.state {
		case binned:
			w.refused(r, "purge", why[i])
		case live:
			// Deleted, and shown as if it weren't: not again.
			r.stop(errSettling())
		}
	}
	return nil
}

func (w *Worker) markGone(r *held) {
	r.state = gone
	w.purged.Add(r.id)
}

// notDone takes up that something wasn't done to a record, with what that means:
// a person must see to it; the record is looked up; or it stays as it is, for the
// next round.
func (w *Worker) notDone(r *held, what string, x result, err error) {
	var parked *worker.Error
	switch {
	case isPermanent(err):
		w.refused(r, what, x)
	case vendorapi.IsUnsure(err):
		w.pending.add(r)
		r.state, r.why = unknown, err
	case errors.As(err, &parked): // until a time
		r.stop(err)
	default:
		r.why = err
	}
}

func (w *Worker) refused(r *held, what string, x result) {
	r.stop(worker.Because(dsar.Cause{Object: w.objects[r.object].Object, Permission: what, Answer: x.reply.Code, Status: x.reply.Status}, worker.Permanent(what+"-refused", "Salesforce refuses to "+what+" a record of object "+w.objects[r.object].Object+" ("+vendorapi.Code(x.reply.Code)+"): it is still there", x.reply.Detail)))
}

func isPermanent(err error) bool {
	var e *worker.Error
	return errors.As(err, &e) && e.Permanent()
}

func hasCode(err error, code string) bool {
	var e *worker.Error
	return errors.As(err, &e) && e.Code == code
}

// act makes one kind of destructive call for records, as many at a time as fit.
// Of those whose answer is lost, nothing is assumed.
func (w *Worker) act(ctx context.Context, records []*held, most int, call func(context.Context, []string) ([]result, error), each func(*held, result)) error {
	for len(records) > 0 {
		some := records[:min(most, len(records))]
		records = records[len(some):]
		ids := make([]string, len(some))
		for i, r := range some {
			ids[i] = r.id
		}
		results, err := call(ctx, ids)
		if vendorapi.IsUnsure(err) {
			for _, r := range some {
				w.pending.add(r)
				r.state = unknown
			}
			continue
		}
		if err != nil {
			return err
		}
		for i, r := range some {
			each(r, results[i])
		}
	}
	return nil
}
