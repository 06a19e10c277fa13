package marketo

import (
	"context"
	"net/url"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

const (
	// fieldUnsubscribed is Marketo's own field of leads.
	fieldUnsubscribed = "unsubscribed"
	// lately is how far back the list of deletions is read: the calls of one
	// erasure take minutes at most.
	lately = time.Hour
)

// findings is what was found of one subject.
type findings struct {
	// ids are the records', by dataset; those that go with a lead aren't counted.
	ids map[*dataset][]string
	// uncovered are the datasets that Marketo doesn't show.
	uncovered []*dataset
	// unsubscribed tells that one of the leads has unsubscribed.
	unsubscribed bool
}

func (f *findings) add(d *dataset, id string, row *fields) {
	if f.ids == nil {
		f.ids = map[*dataset][]string{}
	}
	f.ids[d] = append(f.ids[d], id)
	if i, ok := row.at[fieldUnsubscribed]; ok && d.Of == ofLeads {
		f.unsubscribed = f.unsubscribed || string(row.values[i]) == "true"
	}
}

// markUncovered notes a dataset that isn't covered.
func (f *findings) markUncovered(d *dataset) {
	if !slices.Contains(f.uncovered, d) {
		f.uncovered = append(f.uncovered, d)
	}
}

// uncover tells what could not be looked at, and why; and of an erasure that leads
// are left, by which that is found.
func (f *findings) uncover(w *Worker, erasure bool, told func(d *dataset, why string, cause dsar.Cause)) {
	for _, d := range w.counted() {
		switch on := f.leadsOn(); {
		case slices.Contains(f.uncovered, d):
			told(d, uncovered(d), unseen(d))
		case erasure && d == w.leads && on != nil:
			told(d, "what leads to dataset "+on.name+" is left, so that it can still be found", unseen(on))
		}
	}
}

// leadsOn returns a dataset that isn't covered and could not be found without the
// leads; nil where there is none.
func (f *findings) leadsOn() *dataset {
	for _, d := range f.uncovered {
		if !d.byAddress() {
			return d
		}
	}
	return nil
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
