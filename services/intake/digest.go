package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
)

// canonical returns what is hashed to tell "the same content again" from other content:
// the members in one order, the time in UTC, and the identifiers sorted. How something was
// written down isn't content (TestSameContent).
func canonical(s event.Submitted) ([]byte, error) {
	s.ReceivedAt = s.ReceivedAt.UTC()
	s.Subject.Identifiers = slices.Clone(s.Subject.Identifiers)
	slices.SortFunc(s.Subject.Identifiers, func(a, b event.SubjectIdentifier) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value), cmp.Compare(fmt.Sprint(a.Verified), fmt.Sprint(b.Verified)))
	})
	if d := s.Details; d != nil && len(d.Corrections) == 0 && len(d.Purposes) == 0 && d.Message == "" && !d.Lift {
		s.Details = nil // {} says nothing
	}
	out, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("intake: request %s: can't be written as JSON", s.RequestID)
	}
	return out, nil
}

// repeat answers a request that came before: the same again as the first time. Where its
// keys were destroyed nobody can tell whether it is the same.
func (in *Intake) repeat(ctx context.Context, state core.State, canonical []byte) (Receipt, error) {
	digest := in.Vault.Digest(canonical)
	if state.Accepted.OwnPrints {
		keys, err := in.Vault.Keys(ctx, state.Accepted.RequestID)
		if err == nil {
			digest, err = keys.Digest(canonical)
		}
		if errors.Is(err, vault.ErrShredded) {
			return Receipt{}, ErrShredded
		}
		if err != nil {
			return Receipt{}, fmt.Errorf("intake: %w", err)
		}
	}
	if state.Accepted.Digest != digest {
		return Receipt{}, ErrConflict
	}
	return in.receipt(state.Accepted), nil
}
