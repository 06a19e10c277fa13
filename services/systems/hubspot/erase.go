package hubspot

import (
	"context"
	"errors"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/systems/internal/erasure"
)

// settleWait is when to look again at a contact that is deleted and still shown.
const settleWait = time.Minute

// Plan writes the ids of the contacts of many subjects.
func (w *Worker) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
	}
	w.find(ctx, subjects)
	for i, j := range jobs {
		j.Err = subjects[i].err
		for _, c := range subjects[i].contacts {
			if j.Err == nil {
				j.Err = j.Plan.Erase(datasetContacts, c.id)
			}
		}
	}
	return nil
}

// planned is a job that erases or proves by a plan.
type planned struct {
	*subject
	account *erasure.Account
}

// held finds the contacts of the jobs' subjects by their addresses and by the
// planned ids, whatever address those had; one that has somebody else's by now is left.
func (w *Worker) held(ctx context.Context, jobs []*worker.EraseJob) []planned {
	all := make([]planned, len(jobs))
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
		all[i].subject = subjects[i]
		all[i].account, subjects[i].err = erasure.New(ctx, j)
	}
	w.find(ctx, subjects)
	byID := map[string][]planned{}
	var ids []string
	for _, p := range all {
		if p.err != nil {
			continue
		}
		for _, id := range p.account.Open(datasetContacts) {
			if p.has(id) {
				continue
			}
			if byID[id] == nil {
				ids = append(ids, id)
			}
			byID[id] = append(byID[id], p)
		}
	}
	for some := range slices.Chunk(ids, maxInputs) {
		found, err := w.read(ctx, "", some)
		for _, c := range found {
			for _, p := range byID[c.id] {
				if p.holder(c).IsAnothers() {
					p.account.Anothers(datasetContacts, c.id)
				} else {
					p.contacts = append(p.contacts, c)
				}
			}
		}
		if err == nil {
			continue
		}
		for _, id := range some {
			for _, p := range byID[id] {
				if p.err == nil {
					p.err = err
				}
			}
		}
	}
	return all
}

// holder says whose a contact is by now that was planned for the subject.
func (s *subject) holder(c *contact) (h worker.Holder) {
	for _, e := range c.emails {
		h.Leads(s.task.Knows(identifier.Email, e))
	}
	return h
}

// has reports whether a contact is among those that were found.
func (s *subject) has(id string) bool {
	return slices.ContainsFunc(s.contacts, func(c *contact) bool { return c.id == id })
}

// Prove counts the contacts that are still there.
func (w *Worker) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	for i, p := range w.held(ctx, jobs) {
		j := jobs[i]
		if j.Err = p.err; j.Err != nil || len(p.contacts) == 0 {
			continue
		}
		j.Counts = []dsar.Counts{{Dataset: datasetContacts, Found: int64(len(p.contacts))}}
		if slices.ContainsFunc(p.contacts, func(c *contact) bool { return w.deleted.Has(c.id) }) {
			j.Counts, j.Err = nil, worker.RetryAfter(settleWait, "settling", "HubSpot has deleted the contact and still shows it; it is asked again in a minute", nil)
		}
	}
	return nil
}

// Erase deletes the contacts of many subjects, each once: the planned ones, and
// those that came since.
func (w *Worker) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	type outcome struct {
		erased bool
		err    error
	}
	done := map[string]outcome{}
	for i, p := range w.held(ctx, jobs) {
		for _, c := range p.contacts {
			if p.err != nil {
				break
			}
			o, known := done[c.id]
			if !known {
				o.erased, o.err = w.erase(ctx, c.id)
				done[c.id] = o
			}
			if p.err = o.err; o.erased && o.err == nil {
				p.account.Erased(datasetContacts, c.id)
			}
		}
		if jobs[i].Err = p.err; p.err == nil {
			jobs[i].Counts = p.account.Counts()
		}
	}
	return nil
}

// erase deletes a contact for good, and tells whether it was there. Where the answer
// is lost, and HubSpot still shows the contact, it is left a minute: it may be
// deleted, and must not be deleted twice. One that is shown and was deleted a moment
// ago is gone.
func (w *Worker) erase(ctx context.Context, id string) (erased bool, err error) {
	if w.deleted.Has(id) {
		return false, nil
	}
	err = w.post(ctx, "contacts.delete", "gdpr-delete", map[string]string{"objectId": id}, false, vendorapi.Nothing())
	if vendorapi.IsUnsure(err) {
		var found []*contact
		if found, err = w.read(ctx, "", []string{id}); err == nil && len(found) > 0 {
			return false, worker.RetryAfter(settleWait, "unsure", "HubSpot's answer to a deletion was lost; it is asked in a minute what became of it", nil)
		}
	}
	if err == nil || errors.Is(err, errGone) {
		w.deleted.Add(id)
		return err == nil, nil
	}
	return false, err
}
