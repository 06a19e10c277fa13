package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os/signal"
	"syscall"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
)

// library is a system: who has borrowed which books.
type library map[string][]string

// Gather copies a reader's loans, one record at a time.
func (l library) Gather(_ context.Context, t worker.Task, out *worker.Records) error {
	for _, id := range t.Identifiers {
		for _, book := range l[id.Value] {
			if err := out.Write("loans", record.Record{"book": book}); err != nil {
				return err
			}
		}
	}
	return nil
}

// The smallest worker can gather: a manifest, and a type with one method.
func Example() {
	m, err := manifest.Parse("library.yaml", []byte(`
system: library
title: {en: Library}
abilities: [gather]
needs: [email]
datasets:
  - name: loans
    title: {en: Loans}
    category: commercial information
    origin: observed
    purpose: {en: To lend books}
    legal_basis: contract
    storage: {en: A year after the book is back}
    columns:
      - {name: book}
`))
	if err != nil {
		log.Fatal(err)
	}
	w, err := worker.New(m, library{"anna@example.com": {"The Trial", "The Castle"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ask(w, dsar.Gather, "anna@example.com"))
	fmt.Println(ask(w, dsar.Gather, "nobody@example.net"))
	// Output:
	// ended gathered: loans 2
	// ended nothing-found
}

// archive can erase as well.
type archive struct{ library }

// Count says what is held and what must stay: before an erasure it is the plan,
// after it the proof.
func (a archive) Count(_ context.Context, t worker.Task) ([]dsar.Counts, error) {
	return []dsar.Counts{{Dataset: "loans", Found: int64(len(a.library[t.Identifiers[0].Value]))}}, nil
}

// Erase succeeds on what is gone already: a task can come twice.
func (a archive) Erase(_ context.Context, t worker.Task) ([]dsar.Counts, error) {
	email := t.Identifiers[0].Value
	gone := int64(len(a.library[email]))
	delete(a.library, email)
	return []dsar.Counts{{Dataset: "loans", Found: gone, Erased: gone}}, nil
}

// An erasure is counted, done, and proven by counting again.
func ExampleEraser() {
	w, err := worker.New(books(dsar.Gather, dsar.Erase), archive{library{"anna@example.com": {"The Trial", "The Castle"}}})
	if err != nil {
		log.Fatal(err)
	}
	for _, action := range []dsar.Action{dsar.Count, dsar.Erase, dsar.Prove, dsar.Erase} {
		fmt.Println(action, ask(w, action, "anna@example.com"))
	}
	// Output:
	// count ended found: loans 2
	// erase ended erased: loans 2
	// prove ended proven
	// erase ended nothing-found
}

// catalogue asks its vendor for many readers in one call.
type catalogue struct{ loans library }

// GatherBatch has one job for each request; one that fails has its own error.
func (c catalogue) GatherBatch(ctx context.Context, jobs []*worker.GatherJob) error {
	fmt.Println("one call for", len(jobs), "readers")
	for _, j := range jobs {
		j.Err = c.loans.Gather(ctx, j.Task, j.Out)
	}
	return nil
}

// Tasks that wait together are handed over together.
func ExampleBatchGatherer() {
	w, err := worker.New(books(dsar.Gather), catalogue{library{"anna@example.com": {"The Trial"}, "bob@example.com": {"Middlemarch", "Silas Marner"}}})
	if err != nil {
		log.Fatal(err)
	}
	for _, said := range askAll(w, dsar.Gather, "anna@example.com", "bob@example.com") {
		fmt.Println(said)
	}
	// Output:
	// one call for 2 readers
	// ended gathered: loans 1
	// ended gathered: loans 2
}

// desk knows the card number of a reader by the address.
type desk map[string]string

// Resolve says what was found, and what it was found from.
func (d desk) Resolve(_ context.Context, t worker.Task) ([]worker.Found, error) {
	var found []worker.Found
	for _, id := range t.Identifiers {
		if card, ok := d[id.Value]; ok {
			found = append(found, worker.Found{Type: "account_id", Value: card, From: id})
		}
	}
	return found, nil
}

// Other systems may know people by what one system finds.
func ExampleResolver() {
	w, err := worker.New(books(dsar.Resolve), desk{"anna@example.com": "card-17"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ask(w, dsar.Resolve, "anna@example.com"))
	// Output: ended found, identifiers: account_id
}

// flaky is a vendor's answers, one after the other.
type flaky struct{ answers chan error }

// Gather steers by what it returns.
func (f flaky) Gather(context.Context, worker.Task, *worker.Records) error { return <-f.answers }

// Errors steer: a vendor that names a time has the task parked until then, and
// nothing waits; what a person must mend is reported with what is to be done.
func ExampleRetryAfter() {
	answers := make(chan error, 2)
	answers <- worker.RetryAfter(time.Hour, "quota", "the vendor's calls of the hour are used up", nil)
	answers <- worker.Permanent("no-permission", "give the integration user access to loans", errors.New("the vendor's own words, which travel sealed"))
	w, err := worker.New(books(dsar.Gather), flaky{answers})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ask(w, dsar.Gather, "anna@example.com"))
	fmt.Println(ask(w, dsar.Gather, "anna@example.com"))
	// Output:
	// parked [quota] the vendor's calls of the hour are used up
	// failed failed [no-permission] give the integration user access to loans
}

// In production a worker takes its tasks from Kafka until it is told to stop.
func ExampleWorker_Run() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	v, err := vault.Open(ctx, vault.Config{Bucket: "/var/lib/habeas/vault", Key: "file:///etc/habeas/master.key"})
	if err != nil {
		log.Fatal(err)
	}
	w, err := worker.New(books(dsar.Gather), library{})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Run(ctx, worker.Config{Kafka: bus.Files{Brokers: []string{"kafka.internal:9092"}}, Vault: v}); err != nil {
		log.Fatal(err)
	}
}

// What follows is the coordinator's part in the examples: tasks are made and
// reports are read. A worker's author tests with habeas.dev/pkg/worker/workertest.

// books is the manifest of the examples.
func books(abilities ...dsar.Action) *manifest.Manifest {
	en := func(s string) manifest.Text { return manifest.Text{"en": s} }
	return &manifest.Manifest{
		System: "library", Title: en("Library"), Abilities: abilities, Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"},
		Datasets: []manifest.Dataset{{Name: "loans", Title: en("Loans"), Category: "commercial information", Origin: manifest.Observed, Purpose: en("To lend books"),
			LegalBasis: "contract", Storage: en("A year"), Columns: []manifest.Column{{Name: "book"}}}},
	}
}

func ask(w *worker.Worker, action dsar.Action, email string) string {
	return askAll(w, action, email)[0]
}

func askAll(w *worker.Worker, action dsar.Action, emails ...string) (said []string) {
	ctx := context.Background()
	v, err := vault.InMemory(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var tasks []event.Event
	for i, email := range emails {
		id := fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a%02d", i)
		keys, err := v.CreateKeys(ctx, id)
		if err != nil {
			log.Fatal(err)
		}
		sealed, err := keys.Seal([]byte(email), vault.Identifier)
		if err != nil {
			log.Fatal(err)
		}
		data, err := json.Marshal(dsar.Task{RequestID: id, System: "library", Action: action, Attempt: 1, Right: dsar.Access,
			Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: v.Fingerprint("email", email), Sealed: sealed}}})
		if err != nil {
			log.Fatal(err)
		}
		tasks = append(tasks, event.Event{Type: event.TypeTask, Subject: id, Data: data})
	}
	for _, answer := range w.Handle(ctx, v, tasks) {
		var r dsar.Report
		if err := json.Unmarshal(answer.Data, &r); err != nil {
			log.Fatal(err)
		}
		said = append(said, tell(r))
	}
	return said
}

func tell(r dsar.Report) string {
	s := string(r.Kind)
	if r.Outcome != "" {
		s += " " + string(r.Outcome)
	}
	for _, id := range r.Identifiers {
		s += ", identifiers: " + string(id.Type)
	}
	for _, c := range r.Counts {
		if n := max(c.Found, c.Gathered); n > 0 {
			s += fmt.Sprintf(": %s %d", c.Dataset, n)
		}
	}
	if r.Code != "" {
		s += " [" + r.Code + "] " + r.Reason
	}
	return s
}
