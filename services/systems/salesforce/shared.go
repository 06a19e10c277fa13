package salesforce

import (
	"context"
	"strings"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// userPrefix begins the ids of users: a file is always linked to its owner.
const userPrefix = "005"

// separate finds the records that others share: files that are linked to records
// of somebody else, too. Of those the person's links go, and the file stays.
func (w *Worker) separate(ctx context.Context, e *batch) error {
	for n := range w.objects {
		o := &w.objects[n]
		through := w.number(o.SharedThrough)
		if through < 0 || len(e.records[n]) == 0 || e.left[n] || e.left[through] {
			continue
		}
		if err := w.separateFrom(ctx, e, n, through); err != nil {
			return err
		}
	}
	return nil
}

// number returns an object's by its dataset; -1 where there is none.
func (w *Worker) number(dataset string) int {
	for i := range w.objects {
		if w.objects[i].dataset == dataset {
			return i
		}
	}
	return -1
}

func (w *Worker) separateFrom(ctx context.Context, e *batch, n, through int) error {
	l := &w.objects[through]
	names := "" // the field of a link that names the record
	for _, ref := range w.objects[n].of {
		for _, s := range ref.from {
			if s.object == through {
				names = s.field
			}
		}
	}
	byID := map[string]*held{}
	t := term{field: names}
	for _, r := range e.records[n] {
		byID[r.id] = r
		t.values = append(t.values, r.id)
	}
	links := map[string]*held{}
	for _, r := range e.links[through] {
		links[r.id] = r
	}
	entity := l.of[0].field
	asked := union([]string{"Id", names}, []string{entity})
	shared := map[*held]bool{}
	own := map[*held][]*held{}
	f := fieldsOf(asked)
	err := w.each(ctx, queriesOf(l.Object, asked, []term{t}), func(_ int, raw []byte) error {
		if err := f.read(raw); err != nil {
			return err
		}
		to, r := vendorapi.Text(f.get(entity)), byID[vendorapi.Text(f.get(names))]
		switch {
		case r == nil || strings.HasPrefix(to, userPrefix):
		case links[vendorapi.Text(f.get("Id"))] != nil:
			own[r] = append(own[r], links[vendorapi.Text(f.get("Id"))])
		default:
			shared[r] = true
		}
		return nil
	}, func(q int, r *refusal) error {
		if _, why := w.hidden(through, asked, r); why != "" {
			return worker.Because(w.unseen(through), worker.Permanent("no-permission", why, r.detail)) // which was there a moment before
		}
		return nil
	})
	if err != nil {
		return err
	}
	for r := range shared {
		if r.state != live {
			continue
		}
		if err := w.settle(ctx, own[r], live, w.deleteSome); err != nil {
			return err
		}
		r.state = anonymised // nothing leads from it to the person any more
		for _, link := range own[r] {
			if link.state == live || link.state == stuck || link.state == unknown {
				r.state = stuck
			}
		}
	}
	return nil
}
