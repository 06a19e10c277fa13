package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// maxCarried bounds the identifiers that a request takes over from earlier ones of the
// same person: more than anybody leaves behind.
const maxCarried = 100

// lookBack looks for other requests of the person: the holds that are on in them hold for
// an erasure as well, and the identifiers by which an earlier erasure found what it had to
// keep lead there again.
func (k *Keeper) lookBack(ctx context.Context, requestID string) error {
	s, err := k.Requests.State(ctx, requestID)
	if err != nil {
		return err
	}
	c := core.LookBack{Now: k.Now()}
	seen := map[string]bool{requestID: true}
	for _, id := range s.Unlooked() {
		c.LookedUp = append(c.LookedUp, id.Fingerprint)
		value, known, err := k.prints().Value(ctx, requestID, id)
		if err != nil {
			return err
		}
		if !known {
			continue
		}
		rows, err := k.Journal.ByFingerprint(ctx, k.Vault.Fingerprint(id.Type, value), journal.MaxList)
		if err != nil {
			return fmt.Errorf("earlier requests: %w", err)
		}
		for _, row := range rows {
			if seen[row.RequestID] {
				continue
			}
			seen[row.RequestID] = true
			other, err := k.Requests.State(ctx, row.RequestID)
			if err != nil {
				return fmt.Errorf("request %s: %w", row.RequestID, err)
			}
			if s.Right == dsar.Erasure {
				for _, h := range other.Holds {
					c.Holds = append(c.Holds, core.HoldPlaced{ReasonedAct: core.ReasonedAct{By: core.ByPolicy, Reason: "a hold is on in request " + row.RequestID, At: c.Now}, System: h.System, Dataset: h.Dataset})
				}
			}
			if err := k.carry(ctx, &c, s, other, id, value); err != nil {
				return err
			}
		}
	}
	_, err = k.Requests.Do(ctx, requestID, c)
	return err
}

// carry takes over the identifiers by which an earlier erasure of the same person found
// what it had to keep, sealed anew: the ones that the person gives now may lead nowhere any
// more. They are worth what the identifier is worth by which the person is found again, and
// nothing where that was merely claimed then.
func (k *Keeper) carry(ctx context.Context, c *core.LookBack, s, other core.State, by dsar.Identifier, value string) error {
	told := slices.ContainsFunc(s.Accepted.Kept, func(kept core.KeptEarlier) bool {
		return kept.RequestID == other.Accepted.RequestID && kept.From == by.Fingerprint
	})
	if !told {
		return nil
	}
	usable := other.Usable()
	if same, err := k.prints().Among(ctx, other, usable, by.Type, value); err != nil || !same {
		return err
	}
	before, err := k.Vault.Keys(ctx, other.Accepted.RequestID)
	if errors.Is(err, vault.ErrShredded) {
		return nil // what was kept is told; by what it was found nobody knows any more
	}
	if err != nil {
		return fmt.Errorf("request %s: %w", other.Accepted.RequestID, err)
	}
	now, err := k.Vault.Keys(ctx, s.Accepted.RequestID)
	if err != nil {
		return err
	}
	for _, id := range usable {
		if len(s.Identifiers)+len(c.Identifiers) >= maxCarried {
			return nil
		}
		value, err := before.Open(id.Sealed, vault.Identifier)
		if errors.Is(err, vault.ErrShredded) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("request %s: an identifier can't be opened: %w", other.Accepted.RequestID, err)
		}
		print, err := k.prints().In(ctx, s, id.Type, string(value))
		if err != nil {
			return err
		}
		same := func(known dsar.Identifier) bool { return known.Fingerprint == print }
		if slices.ContainsFunc(s.Identifiers, same) || slices.ContainsFunc(c.Identifiers, same) {
			continue
		}
		sealed, err := now.Seal(value, vault.Identifier)
		if err != nil {
			return err
		}
		c.Identifiers = append(c.Identifiers, dsar.Identifier{Type: id.Type, Fingerprint: print, Sealed: sealed,
			Assurance: dsar.AssuranceFound, FoundBy: dsar.EarlierRequest, From: by.Fingerprint})
	}
	return nil
}
