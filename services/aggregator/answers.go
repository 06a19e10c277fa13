package aggregator

import (
	"context"
	"errors"
	"fmt"

	"filippo.io/age"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/outbox"
)

// Answers are the answers in the outbox, for whoever forgets them.
type Answers struct {
	Vault  *vault.Vault
	Outbox *blob.Bucket
}

// Opens reports whether anything of the answer to a request with so many addenda can be
// opened: what is sealed by a key of the vault where that key is there, and all else where it
// lies there.
func (a Answers) Opens(ctx context.Context, requestID string, addenda int) (bool, error) {
	keys, err := a.Vault.Keys(ctx, requestID)
	if err != nil && !errors.Is(err, vault.ErrShredded) && !errors.Is(err, vault.ErrNoKeys) {
		return false, fmt.Errorf("aggregator: %w", err)
	}
	for _, name := range outbox.OfAnswer(requestID, addenda) {
		if opens, err := a.opens(ctx, name, keys); opens || err != nil {
			return opens, err
		}
	}
	return false, nil
}

// opens reports whether an object is there and can be opened; keys is nil where they are
// destroyed.
func (a Answers) opens(ctx context.Context, name string, keys *vault.Keys) (bool, error) {
	if outbox.Parse(name).Kind.Sealed() {
		return a.unseals(ctx, name, keys)
	}
	there, err := a.Outbox.Exists(ctx, name)
	if err != nil {
		return false, fmt.Errorf("aggregator: %s: %w", name, err)
	}
	return there, nil
}

// unseals reports whether an object is there and opens by a key of the vault.
func (a Answers) unseals(ctx context.Context, name string, keys *vault.Keys) (bool, error) {
	if keys == nil {
		return false, nil
	}
	sealed, err := a.Outbox.NewReader(ctx, name, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("aggregator: %s: %w", name, err)
	}
	_, err = age.Decrypt(sealed, bundleKey{keys})
	_ = sealed.Close() // it was only read
	return err == nil, nil
}
