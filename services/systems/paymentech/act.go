package paymentech

import (
	"context"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// inactive is the status of a profile that can't be charged.
const inactive = "I"

// corrigible are the members that a person may have corrected. The card isn't
// among them: a new one is entered where it is used.
var corrigible = []string{"customerName", "customerEmail", "customerPhone", "customerAddress1", "customerAddress2", "customerCity", "customerState", "customerZIP", "customerCountryCode"}

// references returns a task's, each once. One that is only dots is none: it would be
// another address.
func references(t worker.Task) (refs []string) {
	for _, id := range t.Identifiers {
		ref := strings.TrimSpace(id.Value)
		if id.Type == "customer_ref" && strings.Trim(ref, ".") != "" && !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// Gather copies the profiles, and says under which references payments stay.
func (w *Worker) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.GatherJob) error { return w.gather(ctx, j.Task, j.Records) })
}

func (w *Worker) gather(ctx context.Context, t worker.Task, out *worker.Records) error {
	refs := references(t)
	for _, ref := range refs {
		if !out.Wants(datasetProfiles) {
			break
		}
		p, err := w.read(ctx, ref)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		rec := record.Record{}
		for _, c := range w.columns {
			rec[c] = p.value(c)
		}
		if err := out.Write(datasetProfiles, rec); err != nil {
			return err
		}
	}
	if w.settled == nil {
		return nil
	}
	for _, ref := range refs {
		if err := out.Write(datasetSettled, record.Record{"customerRefNum": ref}); err != nil {
			return err
		}
	}
	return nil
}

// Rectify writes the corrected members.
func (w *Worker) Rectify(ctx context.Context, jobs []*worker.RectifyJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.RectifyJob) (err error) {
		j.Counts, err = w.rectify(ctx, j.Task, j.Changes)
		return err
	})
}

func (w *Worker) rectify(ctx context.Context, t worker.Task, changes []worker.Change) ([]dsar.Counts, error) {
	c := dsar.Counts{Dataset: datasetProfiles}
	values := map[string]string{}
	for _, change := range changes {
		switch {
		case change.Dataset != datasetProfiles:
		case slices.Contains(corrigible, change.Column):
			values[change.Column] = change.Value
			c.Changed = appendOnce(c.Changed, change.Column)
		default:
			c.Unchanged = appendOnce(c.Unchanged, change.Column)
		}
	}
	if len(values) == 0 {
		return nil, worker.Permanent("not-rectifiable", "none of the corrected fields can be changed at PaymentTech: a new card is entered where it is used, and what was settled stays as it was", nil)
	}
	err := w.updateAll(ctx, t, values, &c.Rectified)
	c.Found = c.Rectified
	return some(c), err
}

// Restrict takes the profiles out of use. They are kept. Other rights than that
// to restriction don't reach what is needed to charge: a person must see to it.
func (w *Worker) Restrict(ctx context.Context, jobs []*worker.RestrictJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.RestrictJob) (err error) {
		j.Counts, err = w.restrict(ctx, j.Task)
		return err
	})
}

func (w *Worker) restrict(ctx context.Context, t worker.Task) ([]dsar.Counts, error) {
	if t.Right != dsar.Restriction {
		return nil, worker.Permanent("not-restrictable", "PaymentTech can only take a payment method out of use as a whole, which this right doesn't ask for: do by hand what is to be done", nil)
	}
	c := dsar.Counts{Dataset: datasetProfiles}
	err := w.updateAll(ctx, t, map[string]string{"status": inactive}, &c.Restricted)
	c.Found = c.Restricted
	return some(c), err
}

// updateAll writes values into every profile, and counts them.
func (w *Worker) updateAll(ctx context.Context, t worker.Task, values map[string]string, done *int64) error {
	for _, ref := range references(t) {
		p, err := w.read(ctx, ref)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		if err := w.update(ctx, t, ref, values); err != nil {
			if isNoProfile(err) { // deleted in between
				continue
			}
			return err
		}
		*done++
	}
	return nil
}

func some(c dsar.Counts) []dsar.Counts {
	if c.Found == 0 {
		return nil
	}
	return []dsar.Counts{c}
}

func appendOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
