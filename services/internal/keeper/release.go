package keeper

import (
	"context"
	"fmt"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

// release tells every erasure that kept something for a hold that one of the request's
// holds is over. It finds out itself whether another one still keeps it.
func (k *Keeper) release(ctx context.Context, requestID string) error {
	var told []string
	err := journal.Each(ctx, k.Journal, lifecycle.IndexKept, func(row journal.Row) error {
		if row.RequestID == requestID {
			return nil
		}
		before, err := k.Requests.State(ctx, row.RequestID)
		if err != nil {
			return fmt.Errorf("request %s: %w", row.RequestID, err)
		}
		after, err := k.Requests.Do(ctx, row.RequestID, core.HoldEndedElsewhere{Of: requestID, Now: k.Now()})
		if err != nil {
			return fmt.Errorf("request %s: %w", row.RequestID, err)
		}
		if after.Version > before.Version && len(told) < maxTold {
			told = append(told, row.RequestID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = k.Requests.Do(ctx, requestID, core.Released{Requests: told, Now: k.Now()})
	return err
}

// maxTold bounds how many of the requests that were told are named in the fact.
const maxTold = 1000
