package salesforce

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// maxRounds is how often records that were locked, or whose fate an answer
	// left open, are taken up within one erasure.
	maxRounds = 6
	// roundPause is the wait before the second round; it doubles.
	roundPause = 250 * time.Millisecond
)

// held is one record on its way to being gone.
type held struct {
	id     string
	object int
	of     []*subject
	state  state
}

type state uint8

const (
	live    state = iota // to be deleted
	binned               // to be purged
	gone                 // is no more
	unknown              // an answer was lost: ask
	stuck                // refused; its subjects have the error
)

// EraseBatch deletes what is held of many subjects, what hangs on others first,
// and purges it from the recycle bin. One that fails has its own error; what was
// deleted of it until then is purged.
func (w *Worker) EraseBatch(ctx context.Context, jobs []*worker.CountsJob) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
	}
	counts := w.tallyOf(subjects)
	w.eachGroup(groupsOf(subjects), func(g *group) error {
		records, err := w.list(ctx, g)
		if err != nil {
			return err
		}
		err = w.eraseAll(ctx, records)
		if err == nil {
			err = worker.Transient("unfinished", "not all records could be deleted yet", nil)
		}
		for _, r := range records {
			for _, s := range r.of {
				counts[s][r.object].Found++
				if r.state == gone {
					counts[s][r.object].Erased++
				} else if s.err == nil {
					s.err = err
				}
			}
		}
		return nil
	})
	for i, j := range jobs {
		j.Counts, j.Err = counts.of(subjects[i]), subjects[i].err
	}
	return nil
}

// eraseAll deletes, then purges, step by step. An error leaves some records as
// they were.
func (w *Worker) eraseAll(ctx context.Context, records []*held) error {
	for tier := range tiers {
		if err := w.settle(ctx, inTier(w, records, tier), live, w.deleteSome); err != nil {
			return err
		}
	}
	for tier := range tiers {
		if err := w.settle(ctx, inTier(w, records, tier), binned, w.purgeSome); err != nil {
			return err
		}
	}
	return nil
}

// list finds all records of a group, ids only.
func (w *Worker) list(ctx context.Context, g *group) ([]*held, error) {
	var records []*held
	err := w.find(ctx, g, linksOf, func(n int, id string, f *fields, of []*subject) error {
		r := &held{id: id, object: n, of: of}
		if string(f.get("IsDeleted")) == "true" {
			r.state = binned
		}
		if w.purged.Has(id) {
			// Still shown, and gone: not again.
			r.state = stuck
			for _, s := range of {
				s.err = errSettling()
			}
		}
		records = append(records, r)
		return ctx.Err()
	})
	return records, err
}

func inTier(w *Worker, records []*held, tier int) []*held {
	var some []*held
	for _, r := range records {
		if w.objects[r.object].tier == tier {
			some = append(some, r)
		}
	}
	return some
}

// settle brings records out of a state: by act, a call's worth at a time, and
// again for those that were locked or lost, which are looked up first.
func (w *Worker) settle(ctx context.Context, records []*held, from state, act func(context.Context, []*held) error) error {
	wait := roundPause
	for round := 1; ; round++ {
		var todo, lost []*held
		for _, r := range records {
			switch {
			case r.state == unknown:
				lost = append(lost, r)
			case r.state == from && r.wanted():
				todo = append(todo, r)
			}
		}
		if len(lost) > 0 {
			if err := w.look(ctx, lost); err != nil {
				return err
			}
			for _, r := range lost {
				if r.state == from && r.wanted() {
					todo = append(todo, r)
				}
			}
		}
		if len(todo) == 0 || round > maxRounds {
			w.giveUp(todo)
			return nil
		}
		if round > 1 {
			if err := w.pause(ctx, wait/2+rand.N(wait/2)); err != nil {
				return err
			}
			wait *= 2
		}
		if err := act(ctx, todo); err != nil {
			return err
		}
	}
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

// wanted tells whether one of a record's subjects is still without error. What
// is in the recycle bin is purged all the same: it was deleted for them.
func (r *held) wanted() bool {
	if r.state == binned {
		return true
	}
	for _, s := range r.of {
		if s.err == nil {
			return true
		}
	}
	return false
}

func (w *Worker) giveUp(records []*held) {
	for _, r := range records {
		r.stop(worker.Transient("locked", "someone else holds a record of object "+w.objects[r.object].name+" in Salesforce; it is tried again later", nil))
	}
}

// stop leaves a record where it is, with the reason.
func (r *held) stop(err error) {
	r.state = stuck
	for _, s := range r.of {
		if s.err == nil {
			s.err = err
		}
	}
}

// deleteSome deletes records, a thousand to a call.
func (w *Worker) deleteSome(ctx context.Context, records []*held) error {
	return w.act(ctx, records, heavy*maxCollection, w.deleteAll, func(r *held, x result) {
		switch {
		case x.done || x.status == "ENTITY_IS_DELETED":
			r.state = binned
		case retriable(x.status):
			// stays live
		default:
			w.refused(r, "delete", x)
		}
	})
}

// purgeSome empties the recycle bin of records, 200 to a call. What Salesforce
// says of one that it doesn't purge is not to be relied on: it is looked up.
func (w *Worker) purgeSome(ctx context.Context, records []*held) error {
	var odd []*held
	var why []result
	err := w.act(ctx, records, maxCollection, w.purge, func(r *held, x result) {
		switch {
		case x.done:
			r.state = gone
			w.purged.Add(r.id)
		case retriable(x.status):
			// stays in the bin
		default:
			odd, why = append(odd, r), append(why, x)
		}
	})
	if err != nil || len(odd) == 0 {
		return err
	}
	if err := w.look(ctx, odd); err != nil {
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

func retriable(status string) bool {
	return status == "UNABLE_TO_LOCK_ROW" || status == "SERVER_UNAVAILABLE"
}

func (w *Worker) refused(r *held, what string, x result) {
	r.stop(worker.Permanent(what+"-refused", "Salesforce refuses to "+what+" a record of object "+w.objects[r.object].name+" ("+vendorapi.Code(x.status)+"): it is still there", errors.New(x.detail)))
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

// look asks Salesforce where records are now.
func (w *Worker) look(ctx context.Context, records []*held) error {
	byID := make(map[string]*held, len(records))
	ids := make([][]string, len(w.objects))
	for _, r := range records {
		byID[r.id] = r
		r.state = gone
		ids[r.object] = append(ids[r.object], r.id)
	}
	var queries []string
	for i := range w.objects {
		for n := ids[i]; len(n) > 0; n = n[min(maxPeople, len(n)):] {
			o := object{name: w.objects[i].name, contact: "Id"}
			queries = append(queries, o.queryOf([]string{"Id", "IsDeleted"}, keys{contacts: n[:min(maxPeople, len(n))]}))
		}
	}
	f := fieldsOf([]string{"Id", "IsDeleted"})
	return w.each(ctx, queries, func(_ int, raw []byte) error {
		if err := f.read(raw); err != nil {
			return err
		}
		if r := byID[vendorapi.Text(f.get("Id"))]; r != nil {
			r.state = live
			if string(f.get("IsDeleted")) == "true" {
				r.state = binned
			}
		}
		return nil
	})
}
