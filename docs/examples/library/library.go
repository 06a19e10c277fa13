package main

import (
	"context"
	"strings"
	"sync"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// Library lends books. A real one keeps its loans in a store of its own.
type Library struct {
	mu    sync.Mutex
	loans []Loan
}

// Loan is one book that was borrowed. Its number is the library's own.
type Loan struct{ Number, Email, Book, Returned string }

// NewLibrary opens a library with two readers.
func NewLibrary() *Library {
	return &Library{loans: []Loan{
		{"L-1", "anna@example.com", "The Trial", "2026-03-01"},
		{"L-2", "anna@example.com", "Nineteen Eighty-Four", "2026-04-15"},
		{"L-3", "bob@example.com", "The Castle", "2026-05-20"},
	}}
}

// Gather copies a reader's loans.
func (l *Library) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	return worker.Each(ctx, jobs, func(_ context.Context, j *worker.GatherJob) error {
		for _, loan := range l.of(j.Task) {
			if err := j.Records.Write("loans", record.Record{"book": loan.Book, "returned": loan.Returned}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Plan names the loans that an erasure is to delete, by number.
func (l *Library) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	return worker.Each(ctx, jobs, func(_ context.Context, j *worker.PlanJob) error {
		for _, loan := range l.of(j.Task) {
			if err := j.Plan.Erase("loans", loan.Number); err != nil {
				return err
			}
		}
		return nil
	})
}

// Erase deletes what was planned, then what has come since.
func (l *Library) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) error {
		c := dsar.Counts{Dataset: "loans"}
		for planned, err := range j.Plan.Entries(ctx) {
			if err != nil {
				return err
			}
			loan, there := l.loan(planned.Key)
			switch {
			case there && isAnothers(loan, j.Task) && !j.ByKeys:
				c.Reassigned, c.Uncovered = c.Reassigned+1, worker.Overtaken
			case there && !isAnothers(loan, j.Task) && l.delete(planned.Key):
				c.Erased++
			default:
				c.Gone++
			}
		}
		for _, loan := range l.of(j.Task) {
			if l.delete(loan.Number) {
				c.Erased, c.Late = c.Erased+1, c.Late+1
			}
		}
		j.Counts = []dsar.Counts{c}
		return nil
	})
}

// Prove says what is still there: of the plan by its keys, and what the reader has
// besides. Long after an erasure it is asked by keys only, with no identifiers.
func (l *Library) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) error {
		there := map[string]bool{}
		for _, loan := range l.of(j.Task) {
			there[loan.Number] = true
		}
		for planned, err := range j.Plan.Entries(ctx) {
			if err != nil {
				return err
			}
			if loan, is := l.loan(planned.Key); is && !isAnothers(loan, j.Task) {
				there[planned.Key] = true
			}
		}
		j.Counts = []dsar.Counts{{Dataset: "loans", Found: int64(len(there))}}
		return nil
	})
}

// isAnothers tells whether a loan that was planned is another reader's by now.
func isAnothers(loan Loan, t worker.Task) bool {
	var holder worker.Holder
	if loan.Email != "" {
		holder.Leads(t.Knows("email", loan.Email))
	}
	return holder.IsAnothers()
}

// loan returns a loan by its number, and tells whether it is there.
func (l *Library) loan(number string) (Loan, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, loan := range l.loans {
		if loan.Number == number {
			return loan, true
		}
	}
	return Loan{}, false
}

// of lists a person's loans.
func (l *Library) of(t worker.Task) []Loan {
	l.mu.Lock()
	defer l.mu.Unlock()
	var loans []Loan
	for _, loan := range l.loans {
		for _, id := range t.Identifiers {
			if strings.EqualFold(loan.Email, id.Value) {
				loans = append(loans, loan)
			}
		}
	}
	return loans
}

// delete deletes one loan, and tells whether it was there.
func (l *Library) delete(number string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, loan := range l.loans {
		if loan.Number == number {
			l.loans = append(l.loans[:i], l.loans[i+1:]...)
			return true
		}
	}
	return false
}
