package salesforce

import (
	"context"
	"math/rand/v2"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// maxRounds is how often records that were locked, or whose fate an answer
	// left open, are taken up within one call.
	maxRounds = 6
	// roundPause is the wait before the second round; it doubles.
	roundPause = 250 * time.Millisecond
)

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
		if err := w.lookUp(ctx, lost); err != nil {
			return err
		}
		for _, r := range lost {
			if r.state == from && r.wanted() {
				todo = append(todo, r)
			}
		}
		if len(todo) == 0 {
			return nil
		}
		if round > maxRounds {
			w.giveUp(todo)
			return nil
		}
		if round > 1 {
			if err := w.config.Pause(ctx, wait/2+rand.N(wait/2)); err != nil {
				return err
			}
			wait *= 2
		}
		if err := act(ctx, todo); err != nil {
			return err
		}
	}
}

func (w *Worker) giveUp(records []*held) {
	for _, r := range records {
		err := vendorapi.Deferred(r.why)
		if err == nil {
			err = worker.Transient("locked", "someone else holds a record of object "+w.objects[r.object].Object+" in Salesforce; it is tried again later", nil)
		}
		r.stop(err)
	}
}

// lookUp asks Salesforce where records are now. Links it doesn't look up by their
// Id (ContentDocumentLink): they are left for the next try, which finds them anew.
func (w *Worker) lookUp(ctx context.Context, records []*held) error {
	var known []*held
	for _, r := range records {
		if w.objects[r.object].goesWith != "" {
			r.stop(errDoubt())
			continue
		}
		known = append(known, r)
	}
	if records = known; len(records) == 0 {
		return nil
	}
	byID := make(map[string]*held, len(records))
	ids := make([][]string, len(w.objects))
	for _, r := range records {
		byID[r.id] = r
		r.state = gone
		ids[r.object] = append(ids[r.object], r.id)
	}
	var queries []string
	var read []*fields
	for i := range w.objects {
		o := &w.objects[i]
		for _, q := range queriesOf(o.Object, union([]string{"Id", "IsDeleted"}, []string{o.target()}), []term{{field: o.target(), values: ids[i]}}) {
			queries, read = append(queries, q), append(read, fieldsOf([]string{"Id", "IsDeleted", o.target()}))
		}
	}
	seen := map[string]bool{}
	err := w.each(ctx, queries, func(q int, raw []byte) error {
		f := read[q]
		if err := f.read(raw); err != nil {
			return err
		}
		id := f.names[len(f.names)-1]
		if r := byID[vendorapi.Text(f.get(id))]; r != nil {
			if seen[r.id] = true; string(f.get("IsDeleted")) != "true" {
				r.state = live
			} else if r.state != live {
				r.state = binned
			}
		}
		return nil
	}, func(_ int, r *refusal) error {
		return worker.Permanent("no-permission", "Salesforce no longer shows an object to the integration user that it showed a moment before: grant read access to it", r.detail)
	})
	if err != nil {
		for _, r := range records {
			r.state = unknown
		}
		return err
	}
	for _, r := range records {
		switch {
		case !seen[r.id]:
			w.markGone(r)
		case w.pending.waits(r):
			r.stop(errDoubt())
		}
	}
	return nil
}
