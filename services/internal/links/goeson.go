package links

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

// Going is another request of a person, with the holds that go on in it.
type Going struct {
	RequestID string
	Holds     []core.Held
}

// GoesOn returns the other requests of the person in which holds go on that were lifted on
// this one ([core.State.GoesOnIn]), by their ids: they came over when they were taken in, and
// keep there what they kept until they are lifted there, too. None are found by identifiers
// that are forgotten.
func GoesOn(ctx context.Context, state StateOf, j journal.Lister, p lifecycle.Prints, lifted core.State) (on []Going, err error) {
	if !lifted.HoldOver() {
		return nil, nil
	}
	of := lifted.Accepted.RequestID
	words, err := p.Across(ctx, of, lifted.Identifiers)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{of: true}
	for _, word := range words {
		err := journal.Each(ctx, j, word, func(row journal.Row) error {
			if seen[row.RequestID] {
				return nil
			}
			seen[row.RequestID] = true
			other, err := state(ctx, row.RequestID)
			if err != nil {
				return fmt.Errorf("request %s: %w", row.RequestID, err)
			}
			if holds := lifted.GoesOnIn(other); len(holds) > 0 {
				on = append(on, Going{row.RequestID, holds})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(on, func(a, b Going) int { return cmp.Compare(a.RequestID, b.RequestID) })
	return on, nil
}

// StateOf returns a request's state.
type StateOf func(ctx context.Context, requestID string) (core.State, error)
