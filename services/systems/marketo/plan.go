package marketo

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

const (
	// planFor is how long the leads that were counted for a request are
	// remembered for its erasure, which mostly follows within seconds. It saves a
	// third of an erasure's calls.
	planFor = 10 * time.Minute
	// maxPlans bounds them, at some 100 bytes each.
	maxPlans = 20_000
	// fieldUnsubscribed is Marketo's own field of leads.
	fieldUnsubscribed = "unsubscribed"
	// lately is how far back the list of deletions is read: the calls of one
	// erasure take minutes at most.
	lately = time.Hour
)

// plans remembers which leads were counted for a request. It is a help: where
// it has nothing, Marketo is asked again.
type plans struct {
	now func() time.Time

	mu sync.Mutex
	// Two generations: the older one is dropped as a whole.
	young, old map[string]plan
	since      time.Time
}

// plan is what was found of one subject.
type plan struct {
	emails []string // for which it was counted
	// ids are the records', by dataset; those that go with a lead aren't counted.
	ids map[*dataset][]string
	// uncovered are the datasets that Marketo doesn't show.
	uncovered []*dataset
	// unsubscribed tells that one of the leads has unsubscribed.
	unsubscribed bool
	at           time.Time
}

func (p *plan) add(d *dataset, id string, f *fields) {
	if p.ids == nil {
		p.ids = map[*dataset][]string{}
	}
	p.ids[d] = append(p.ids[d], id)
	if i, ok := f.at[fieldUnsubscribed]; ok && d.Of == ofLeads {
		p.unsubscribed = p.unsubscribed || string(f.values[i]) == "true"
	}
}

// miss notes a dataset that isn't covered.
func (p *plan) miss(d *dataset) {
	if !slices.Contains(p.uncovered, d) {
		p.uncovered = append(p.uncovered, d)
	}
}

// counts returns what was found, by dataset, and what could not be looked at. What
// leads to that is left by an erasure.
func (p *plan) counts(w *Worker, erasure bool, found func(*dataset) dsar.Counts) []dsar.Counts {
	var out []dsar.Counts
	for _, d := range w.counted() {
		c := found(d)
		c.Dataset = d.name
		switch {
		case slices.Contains(p.uncovered, d):
			c.Uncovered = uncovered(d)
		case erasure && d == w.leads && c.Found > 0 && p.leadsOn() != nil:
			c.Uncovered = "what leads to dataset " + p.leadsOn().name + " is left, so that it can still be found"
		}
		if c.Found > 0 || c.Uncovered != "" {
			out = append(out, c)
		}
	}
	return out
}

// write writes what was found into a job's plan, and what could not be looked at.
func (p *plan) write(w *Worker, out *worker.PlanWriter, erasure bool) error {
	for _, d := range w.counted() {
		for _, id := range p.ids[d] {
			if err := out.Erase(d.name, id); err != nil {
				return err
			}
		}
	}
	for _, c := range p.counts(w, erasure, func(d *dataset) dsar.Counts { return dsar.Counts{Found: int64(len(p.ids[d]))} }) {
		if c.Uncovered != "" {
			out.Uncovered(c.Dataset, c.Uncovered)
		}
	}
	return nil
}

// leadsOn returns a dataset that isn't covered and could not be found without the
// leads; nil where there is none.
func (p *plan) leadsOn() *dataset {
	for _, d := range p.uncovered {
		if !d.byAddress() {
			return d
		}
	}
	return nil
}

func (p *plans) keep(s *subject, found plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.young == nil || now.Sub(p.since) > planFor || len(p.young) >= maxPlans/2 {
		p.old, p.young, p.since = p.young, map[string]plan{}, now
	}
	found.emails, found.at = s.emails, now
	p.young[s.request] = found
}

// take returns a request's plan, once, if it was made lately and for the same
// addresses.
func (p *plans) take(s *subject) (plan, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range []map[string]plan{p.young, p.old} {
		if found, ok := m[s.request]; ok {
			delete(p.young, s.request)
			delete(p.old, s.request)
			return found, p.now().Sub(found.at) <= planFor && slices.Equal(found.emails, s.emails)
		}
	}
	return plan{}, false
}

// deletedLately returns the ids of the leads that were deleted in the last hour, by
// whomever. The list holds names too, which are not read.
func (w *Worker) deletedLately(ctx context.Context) (map[string]bool, error) {
	from, err := w.since(ctx, w.config.Now().Add(-lately).UTC().Format(time.RFC3339))
	if err != nil {
		return nil, err
	}
	deleted := map[string]bool{}
	f := newFields([]string{"leadId"})
	err = w.rows(ctx, "activities.deletedleads", pathDeleted, url.Values{"nextPageToken": {from}}, func(raw []byte) error {
		if err := f.read(raw); err != nil {
			return err
		}
		id, err := f.id("leadId")
		deleted[id] = true
		return err
	})
	return deleted, err
}
