package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/untaken"
)

// maxUntaken bounds the keys that are destroyed at once: their requests' ids are in memory.
// What is more is destroyed by the next look.
const maxUntaken = 10_000

// TakenMeanwhileError says that a request was taken in while its keys were destroyed, which were
// left for a day and more before it came again: it can't be carried out.
type TakenMeanwhileError struct{ RequestID string }

func (e *TakenMeanwhileError) Error() string {
	return "request " + e.RequestID + " came again and was taken in while the keys were destroyed that it had left: it can't be carried out; cancel it, and have it submitted under another id"
}

// EndUntaken destroys the keys of requests that were never taken in, where they have been left
// for [untaken.For], and returns of how many. Keys that the vault had before since are left alone:
// a journal that was restored from an older copy, and reconciled then, has lost requests that its
// callers may send again. So are those of a request that the list of heads names: it was in the
// journal, and somebody deleted it, which an audit tells. Where the key store doesn't know when
// keys were written, or can't list them, none are destroyed.
func (k *Keeper) EndUntaken(ctx context.Context, since time.Time) (n int, err error) {
	left := map[string]bool{}
	errEnough := errors.New("enough")
	err = k.Vault.EachWritten(ctx, func(id string, written time.Time) error {
		if !dsar.ValidRequestID(id) || !untaken.Over(written, k.Now()) || !written.After(since) {
			return nil
		}
		known, err := k.journalled(ctx, id)
		if err != nil || known {
			return err
		}
		if _, err := k.Vault.Keys(ctx, id); gone(err) {
			return nil
		} else if err != nil {
			return err
		}
		if left[id] = true; len(left) == maxUntaken {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, vault.ErrCantList) {
		return 0, nil
	}
	if err != nil && !errors.Is(err, errEnough) {
		return 0, err
	}
	if err := k.exceptListed(ctx, left); err != nil {
		return 0, err
	}
	for id := range left {
		known, err := k.journalled(ctx, id) // it may have come again
		if err == nil && !known {
			err = k.shred(ctx, id)
		}
		if err != nil {
			return n, err
		}
		if known {
			continue
		}
		n++
		if known, err = k.journalled(ctx, id); err != nil {
			return n, err
		} else if known {
			return n, &TakenMeanwhileError{id}
		}
	}
	return n, nil
}

// journalled reports whether the journal has a request. It has one whose row can't be read, which
// an audit names: that is no reason to leave the keys of all others.
func (k *Keeper) journalled(ctx context.Context, requestID string) (bool, error) {
	_, err := k.Journal.Row(ctx, requestID)
	var unreadable *journal.UnreadableError
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return false, nil
	case errors.As(err, &unreadable):
		return true, nil
	}
	return err == nil, err
}

// exceptListed takes out of some ids those that the list of heads names.
func (k *Keeper) exceptListed(ctx context.Context, ids map[string]bool) error {
	for place := int64(1); len(ids) > 0; {
		page, err := k.Journal.HeadsLinks(ctx, place, journal.MaxHeadsLinks)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, l := range page {
			heads, ok := journal.DecodeHeads(l.Heads)
			if !ok || l.Place != place {
				return fmt.Errorf("place %d of the list of heads isn't there as it was written: habeas audit says more", place)
			}
			for _, h := range heads {
				delete(ids, h.RequestID)
			}
			place++
		}
	}
	return nil
}

// RunUntaken destroys such keys until the context ends; since is as with [Keeper.EndUntaken]. How
// many, and what goes wrong, is told.
func (k *Keeper) RunUntaken(ctx context.Context, since func(context.Context) (time.Time, error), told func(n int, err error)) error {
	beat := time.NewTicker(untaken.Every)
	defer beat.Stop()
	for {
		n := 0
		from, err := since(ctx)
		if err == nil {
			n, err = k.EndUntaken(ctx, from)
		}
		if ctx.Err() == nil && (n > 0 || err != nil) {
			told(n, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
	}
}
