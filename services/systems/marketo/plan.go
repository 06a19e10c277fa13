package marketo

import (
	"context"
	"maps"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// settleWait is when to look again at what is deleted and still shown.
const settleWait = time.Minute

// Plan writes the ids of the records of many subjects. What goes with a lead isn't
// planned: that would take a hundred times the calls.
func (w *Worker) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
	}
	found := w.inventory(ctx, subjects)
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err != nil {
			continue
		}
		f := found[s]
		for _, d := range w.counted() {
			for _, id := range f.ids[d] {
				if j.Err == nil {
					j.Err = j.Plan.Erase(d.name, id)
				}
			}
		}
		f.uncover(w, j.Right != dsar.KnowCategories && len(f.ids[w.leads]) > 0, func(d *dataset, why string, cause dsar.Cause) { j.Plan.Uncovered(d.name, why, cause) })
	}
	return nil
}

// Prove counts the records that are still there: what is found anew, and what of
// the plan is shown by its id.
func (w *Worker) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	subjects := w.planned(ctx, jobs)
	found := w.inventory(ctx, subjects)
	w.addPlanned(ctx, subjects, found, func(*target) bool { return false })
	settling := w.settling(ctx, subjects, found)
	for i, j := range jobs {
		s := subjects[i]
		if j.Err = s.err; j.Err != nil {
			continue
		}
		if settling[s] {
			j.Err = worker.RetryAfter(settleWait, "settling", "Marketo has deleted the records and still shows them; it is asked again in a minute", nil)
			continue
		}
		j.Counts = found[s].counts(w)
	}
	return nil
}

// counts returns how many records are still there, and what could not be looked at.
func (f *findings) counts(w *Worker) []dsar.Counts {
	why, causes := map[*dataset]string{}, map[*dataset]*dsar.Cause{}
	f.uncover(w, len(f.ids[w.leads]) > 0, func(d *dataset, reason string, cause dsar.Cause) { why[d], causes[d] = reason, &cause })
	var out []dsar.Counts
	for _, d := range w.counted() {
		if n := int64(len(f.ids[d])); n > 0 || why[d] != "" {
			out = append(out, dsar.Counts{Dataset: d.name, Found: n, Uncovered: why[d], Cause: causes[d]})
		}
	}
	return out
}

// addPlanned adds what is still shown of the plans by its id and isn't found any more, such as
// a lead without its address; what is somebody else's by now is told. It doesn't ask for what is
// skipped.
func (w *Worker) addPlanned(ctx context.Context, subjects []*subject, found map[*subject]*findings, skip func(*target) bool) {
	for _, d := range w.counted() {
		byID := map[string]*target{}
		for _, s := range subjects {
			if s.err != nil || slices.Contains(found[s].uncovered, d) {
				continue
			}
			for _, id := range s.account.Open(d.name) {
				if t := (&target{d: d, id: id}); slices.Contains(found[s].ids[d], id) || skip(t) {
					continue
				} else if byID[id] == nil {
					byID[id] = t
				}
				byID[id].of = append(byID[id].of, s)
			}
		}
		for some := range slices.Chunk(slices.SortedFunc(maps.Values(byID), func(a, b *target) int { return cmpIDs(a.id, b.id) }), maxPage) {
			shown, addresses, err := w.shown(ctx, d, some)
			for _, t := range some {
				for _, s := range t.of {
					switch {
					case hasCode(err, codeForbidden) && d != w.leads:
						found[s].markUncovered(d)
					case err != nil:
						s.fail(err)
					case shown[t.id] == nil || slices.Contains(found[s].ids[d], t.id):
					case w.holder(s, d, shown[t.id], addresses).IsAnothers():
						s.account.Anothers(d.name, t.id)
					default:
						found[s].ids[d] = append(found[s].ids[d], t.id)
					}
				}
			}
		}
	}
}

// shown returns what is still shown of some records of one dataset, by id, and the addresses of
// the leads that they refer to.
func (w *Worker) shown(ctx context.Context, d *dataset, some []*target) (shown map[string]*fields, addresses map[string]string, err error) {
	shown = map[string]*fields{}
	err = w.show(ctx, some, func(id string, f *fields) {
		shown[id] = &fields{names: f.names, at: f.at, values: slices.Clone(f.values)}
	})
	if err != nil {
		return nil, nil, err
	}
	addresses, err = w.addresses(ctx, d, shown)
	return shown, addresses, err
}

