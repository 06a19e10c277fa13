// Package prints makes and compares fingerprints of identifiers.
//
// A request's facts hold fingerprints of its own: keyed hashes whose key comes of the
// request's root of identifiers, so that once that is ended nobody can try whether an
// address is one of theirs. Fingerprints across requests lie in a table of the journal's
// database alone, which is emptied for a request that is forgotten. Between the two there
// is no way but by an identifier's value.
//
// The facts of requests that were accepted before v0.2.0 hold the fingerprints across
// requests themselves ([core.Accepted.OwnPrints] tells them apart).
package prints

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

// Vault has the keys; vault.Vault does.
type Vault interface {
	Keys(ctx context.Context, requestID string) (*vault.Keys, error)
	Fingerprint(typ dsar.IdentifierType, value string) string
}

// Index finds requests by fingerprints across requests; the journal does.
type Index interface {
	ByFingerprint(ctx context.Context, fingerprint string, limit int) ([]journal.Row, error)
}

// Prints makes fingerprints. It is safe for use by many goroutines.
type Prints struct {
	Vault Vault
	// Index says which identifiers a request has whose keys are lost. [Prints.Compare] asks it.
	Index Index
}

// Across returns the fingerprints across requests of identifiers that a request's facts
// hold; none of what nobody can open any more.
func (p Prints) Across(ctx context.Context, requestID string, ids []dsar.Identifier) ([]string, error) {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		value, known, err := p.Value(ctx, requestID, id)
		if err != nil {
			return nil, err
		}
		if known {
			out = append(out, p.Vault.Fingerprint(id.Type, value))
		}
	}
	return out, nil
}

// Value opens an identifier; known is false where its request is forgotten.
func (p Prints) Value(ctx context.Context, requestID string, id dsar.Identifier) (value string, known bool, err error) {
	keys, err := p.Vault.Keys(ctx, requestID)
	if err == nil {
		var plain []byte
		if plain, err = keys.Open(id.Sealed, vault.Identifier); err == nil {
			return string(plain), true, nil
		}
	}
	if gone(err) {
		return "", false, nil
	}
	return "", false, fmt.Errorf("request %s: an identifier can't be opened: %w", requestID, err)
}

// In returns the fingerprint that the facts of a request have, or would have, of an
// identifier; empty where the request is forgotten, so that it is none of theirs.
func (p Prints) In(ctx context.Context, s core.State, typ dsar.IdentifierType, value string) (string, error) {
	if !s.Accepted.OwnPrints {
		return p.Vault.Fingerprint(typ, value), nil
	}
	keys, err := p.Vault.Keys(ctx, s.Accepted.RequestID)
	if err == nil {
		var print string
		if print, err = keys.Fingerprint(typ, value); err == nil {
			return print, nil
		}
	}
	if gone(err) {
		return "", nil
	}
	return "", err
}

// Value is an identifier with its value.
type Value struct {
	dsar.Identifier
	Value string
}

// Values opens identifiers of a request; what is forgotten isn't among them.
func (p Prints) Values(ctx context.Context, requestID string, ids []dsar.Identifier) ([]Value, error) {
	out := make([]Value, 0, len(ids))
	for _, id := range ids {
		value, known, err := p.Value(ctx, requestID, id)
		if err != nil {
			return nil, err
		}
		if known {
			out = append(out, Value{id, value})
		}
	}
	return out, nil
}

// Compare says whether identifiers of a request, of which the values are known, and some that
// another request's facts hold are of one person ([core.State.Compare]). Where the vault has lost the
// other one's keys, the index says what they have in common, and a person whose it is
// ([core.CompareUnread]): what it has left is never nobody's (TestKeysOfAnEarlierErasure).
func (p Prints) Compare(ctx context.Context, s core.State, mine []Value, other core.State, theirs []dsar.Identifier) (core.Comparison, error) {
	if _, err := p.Vault.Keys(ctx, other.Accepted.RequestID); errors.Is(err, vault.ErrNoKeys) {
		return p.unread(ctx, s, mine, other, theirs)
	}
	there := make([]dsar.Identifier, len(mine))
	for i, id := range mine {
		there[i] = dsar.Identifier{Type: id.Type, FoundBy: id.FoundBy}
		var err error
		if there[i].Fingerprint, err = p.In(ctx, other, id.Type, id.Value); err != nil {
			return core.Comparison{}, err
		}
	}
	return s.Compare(there, other, theirs), nil
}

// Print is an identifier of a request's facts as it is compared with those of any other: with its
// fingerprint across requests.
type Print struct {
	dsar.Identifier
	Own string // its fingerprint in the facts
}

// Comparable returns identifiers of a request as they are compared with those of any other; what
// is forgotten, or doesn't open, isn't among them.
func (p Prints) Comparable(ctx context.Context, requestID string, ids []dsar.Identifier) (out []Print, err error) {
	for _, id := range ids {
		value, known, err := p.Value(ctx, requestID, id)
		if err != nil && !errors.Is(err, vault.ErrCorrupt) {
			return nil, err
		}
		if known {
			out = append(out, Print{dsar.Identifier{Type: id.Type, Fingerprint: p.Vault.Fingerprint(id.Type, value)}, id.Fingerprint})
		}
	}
	return out, nil
}

// unread compares with a request whose keys are lost. Which of its identifiers is the one that
// the index knows can't be told: one of a type of which it has any that counts does.
func (p Prints) unread(ctx context.Context, s core.State, mine []Value, other core.State, theirs []dsar.Identifier) (core.Comparison, error) {
	ids, common := make([]dsar.Identifier, len(mine)), []int(nil)
	for i, id := range mine {
		ids[i] = id.Identifier
		if p.Index == nil || !slices.ContainsFunc(theirs, func(o dsar.Identifier) bool { return o.Type == id.Type }) {
			continue
		}
		rows, err := p.Index.ByFingerprint(ctx, p.Vault.Fingerprint(id.Type, id.Value), journal.MaxList)
		if err != nil {
			return core.Comparison{}, err
		}
		if slices.ContainsFunc(rows, func(r journal.Row) bool { return r.RequestID == other.Accepted.RequestID }) {
			common = append(common, i)
		}
	}
	return core.CompareUnread(ids, common, append(s.Household(), other.Household()...)), nil
}

// Among reports whether an identifier is one of some that a request's facts hold.
func (p Prints) Among(ctx context.Context, s core.State, ids []dsar.Identifier, typ dsar.IdentifierType, value string) (bool, error) {
	print, err := p.In(ctx, s, typ, value)
	if err != nil || print == "" {
		return false, err
	}
	for _, id := range ids {
		if id.Fingerprint == print {
			return true, nil
		}
	}
	return false, nil
}

// gone reports whether an error says that keys were destroyed, or never made.
func gone(err error) bool {
	return errors.Is(err, vault.ErrShredded) || errors.Is(err, vault.ErrNoKeys)
}
