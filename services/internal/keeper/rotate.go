package keeper

import (
	"context"
	"time"

	"habeas.dev/pkg/vault"
)

// GiveSealer gives the holder of the vault's sealing key its part of every request, and ends
// anew what was forgotten meanwhile. It returns of how many keys it did so, and of how many.
func GiveSealer(ctx context.Context, v *vault.Vault, l *List, has Journalled, now time.Time) (given, all int, err error) {
	if given, all, err = v.GiveSealer(ctx); err != nil || given == 0 {
		return given, all, err
	}
	_, _, err = l.Again(ctx, v, has, now)
	return given, all, err
}

// Rotate wraps the vault's keys by its master key, and ends anew what was forgotten
// meanwhile. It returns how many keys it wrapped, of how many.
func Rotate(ctx context.Context, v *vault.Vault, l *List, has Journalled, now time.Time) (rewrapped, all int, err error) {
	if rewrapped, all, err = v.Rewrap(ctx); err != nil {
		return rewrapped, all, err
	}
	_, _, err = l.Again(ctx, v, has, now)
	return rewrapped, all, err
}