// byLead reports whether a dataset's records refer to a lead by its id.
func (d *dataset) byLead() bool { return d.Of == ofObject && !d.byAddress() }

// addresses returns the addresses of the leads that records refer to, by id.
func (w *Worker) addresses(ctx context.Context, d *dataset, shown map[string]*fields) (map[string]string, error) {
	addresses, leads := map[string]string{}, map[string]bool{}
	if !d.byLead() {
		return addresses, nil
	}
	for _, f := range shown {
		if lead := f.get(d.Link); vendorapi.Int(lead) > 0 {
			leads[idText(lead)] = true
		}
	}
	for some := range slices.Chunk(slices.SortedFunc(maps.Keys(leads), cmpIDs), maxPage) {
		err := w.leadsBy(ctx, "id", some, nil, func(f *fields) error {
			id, err := f.id("id")
			addresses[id] = fold(vendorapi.Text(f.get("email")))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return addresses, nil
}

// holder says whose a record is by now that was planned for a subject: by the address in it,
// or by the lead that it refers to. A lead that was planned and isn't there any more was the
// person's.
func (w *Worker) holder(s *subject, d *dataset, row *fields, addresses map[string]string) (h worker.Holder) {
	field := d.Link
	if d == w.leads {
		field = "email"
	}
	address := fold(vendorapi.Text(row.get(field)))
	if d.byLead() {
		lead := idText(row.get(d.Link))
		of, there := addresses[lead]
		if address = of; !there && vendorapi.Int(row.get(d.Link)) > 0 {
			h.Leads(s.account.Planned(w.leads.name, lead))
		}
	}
	if address != "" {
		h.Leads(s.task.Knows(identifier.Email, address))
	}
	return h
}

// counted returns the datasets whose records are erased by themselves: those that
// refer to leads first, because they are found by them.
func (w *Worker) counted() []*dataset {
	var out []*dataset
	for _, d := range w.others {
		if d.Of == ofObject {
			out = append(out, d)
		}
	}
	return append(out, w.leads)
}

// inventory finds the records of many subjects. One of which not everything can
// be found has an error.
func (w *Worker) inventory(ctx context.Context, subjects []*subject) map[*subject]*findings {
	found := map[*subject]*findings{}
	for _, s := range subjects {
		found[s] = &findings{ids: map[*dataset][]string{}}
	}
	var columns []string
	if slices.Contains(w.leads.columns, fieldUnsubscribed) {
		columns = []string{fieldUnsubscribed}
	}
	eachGroup(groupsOf(subjects), func(g *group) error {
		byLead := map[string][]*subject{}
		err := w.find(ctx, g, columns, func(id string, f *fields, of []*subject) error {
			byLead[id] = of
			for _, s := range of {
				found[s].add(w.leads, id, f)
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		for _, d := range w.counted() {
			if d == w.leads {
				continue
			}
			err := w.records(ctx, d, g, byLead, nil, func(id string, f *fields, of []*subject) error {
				for _, s := range of {
					found[s].add(d, id, f)
				}
				return ctx.Err()
			})
			if hasCode(err, codeForbidden) {
				for _, s := range d.affected(g, byLead) {
					found[s].markUncovered(d)
				}
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found
}

// settling returns the subjects of a proof of whom something is shown that is
// deleted. Marketo's list of deletions knows of leads before its queries do, and of
// those that another process deleted.
func (w *Worker) settling(ctx context.Context, subjects []*subject, found map[*subject]*findings) map[*subject]bool {
	out := map[*subject]bool{}
	var deleted map[string]bool
	for _, s := range subjects {
		if s.err != nil {
			continue
		}
		for d, ids := range found[s].ids {
			if d == w.leads && deleted == nil {
				var err error
				if deleted, err = w.deletedLately(ctx); err != nil {
					s.fail(err)
					break
				}
			}
			for _, id := range ids {
				out[s] = out[s] || w.deleted.Has(d.name+"/"+id) || d == w.leads && deleted[id]
			}
		}
	}
	return out
}
