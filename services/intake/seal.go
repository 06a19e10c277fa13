package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
)

// seal makes the request's first fact: from here on nothing of the person is in
// the clear.
func (in *Intake) seal(ctx context.Context, s event.Submitted, digest string) (core.Accepted, error) {
	j, _ := in.Policy.Jurisdiction(s.Jurisdiction)
	// The journal keeps microseconds: more would differ when read back.
	received, now := s.ReceivedAt.UTC().Truncate(time.Microsecond), in.Now().UTC().Truncate(time.Microsecond)
	a := core.Accepted{
		RequestID:    s.RequestID,
		Right:        s.Right,
		Jurisdiction: s.Jurisdiction,
		ReceivedAt:   received,
		AcceptedAt:   now,
		DueAt:        j.Due(received),
		Source:       s.Source,
		Locale:       s.Subject.Locale,
		Systems:      in.Catalogue,
		Digest:       digest,
		Terms:        j.Terms(received, in.checks(s)),
		Lease:        in.Lease,
	}
	keys, err := in.Vault.CreateKeys(ctx, s.RequestID)
	if errors.Is(err, vault.ErrShredded) {
		return a, ErrShredded
	}
	if err != nil {
		return a, fmt.Errorf("intake: %w", err)
	}
	if a.Identifiers, err = in.identifiers(keys, s.Subject.Identifiers); err != nil {
		return a, fmt.Errorf("intake: request %s: seal identifiers: %w", s.RequestID, err)
	}
	if s.Details != nil {
		plain, err := json.Marshal(s.Details)
		if err != nil {
			return a, fmt.Errorf("intake: request %s: details can't be written as JSON", s.RequestID)
		}
		if a.Details, err = keys.Seal(plain, vault.RequestDetails); err != nil {
			return a, fmt.Errorf("intake: request %s: seal details: %w", s.RequestID, err)
		}
	}
	return a, nil
}

// identifiers seals each identifier once: two that are the same to a system are
// one, verified if either is.
func (in *Intake) identifiers(keys *vault.Keys, given []event.SubjectIdentifier) ([]dsar.Identifier, error) {
	out := make([]dsar.Identifier, 0, len(given))
	at := make(map[string]int, len(given))
	for _, id := range given {
		fingerprint := in.Vault.Fingerprint(id.Type, id.Value)
		if i, twice := at[fingerprint]; twice {
			out[i].Verified = out[i].Verified || id.Verified
			continue
		}
		sealed, err := keys.Seal([]byte(identifier.Trim(id.Value)), vault.Identifier)
		if err != nil {
			return nil, err
		}
		at[fingerprint] = len(out)
		out = append(out, dsar.Identifier{Type: id.Type, Fingerprint: fingerprint, Sealed: sealed, Verified: id.Verified})
	}
	return out, nil
}
