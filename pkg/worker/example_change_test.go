package worker_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// cards are the library's readers, by address.
type cards map[string]map[string]string

// Rectify changes the fields that the person corrected; the changes are those of this
// system, checked against its manifest.
func (c cards) Rectify(_ context.Context, jobs []*worker.RectifyJob) error {
	for _, j := range jobs {
		card, ok := c[j.Identifiers[0].Value]
		if !ok {
			continue
		}
		n := dsar.Counts{Dataset: "loans", Found: 1, Rectified: 1}
		for _, change := range j.Changes {
			card[change.Column] = change.Value
			n.Changed = append(n.Changed, change.Column)
		}
		j.Counts = []dsar.Counts{n}
	}
	return nil
}

// What a person corrected is changed in all of their records.
func ExampleRectifier() {
	readers := cards{"anna@example.com": {"book": "The Trail"}}
	w, err := worker.New(books(dsar.Rectify), readers)
	if err != nil {
		log.Fatal(err)
	}
	r := workertest.NewRequest(log.Default(), w, "anna@example.com")
	r.Details = event.Details{Corrections: []event.Correction{{Column: "book", Value: "The Trial"}}}
	fmt.Println(r.Ask("rectify"))
	fmt.Println(readers["anna@example.com"]["book"])
	// Output:
	// ended rectified; loans found 1 rectified 1
	// The Trial
}

// mailings are those to whom reminders are sent.
type mailings map[string]bool

// Restrict stops the reminders, and goes on with them where a job says so.
func (m mailings) Restrict(_ context.Context, jobs []*worker.RestrictJob) error {
	for _, j := range jobs {
		email := j.Identifiers[0].Value
		if _, known := m[email]; !known {
			continue
		}
		m[email] = j.Lift
		j.Counts = []dsar.Counts{{Dataset: "loans", Found: 1, Restricted: 1}}
	}
	return nil
}

// Restricting is undone by the same method, where the job says lift.
func ExampleRestricter() {
	sent := mailings{"anna@example.com": true}
	w, err := worker.New(books(dsar.Restrict), sent)
	if err != nil {
		log.Fatal(err)
	}
	r := workertest.NewRequest(log.Default(), w, "anna@example.com")
	fmt.Println(r.Ask("restrict"), "sent:", sent["anna@example.com"])
	r.Details.Lift = true
	fmt.Println(r.Ask("restrict"), "sent:", sent["anna@example.com"])
	// Output:
	// ended restricted; loans found 1 restricted 1 sent: false
	// ended restricted; loans found 1 restricted 1; lifted: the restriction was lifted sent: true
}

// Middleware sees every call and what became of each job: here it counts.
func ExampleWithMiddleware() {
	counts := func(next worker.Call) worker.Call {
		return func(ctx context.Context, jobs []*worker.Job) error {
			err := next(ctx, jobs)
			fmt.Println(jobs[0].Action, "of", len(jobs))
			return err
		}
	}
	w, err := worker.New(books(dsar.Gather), library{}, worker.WithMiddleware(counts, worker.Limit(4)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(workertest.Ask(log.Default(), w, "gather", "anna@example.com"))
	// Output:
	// gather of 1
	// ended nothing-found
}

// A method is called without Habeas, with records that go where the caller wants.
func ExampleNewRecords() {
	who := worker.Task{Identifiers: []worker.Identifier{{Type: "email", Value: "anna@example.com"}}}
	out := worker.NewRecords(books(dsar.Gather), dsar.Access, who.Identifiers, func(dataset string, r record.Record) error {
		fmt.Println(dataset, r["book"])
		return nil
	})
	job := &worker.GatherJob{Job: worker.Job{Task: who}, Records: out}
	if err := (library{"anna@example.com": {"The Castle"}}).Gather(context.Background(), []*worker.GatherJob{job}); err != nil || job.Err != nil {
		log.Fatal(err, job.Err)
	}
	fmt.Println(out.Counts()[0].Gathered)
	// Output:
	// loans The Castle
	// 1
}

// In production a worker is a program of its own, by the configuration that Habeas has.
func ExampleMain() {
	err := worker.Main(context.Background(), os.Args[1:], books(dsar.Gather), func(_ context.Context, s worker.Settings) (any, error) {
		return library{}, nil // a real one connects to s.URL, with s.Secret()
	})
	if err != nil {
		log.Fatal(err)
	}
}
