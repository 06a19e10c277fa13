package keeper

import (
	"context"
	"time"

	"habeas.dev/pkg/vault"
)

// Rotate wraps the vault's keys by its master key, and ends anew what was forgotten
// meanwhile. It returns how many keys it wrapped, of how many.
func Rotate(ctx context.Context, v *vault.Vault, l *List, has Journalled, now time.Time) (rewrapped, all int, err error) {
	if rewrapped, all, err = v.Rewrap(ctx); err != nil {
		return rewrapped, all, err
	}
	_, _, err = l.Again(ctx, v, has, now)
	return rewrapped, all, err
}
