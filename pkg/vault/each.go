package vault

import (
	"context"
	"fmt"
	"strings"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault/internal/store"
)

// NameLister is a [KeyStore] that lists its names: what an audit and a rotation of the
// master key need.
type NameLister interface {
	// KeyNames calls f with the name of each key, in no order. An error of f ends it.
	KeyNames(ctx context.Context, f func(name string) error) error
}

// ErrCantList says that the key store can't list its names.
var ErrCantList = telemetry.Constant("the key store can't list its keys")

// KeyNames implements NameLister.
func (b bucketKeys) KeyNames(ctx context.Context, f func(name string) error) error {
	l, ok := b.bucket.(store.Lister)
	if !ok {
		return ErrCantList
	}
	return l.Names(ctx, keysPrefix, func(key string) error { return f(strings.TrimPrefix(key, keysPrefix)) })
}

// EachRequest calls f with the id of each request that has or had keys, in no order.
// [ErrCantList] where the key store can't tell.
func (v *Vault) EachRequest(ctx context.Context, f func(requestID string) error) error {
	return v.eachName(ctx, func(name string) error {
		if id, ok := strings.CutSuffix(name, "."+SubjectRoot.String()); ok {
			return f(id)
		}
		return nil
	})
}

func (v *Vault) eachName(ctx context.Context, f func(name string) error) error {
	l, ok := v.keys.(NameLister)
	if !ok {
		return fmt.Errorf("vault: %w", ErrCantList)
	}
	if err := l.KeyNames(ctx, f); err != nil {
		return fmt.Errorf("vault: keys: %w", err)
	}
	return nil
}
