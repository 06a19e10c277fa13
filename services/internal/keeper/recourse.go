package keeper

import (
	"context"
	"fmt"

	"habeas.dev/services/internal/core"
)

// recourse looks which of the requests that an erasure waits for are still open.
func (k *Keeper) recourse(ctx context.Context, requestID string) error {
	s, err := k.Requests.State(ctx, requestID)
	if err != nil {
		return err
	}
	c := core.AwaitEarlier{Now: k.Now()}
	for _, id := range s.After {
		other, err := k.Requests.State(ctx, id)
		if err != nil {
			return fmt.Errorf("request %s: %w", id, err)
		}
		if other.HoldsUp() {
			c.Open = append(c.Open, id)
		}
	}
	_, err = k.Requests.Do(ctx, requestID, c)
	return err
}
