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
// keep lead there again. Those that are being answered hear of an erasure before it begins.
func (k *Keeper) lookBack(ctx context.Context, requestID string) error {
	s, err := k.Requests.State(ctx, requestID)
	if err != nil {
		return err
	}
	if s.LooksForKept() {
		return k.lookForKept(ctx, s)
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
				if err := k.tellOfErasure(ctx, s, other, id, value); err != nil {
					return err
				}
				c.Holds = append(c.Holds, other.HoldsFor(c.Now)...)
			}
			if err := k.carry(ctx, &c, s, other, id, value); err != nil {
				return err
			}
		}
	}
	_, err = k.Requests.Do(ctx, requestID, c)
	return err
}

// tellOfErasure tells another request of the person, which is being answered, that an
// erasure is about to begin: it looks again at what that has left before it is answered.
func (k *Keeper) tellOfErasure(ctx context.Context, s, other core.State, by dsar.Identifier, value string) error {
	if other.Status.Ended() {
		return nil
	}
	if same, err := k.prints().Among(ctx, other, other.Usable(), by.Type, value); err != nil || !same {
		return err
	}
	_, err := k.Requests.Do(ctx, other.Accepted.RequestID, core.TakeKept{Of: []string{s.Accepted.RequestID}, Now: k.Now()})
	if err != nil {
		return fmt.Errorf("request %s: %w", other.Accepted.RequestID, err)
	}
	return nil
}

// lookForKept looks what the erasures of a person that a request knows of have left by now.
func (k *Keeper) lookForKept(ctx context.Context, s core.State) error {
	c := core.TakeKept{Of: s.Erasures, Now: k.Now()}
	for _, id := range s.Erasures {
		other, err := k.Requests.State(ctx, id)
		if err != nil {
			return fmt.Errorf("request %s: %w", id, err)
		}
		from, err := k.inCommon(ctx, s, other)
		if err != nil {
			return err
		}
		if from == "" {
			continue
		}
		if s.Right == dsar.Erasure { // by now it has erased what it found itself
			if other, err = k.Requests.Do(ctx, id, core.EraseShared{Of: s.Accepted.RequestID, Now: k.Now()}); err != nil {
				return fmt.Errorf("request %s: %w", id, err)
			}
		}
		for _, kept := range other.Kept(c.Now) {
			kept.From = from
			c.Kept = append(c.Kept, kept)
		}
	}
	_, err := k.Requests.Do(ctx, s.Accepted.RequestID, c)
	return err
}

// inCommon returns the fingerprint of an identifier that both requests have and that may be
// used in both; empty where there is none. What was compared before counts: by now the other
// one may be forgotten.
func (k *Keeper) inCommon(ctx context.Context, s, other core.State) (string, error) {
	for _, kept := range s.KeptElsewhere {
		if kept.RequestID == other.Accepted.RequestID {
			return kept.From, nil
		}
	}
	for _, id := range s.Usable() {
		value, known, err := k.prints().Value(ctx, s.Accepted.RequestID, id)
		if err != nil {
			return "", err
		}
		if !known {
			continue
		}
		if same, err := k.prints().Among(ctx, other, other.Usable(), id.Type, value); err != nil || same {
			return id.Fingerprint, err
		}
	}
	return "", nil
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
