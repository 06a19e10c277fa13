package sqlsystem

import (
	"reflect"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestRehearsalIsTheErasure: a rehearsal counts and refuses as the erasure then does,
// also what the database would refuse at the end only, and changes nothing.
func TestRehearsalIsTheErasure(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER, issued_on DATE);
		CREATE TABLE badges (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO invoices VALUES (10, 1, '2026-01-01'), (11, 1, '2001-01-01'), (12, 2, '2001-01-01'); INSERT INTO badges VALUES (5, 2)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email, user]\nsql: {technical: [badges]}",
			"users | table: users, key: [id], subject: {email: email, user: id}, erase: delete",
			"invoices | table: invoices, key: [id], subject: {user: user_id}, erase: delete | id issued_on:date | "+tenYears))
		rows := func() []string {
			return slices.Concat(d.column(t, "SELECT email FROM users ORDER BY 1"), d.column(t, "SELECT id FROM invoices ORDER BY 1"), d.column(t, "SELECT id FROM badges"))
		}
		before := rows()
		both := func() []*worker.EraseJob {
			planned := jobsOf(dsar.Erasure, ids("email ann@example.com", "user 1"), ids("email bob@example.com", "user 2"))
			if err := s.planAll(t.Context(), planned); err != nil {
				t.Fatal(err)
			}
			jobs := make([]*worker.EraseJob, len(planned))
			for i, j := range planned {
				jobs[i] = &worker.EraseJob{Job: *j.Job, Plan: j.plan}
			}
			return jobs
		}
		// Bob's badge refers to him.
		alone := both()[1:]
		refusedBy(t, firstOf(s.Rehearse(t.Context(), alone), alone[0].Err), "badges")
		ann := both()[:1]
		if err := s.Rehearse(t.Context(), ann); err != nil || ann[0].Err != nil {
			t.Fatal(err, ann[0].Err)
		}
		if after := rows(); !slices.Equal(before, after) {
			t.Fatalf("rehearsals left %v of %v", after, before)
		}
		erased := both()[:1]
		if err := s.Erase(t.Context(), erased); err != nil || erased[0].Err != nil {
			t.Fatal(err, erased[0].Err)
		}
		if !reflect.DeepEqual(ann[0].Counts, erased[0].Counts) || ann[0].Counts[0].Erased != 1 {
			t.Errorf("rehearsed %+v, erased %+v", ann[0].Counts, erased[0].Counts)
		}
	})
}

// TestRehearsalFindsWhatComesBack: what a trigger brings back after the erasure is
// found before any request.
func TestRehearsalFindsWhatComesBack(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users VALUES (1, 'ann@example.com')`)
	if _, err := d.Exec(`CREATE TRIGGER undying AFTER DELETE ON users BEGIN INSERT INTO users VALUES (old.id, old.email); END`); err != nil {
		t.Fatal(err)
	}
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "users | table: users, key: [id], subject: {email: email}, erase: delete, cascades: [users]"))
	planned := jobsOf(dsar.Erasure, ids("email ann@example.com"))
	if err := s.planAll(t.Context(), planned); err != nil {
		t.Fatal(err)
	}
	job := &worker.EraseJob{Job: *planned[0].Job, Plan: planned[0].plan}
	refusedBy(t, firstOf(s.Rehearse(t.Context(), []*worker.EraseJob{job}), job.Err), "users")
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
