package salesforce

import (
	"errors"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/conform"
)

// set writes a field of somebody's records of a dataset, and returns these.
func (w *fixture) set(t *testing.T, dataset, email, field, value string) []*held {
	t.Helper()
	b, err := w.worker.list(t.Context(), groupOf([]*subject{subjectOf(conform.Task(dsar.Erase, email))}))
	if err != nil {
		t.Fatal(err)
	}
	records := b.records[w.worker.number(dataset)]
	results, err := w.worker.updateAll(t.Context(), records, func(*held) map[string]any { return map[string]any{field: value} })
	for _, r := range results {
		err = errors.Join(err, w.worker.meaning(r))
	}
	if err != nil || len(records) == 0 {
		t.Fatalf("%d records: %v", len(records), err)
	}
	return records
}

// holdsTo gathers, plans, erases and proves of a person by identifiers, and looks that a record of
// somebody else's is in none of it, and that it is named why.
func (w *fixture) holdsTo(t *testing.T, dataset, id, why string, identifiers ...worker.Identifier) {
	t.Helper()
	task := worker.Task{RequestID: "left", Action: dsar.Gather, Right: dsar.Access, Attempt: 1, Identifiers: identifiers}
	named := func(what string, counts []dsar.Counts) {
		t.Helper()
		for _, c := range counts {
			if c.Dataset == dataset && c.Uncovered == why && c.Cause != nil {
				return
			}
		}
		t.Errorf("%s doesn't name what was left of %s: %+v", what, dataset, counts)
	}
	var told []string
	records := worker.NewRecords(w.Manifest, dsar.Access, identifiers, func(of string, r record.Record) error {
		if own, _ := r["Id"].(string); of == dataset {
			told = append(told, own)
		}
		return nil
	})
	gather := &worker.GatherJob{Job: worker.Job{Task: task}, Records: records}
	if err := w.worker.Gather(t.Context(), []*worker.GatherJob{gather}); err != nil || gather.Err != nil {
		t.Fatal(err, gather.Err)
	}
	named("a copy", records.Counts())
	for _, own := range told {
		if own == id {
			t.Errorf("a record of %s that is somebody else's is told", dataset)
		}
	}
	task.Action, task.Right = dsar.Plan, dsar.Erasure
	plan := &worker.PlanJob{Job: worker.Job{Task: task}, Plan: worker.NewPlanWriter(w.Manifest)}
	if err := w.worker.Plan(t.Context(), []*worker.PlanJob{plan}); err != nil || plan.Err != nil {
		t.Fatal(err, plan.Err)
	}
	named("a plan", plan.Plan.Counts())
	task.Action = dsar.Erase
	planned, err := plan.Plan.Plan()
	if err != nil {
		t.Fatal(err)
	}
	erase := &worker.EraseJob{Job: worker.Job{Task: task}, Plan: planned}
	if err := w.worker.Erase(t.Context(), []*worker.EraseJob{erase}); err != nil || erase.Err != nil {
		t.Fatal(err, erase.Err)
	}
	named("an erasure", erase.Counts)
	if !w.server.Holds(id) {
		t.Errorf("a record of %s that is somebody else's is erased", dataset)
	}
}

// TestFoundByATelephone: a contact or lead that is found by a telephone, and has somebody else's
// address, is left and named, in a copy and in an erasure.
func TestFoundByATelephone(t *testing.T) {
	t.Parallel()
	for _, dataset := range []string{"contacts", "leads"} {
		w := newFixture(t, 12, nil)
		owner, other := w.Emails()[0], w.Emails()[1]
		const telephone = "+33 1 99 00 12 34"
		left := w.set(t, dataset, other, "Phone", telephone)[0]
		w.holdsTo(t, dataset, left.id, worker.FoundAnothers, worker.Identifier{Type: "email", Value: owner}, worker.Identifier{Type: "phone", Value: telephone})
	}
}

// TestFoundByAnAddressOfTwo: where the person's own contact is named by its number, another that
// has the same address is left and named.
func TestFoundByAnAddressOfTwo(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, nil)
	owner, other := w.Emails()[0], w.Emails()[1]
	own := w.set(t, "contacts", owner, "Title", "Herself")[0]
	left := w.set(t, "contacts", other, "Email", owner)[0]
	w.holdsTo(t, "contacts", left.id, worker.FoundAnothers, worker.Identifier{Type: "email", Value: owner}, worker.Identifier{Type: "salesforce_contact_id", Value: own.id})
}
