package keeper

import (
	"context"
	"errors"
	"time"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/rejected"
)

// lookedBack is how many days back keys of rejected records are looked for: a coordinator
// that was away for longer than a year is a new installation.
const lookedBack = 400

// EndRejected destroys the keys of records that were rejected, where their time is over,
// and returns of how many days. Done again, it does nothing.
func (k *Keeper) EndRejected(ctx context.Context) (days int, err error) {
	last := rejected.LastOver(k.Now())
	return k.endRejected(ctx, last.AddDate(0, 0, 1-lookedBack), last)
}

// endRejected does it of the days from one to another.
func (k *Keeper) endRejected(ctx context.Context, first, last time.Time) (days int, err error) {
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		set := rejected.KeySet(day)
		if _, err := k.Vault.Keys(ctx, set); gone(err) {
			continue
		} else if err != nil {
			return days, err
		}
		if err := k.shred(ctx, set); err != nil {
			return days, err
		}
		days++
	}
	return days, nil
}

// shred lists and destroys keys that are no request's of the journal.
func (k *Keeper) shred(ctx context.Context, id string) error {
	for _, root := range []vault.Root{vault.SubjectRoot, vault.RecordsRoot} {
		if err := k.List.add(ctx, k.Vault, k.Now(), id, root.String()); err != nil {
			return err
		}
	}
	return k.Vault.Shred(ctx, id)
}

// ErrTaken says that keys are those of a request that the journal has.
var ErrTaken = errors.New("the journal has the request: it is forgotten when it has ended, without --never-taken")

// ForgetNeverTaken destroys the keys of a request that the journal doesn't have: they were
// made when it came, and it was never taken in.
func (k *Keeper) ForgetNeverTaken(ctx context.Context, requestID string) error {
	if known, err := k.journalled(ctx, requestID); err != nil {
		return err
	} else if known {
		return ErrTaken
	}
	if _, err := k.Vault.Keys(ctx, requestID); err != nil {
		return err
	}
	return k.shred(ctx, requestID)
}

// endRejectedEvery is the interval between two looks for rejected records' keys, whose time
// is over by the day.
const endRejectedEvery = time.Hour

// RunRejected ends rejected records' keys until the context ends. What goes wrong is given
// to failed, and tried again.
func (k *Keeper) RunRejected(ctx context.Context, failed func(error)) error {
	beat := time.NewTicker(endRejectedEvery)
	defer beat.Stop()
	first := rejected.LastOver(k.Now()).AddDate(0, 0, 1-lookedBack)
	for {
		last := rejected.LastOver(k.Now())
		if _, err := k.endRejected(ctx, first, last); err == nil {
			first = last // older ones are done, and none is made any more
		} else if ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
	}
}
