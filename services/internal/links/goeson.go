package links

import (
	"context"
	"fmt"
	"slices"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

// GoesOn returns the other requests of the person in which a hold goes on that was lifted on
// this one ([core.State.GoesOnIn]): it came over when they were taken in, and keeps there what
// it kept until it is lifted there, too. None are found by identifiers that are forgotten.
func GoesOn(ctx context.Context, state StateOf, j journal.Lister, p lifecycle.Prints, lifted core.State) (ids []string, err error) {
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
			if lifted.GoesOnIn(other) {
				ids = append(ids, row.RequestID)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// StateOf returns a request's state.
type StateOf func(ctx context.Context, requestID string) (core.State, error)
