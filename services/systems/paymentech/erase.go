package paymentech

import (
	"context"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/systems/internal/erasure"
)

const (
	// maxRounds is how often a deletion is taken up within one erasure whose
	// answer was lost.
	maxRounds = 4
	// settleWait is when to look again at a profile that is deleted and still
	// shown.
	settleWait = time.Minute
)

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
			if err := j.Plan.Keep(datasetSettled, ref, w.settled.retention(w.config.Now(), j.Jurisdiction)); err != nil {
				return err
			}
		}
		return nil
	})
}

// retention returns how long a payment stays that was made just now, where a person asks
// under a law.
func (s *settled) retention(now time.Time, law string) dsar.Retention {
	period, own := s.byLaw[law]
	if !own {
		period = s.period
	}
	return dsar.Retention{Records: 1, Ground: s.ground, Until: period.After(now.UTC())}
}

// Prove looks for the profiles, and counts what stays.
func (w *Worker) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) (err error) {
		j.Counts, err = w.prove(ctx, j)
		return err
	})
}

func (w *Worker) prove(ctx context.Context, j *worker.EraseJob) (counts []dsar.Counts, err error) {
	account, err := erasure.New(ctx, j)
	if err != nil {
		return nil, err
	}
	var found int64
	for _, ref := range theirs(j.Task, account, datasetProfiles) {
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
	if found > 0 {
		counts = append(counts, dsar.Counts{Dataset: datasetProfiles, Found: found})
	}
	if refs := w.settledOf(j.Task, account); len(refs) > 0 {
		n := int64(len(refs))
		stays := w.settled.retention(w.config.Now(), j.Jurisdiction)
		stays.Records = n
		counts = append(counts, dsar.Counts{Dataset: datasetSettled, Found: n, Retained: []dsar.Retention{stays}})
	}
	return counts, nil
}

// settledOf returns the references under which payments stay: the task's and the
// planned ones.
func (w *Worker) settledOf(t worker.Task, account *erasure.Account) []string {
	if w.settled == nil {
		return nil
	}
	return theirs(t, account, datasetSettled)
}

// theirs returns the references of a dataset that are the person's: the task's, and those of
// the planned ones by which the person is known. A reference is all that leads from a
// profile to its person: what lies under another is another's, however it came into the plan.
func theirs(t worker.Task, account *erasure.Account, dataset string) []string {
	all := references(t)
	for _, ref := range account.Open(dataset) {
		var h worker.Holder
		h.Leads(t.Knows("customer_ref", ref))
		switch {
		case h.IsAnothers():
			account.Anothers(dataset, ref)
		case !slices.Contains(all, ref):
			all = append(all, ref)
		}
	}
	return all
}

// Erase deletes the profiles, the planned ones and those that came since: each is
// read, deleted where it is there, and read again where the deletion's answer was
// lost. The proof reads once more.
func (w *Worker) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) (err error) {
		if j.Counts, err = w.erase(ctx, j); err != nil {
			return err
		}
		return w.keepLate(ctx, j)
	})
}

// keepLate names the references under which payments stay and that weren't planned.
func (w *Worker) keepLate(ctx context.Context, j *worker.EraseJob) error {
	account, err := erasure.New(ctx, j)
	if err != nil {
		return err
	}
	for _, ref := range w.settledOf(j.Task, account) {
		if !account.Planned(datasetSettled, ref) {
			j.Keep(datasetSettled, ref, w.settled.retention(w.config.Now(), j.Jurisdiction))
		}
	}
	return j.Err
}

func (w *Worker) erase(ctx context.Context, j *worker.EraseJob) ([]dsar.Counts, error) {
	account, err := erasure.New(ctx, j)
	if err != nil {
		return nil, err
	}
	for _, ref := range theirs(j.Task, account, datasetProfiles) {
		erased, err := w.eraseOne(ctx, j.Task, ref)
		if err != nil {
			return nil, err
		}
		if erased {
			account.Erased(datasetProfiles, ref)
		}
	}
	for _, ref := range w.settledOf(j.Task, account) {
		account.Kept(datasetSettled, ref, w.settled.retention(w.config.Now(), j.Jurisdiction))
	}
	return account.Counts(), nil
}

// eraseOne makes sure that a reference has no profile, and tells whether it had one
// until now. What was deleted a moment ago and is still shown is gone, and isn't
// deleted again.
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
		if w.deleted.Has(ref) {
			return was, nil
		}
		was = true
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
