package paymentech

import (
	"context"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// maxRounds is how often a deletion is taken up within one erasure whose
	// answer was lost.
	maxRounds = 4
	// settleWait is when to look again at a profile that is deleted and still
	// shown.
	settleWait = time.Minute
	// inactive is the status of a profile that can't be charged.
	inactive = "I"
)

// corrigible are the members that a person may have corrected. The card isn't
// among them: a new one is entered where it is used.
var corrigible = []string{"customerName", "customerEmail", "customerPhone", "customerAddress1", "customerAddress2", "customerCity", "customerState", "customerZIP", "customerCountryCode"}

// references returns a task's, each once. One that is only dots is none: it would
// be another address.
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

// Plan writes the references that have a profile, and what stays under each.
func (w *Worker) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.PlanJob) error {
		refs := references(j.Task)
		for _, ref := range refs {
			p, err := w.read(ctx, ref)
			if err != nil {
				return err
			}
			if p == nil {
				continue
			}
			if err := j.Plan.Erase(datasetProfiles, ref); err != nil {
				return err
			}
		}
		for _, ref := range refs {
			if w.settled == nil {
				break
			}
			if err := j.Plan.Keep(datasetSettled, ref, w.settled.retention(w.config.Now())); err != nil {
				return err
			}
		}
		return nil
	})
}

// retention returns how long a payment stays that was made just now.
func (s *settled) retention(now time.Time) dsar.Retention {
	return dsar.Retention{Records: 1, Ground: s.ground, Until: s.period.After(now.UTC())}
}

// Prove looks for the profiles, and counts what stays.
func (w *Worker) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) (err error) {
		j.Counts, err = w.prove(ctx, j.Task)
		return err
	})
}

func (w *Worker) prove(ctx context.Context, t worker.Task) ([]dsar.Counts, error) {
	var found int64
	refs := references(t)
	for _, ref := range refs {
		p, err := w.read(ctx, ref)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		if w.deleted.Has(ref) {
			return nil, worker.RetryAfter(settleWait, "settling", "PaymentTech has deleted the profile and still shows it; it is asked again in a minute", nil)
		}
		found++
	}
	return w.counts(refs, dsar.Counts{Dataset: datasetProfiles, Found: found}), nil
}

// counts adds what stays under references to what was done with profiles.
func (w *Worker) counts(refs []string, profiles dsar.Counts) (counts []dsar.Counts) {
	if profiles.Found > 0 {
		counts = append(counts, profiles)
	}
	if n := int64(len(refs)); n > 0 && w.settled != nil {
		stays := w.settled.retention(w.config.Now())
		stays.Records = n
		counts = append(counts, dsar.Counts{Dataset: datasetSettled, Found: n, Retained: []dsar.Retention{stays}})
	}
	return counts
}

// Erase deletes the profiles: each is read, deleted where it is there, and read
// again where the deletion's answer was lost. The proof reads once more.
func (w *Worker) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) error {
		counts, err := w.erase(ctx, j.Task)
		j.Counts = worker.Reconcile(j.Plan.Counts(), counts)
		return err
	})
}

func (w *Worker) erase(ctx context.Context, t worker.Task) ([]dsar.Counts, error) {
	refs := references(t)
	var erased int64
	for _, ref := range refs {
		was, err := w.eraseOne(ctx, t, ref)
		if err != nil {
			return nil, err
		}
		if was {
			erased++
		}
	}
	return w.counts(refs, dsar.Counts{Dataset: datasetProfiles, Found: erased, Erased: erased}), nil
}

// eraseOne makes sure that a reference has no profile, and tells whether it had
// one. What was deleted a moment ago and is still shown isn't deleted again.
func (w *Worker) eraseOne(ctx context.Context, t worker.Task, ref string) (was bool, err error) {
	lost := worker.Transient("unfinished", "PaymentTech loses its answers to the deletion of a profile; it is asked again", nil)
	for range maxRounds {
		p, err := w.read(ctx, ref)
		if err != nil {
			return was, err
		}
		if p == nil {
			if was { // its deletion's answer was lost
				w.deleted.Add(ref)
			}
			return was, nil
		}
		was = true
		if w.deleted.Has(ref) {
			return true, nil
		}
		switch err = w.delete(ctx, t, ref); {
		case err == nil, isNoProfile(err):
			w.deleted.Add(ref)
			return true, nil
		case !vendorapi.IsUnsure(err):
			return was, err
		}
		lost = vendorapi.Deferred(err)
	}
	return was, lost
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
