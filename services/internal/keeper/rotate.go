package keeper

import (
	"context"
	"errors"
	"time"

	"habeas.dev/pkg/vault"
)

// GiveSealer gives the holder of the vault's sealing key its part of every request. It
// returns of how many keys it did so, and of how many.
func GiveSealer(ctx context.Context, v *vault.Vault, l *List, has Journalled, now time.Time) (given, all int, err error) {
	return l.around(ctx, v, has, now, v.GiveSealer)
}

// Rotate wraps the vault's keys by its master key. It returns how many keys it wrapped, of
// how many.
func Rotate(ctx context.Context, v *vault.Vault, l *List, has Journalled, now time.Time) (rewrapped, all int, err error) {
	return l.around(ctx, v, has, now, v.Rewrap)
}

// around ends anew what was forgotten before and after something is done to all keys: before,
// since the keys may come from a backup, which it would hand on; after, whether it came to its
// end or not, since it may have brought back what was forgotten meanwhile.
func (l *List) around(ctx context.Context, v *vault.Vault, has Journalled, now time.Time, do func(context.Context) (int, int, error)) (some, all int, err error) {
	if _, _, err = l.Again(ctx, v, has, now); err != nil {
		return 0, 0, err
	}
	some, all, err = do(ctx)
	if some > 0 || err != nil {
		_, _, again := l.Again(context.WithoutCancel(ctx), v, has, now)
		err = errors.Join(err, again)
	}
	return some, all, err
}
