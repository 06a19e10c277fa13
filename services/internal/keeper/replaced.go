package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/correction"
	"habeas.dev/services/internal/prints"
)

// carryReplaced takes over the identifiers that a correction of the same person's has replaced:
// records that it didn't reach are still found by these. It goes one way: who has only a replaced
// one in common with the correction may be whom it was given to since, and takes over nothing.
func (k *Keeper) carryReplaced(ctx context.Context, c *core.LookBack, s core.State, other other) error {
	if !other.Corrected() || s.Stage != "" {
		return nil
	}
	replaced, err := k.replaced(ctx, other.State)
	if err != nil || len(replaced) == 0 {
		return err
	}
	rest := slices.DeleteFunc(other.Usable(), func(id dsar.Identifier) bool {
		return slices.ContainsFunc(replaced, func(r dsar.Identifier) bool { return r.Fingerprint == id.Fingerprint })
	})
	mine, err := k.prints().Values(ctx, s.Accepted.RequestID, s.Usable())
	if err != nil {
		return err
	}
	compared, err := k.prints().Compare(ctx, s, mine, other.State, rest)
	if err != nil || compared.By < 0 || compared.Sameness != core.SamePerson && !other.judged {
		return err
	}
	other.by = mine[compared.By].Fingerprint
	return k.carryOver(ctx, c, s, other, replaced, core.Carried{Request: other.Accepted.RequestID, Replaced: true})
}

// replaced returns the identifiers of a correction that are of a type of which it set another one;
// none where what it was about is forgotten.
func (k *Keeper) replaced(ctx context.Context, s core.State) ([]dsar.Identifier, error) {
	keys, err := k.Vault.Keys(ctx, s.Accepted.RequestID)
	var corrections []event.Correction
	if err == nil {
		corrections, err = correction.Of(keys, s)
	}
	if gone(err) || errors.Is(err, correction.ErrNotOne) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", s.Accepted.RequestID, err)
	}
	known, err := k.prints().Values(ctx, s.Accepted.RequestID, s.Usable())
	if err != nil {
		return nil, err
	}
	isNew := func(v prints.Value) bool {
		return slices.ContainsFunc(corrections, func(c event.Correction) bool { return k.Vault.Identifiers().Same(v.Type, v.Value, c.Value) })
	}
	var out []dsar.Identifier
	for _, v := range known {
		if !isNew(v) && slices.ContainsFunc(known, func(o prints.Value) bool { return o.Type == v.Type && isNew(o) }) {
			out = append(out, v.Identifier)
		}
	}
	return out, nil
}
