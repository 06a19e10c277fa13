package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// library is a system: who has borrowed which books.
type library map[string][]string

// Gather copies each reader's loans, one record at a time.
func (l library) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	return worker.Each(ctx, jobs, func(_ context.Context, j *worker.GatherJob) error {
		for _, id := range j.Identifiers {
			for _, book := range l[id.Value] {
				if err := j.Records.Write("loans", record.Record{"book": book}); err != nil {
					return err
				}
			}
		}
		return nil
	})
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
	fmt.Println(workertest.Ask(log.Default(), w, "gather", "anna@example.com"))
	fmt.Println(workertest.Ask(log.Default(), w, "gather", "nobody@example.net"))
	// Output:
	// ended gathered; loans found 2 gathered 2
	// ended nothing-found
}

// archive can erase as well.
type archive struct{ library }

// Plan writes the key of every loan.
func (a archive) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	return worker.Each(ctx, jobs, func(_ context.Context, j *worker.PlanJob) error {
		for _, book := range a.library[j.Identifiers[0].Value] {
			if err := j.Plan.Erase("loans", worker.Key(j.Identifiers[0].Value, book)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Erase goes by the plan's keys; what isn't there any more is gone, not erased.
func (a archive) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) error {
		c := dsar.Counts{Dataset: "loans"}
		for e, err := range j.Plan.Entries(ctx) {
			if err != nil {
				return err
			}
			if a.delete(e.Key) {
				c.Erased++
			} else {
				c.Gone++
			}
		}
		for _, id := range j.Identifiers { // came since
			for _, book := range a.library[id.Value] {
				if a.delete(worker.Key(id.Value, book)) {
					c.Erased, c.Late = c.Erased+1, c.Late+1
				}
			}
		}
		j.Counts = []dsar.Counts{c}
		return nil
	})
}

// Prove says what is still there, by the plan's keys and by asking anew. Where a task
// is by keys only, it has no identifiers.
func (a archive) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) error {
		there := map[string]bool{}
		for e, err := range j.Plan.Entries(ctx) {
			if err != nil {
				return err
			}
			columns, err := worker.KeyColumns(e.Key, 2)
			if err != nil {
				return err
			}
			if slices.Contains(a.library[columns[0]], columns[1]) {
				there[e.Key] = true
			}
		}
		for _, id := range j.Identifiers {
			for _, book := range a.library[id.Value] {
				there[worker.Key(id.Value, book)] = true
			}
		}
		j.Counts = []dsar.Counts{{Dataset: "loans", Found: int64(len(there))}}
		return nil
	})
}

// delete deletes the loan of a key, and tells whether it was there.
func (a archive) delete(key string) bool {
	columns, err := worker.KeyColumns(key, 2)
	if err != nil {
		return false
	}
	email, book := columns[0], columns[1]
	var left []string
	for _, b := range a.library[email] {
		if b != book {
			left = append(left, b)
		}
	}
	there := len(left) < len(a.library[email])
	a.library[email] = left
	return there
}

// An erasure is planned by key, done by that plan, and proven by asking again. What
// is gone already is a success, and what came since is erased and told apart.
func ExampleEraser() {
	w, err := worker.New(books(dsar.Gather, dsar.Erase), archive{library{"anna@example.com": {"The Trial", "The Castle"}}})
	if err != nil {
		log.Fatal(err)
	}
	r := workertest.NewRequest(log.Default(), w, "anna@example.com")
	for _, action := range []dsar.Action{"plan", "erase", "prove", "erase"} {
		fmt.Println(action, r.Ask(action))
	}
	// Output:
	// plan ended found; loans found 2
	// erase ended erased; loans erased 2
	// prove ended proven; loans
	// erase ended nothing-found; loans gone 2
}

// catalogue asks its vendor for many readers in one call.
type catalogue struct{ loans library }

// Gather has one job for each request; one that fails has its own error.
func (c catalogue) Gather(_ context.Context, jobs []*worker.GatherJob) error {
	fmt.Println("one call for", len(jobs), "readers")
	for _, j := range jobs {
		for _, book := range c.loans[j.Identifiers[0].Value] {
			if j.Err == nil {
				j.Err = j.Records.Write("loans", record.Record{"book": book})
			}
		}
	}
	return nil
}

// Tasks that wait together are handed over together: a system that can be asked for
// many people in one call goes through the jobs itself.
func ExampleGatherer() {
	w, err := worker.New(books(dsar.Gather), catalogue{library{"anna@example.com": {"The Trial"}, "bob@example.com": {"Middlemarch"}}})
	if err != nil {
		log.Fatal(err)
	}
	r := workertest.NewRequest(log.Default(), w, "anna@example.com", "bob@example.com")
	for _, answer := range r.Deliver(r.Task("gather"), r.Task("gather")) {
		fmt.Println(answer)
	}
	// Output:
	// one call for 2 readers
	// ended gathered; loans found 1 gathered 1
	// ended gathered; loans found 1 gathered 1
}

// counter knows the card number of a reader by the address.
type counter map[string]string

// Resolve says what was found, and what it was found from.
func (c counter) Resolve(_ context.Context, jobs []*worker.ResolveJob) error {
	for _, j := range jobs {
		for _, id := range j.Identifiers {
			if card, ok := c[id.Value]; ok {
				j.Found = append(j.Found, worker.Found{Type: "account_id", Value: card, From: id})
			}
		}
	}
	return nil
}

// Other systems may know people by what one system finds.
func ExampleResolver() {
	w, err := worker.New(books(dsar.Resolve), counter{"anna@example.com": "card-17"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(workertest.Ask(log.Default(), w, "resolve", "anna@example.com"))
	// Output: ended found; account_id=card-17
}

// flaky is a vendor's answers, one after the other.
type flaky struct{ answers chan error }

// Gather steers by what it returns.
func (f flaky) Gather(context.Context, []*worker.GatherJob) error { return <-f.answers }

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
	fmt.Println(workertest.Ask(log.Default(), w, "gather", "anna@example.com"))
	fmt.Println(workertest.Ask(log.Default(), w, "gather", "anna@example.com"))
	// Output:
	// parked; quota: the vendor's calls of the hour are used up
	// failed; no-permission: give the integration user access to loans
}

// books returns the manifest of the examples.
func books(abilities ...dsar.Action) *manifest.Manifest {
	en := func(s string) manifest.Text { return manifest.Text{"en": s} }
	return &manifest.Manifest{
		System: "library", Title: en("Library"), Abilities: abilities, Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"},
		Datasets: []manifest.Dataset{{Name: "loans", Title: en("Loans"), Category: "commercial information", Origin: manifest.Observed, Purpose: en("To lend books"),
			LegalBasis: "contract", Storage: en("A year"), Columns: []manifest.Column{{Name: "book"}}}},
	}
}
