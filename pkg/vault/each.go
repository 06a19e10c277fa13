package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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

// DatedLister is a [NameLister] that knows when each key was last written.
type DatedLister interface {
	// KeysWritten calls f with the name of each key, and when it was created or last
	// replaced, by the clock of the store; in no order. An error of f ends it.
	KeysWritten(ctx context.Context, f func(name string, at time.Time) error) error
}

// KeysWritten implements DatedLister; the time is zero where the bucket doesn't know it.
func (b bucketKeys) KeysWritten(ctx context.Context, f func(name string, at time.Time) error) error {
	l, ok := b.bucket.(store.Dated)
	if !ok {
		return b.KeyNames(ctx, func(name string) error { return f(name, time.Time{}) })
	}
	return l.Written(ctx, keysPrefix, func(key string, at time.Time) error { return f(strings.TrimPrefix(key, keysPrefix), at) })
}

// EachWritten calls f with the id of each request that has or had keys, and when these were
// last written: created, ended, or wrapped anew by another master key; in no order. The time
// is zero where the key store doesn't know it. [ErrCantList] where it can't tell the names.
func (v *Vault) EachWritten(ctx context.Context, f func(requestID string, at time.Time) error) error {
	l, ok := v.keys.(DatedLister)
	if !ok {
		return v.EachRequest(ctx, func(id string) error { return f(id, time.Time{}) })
	}
	err := l.KeysWritten(ctx, func(name string, at time.Time) error {
		if id, ok := strings.CutSuffix(name, "."+SubjectRoot.String()); ok {
			return f(id, at)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("vault: keys: %w", err)
	}
	return nil
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

// maxNamed bounds the keys that an error names: where the wrong master key is given, it would
// name all.
const maxNamed = 20

// eachWhole calls f with the name of each key, in no order. A key that f can't open keeps it
// from no other: the error names those, once it has come to the end. Any other error of f
// ends it, since the next key would fail by it, too.
func (v *Vault) eachWhole(ctx context.Context, f func(name string) error) error {
	var damaged []string
	n := 0
	err := v.eachName(ctx, func(name string) error {
		err := f(name)
		if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrWrongKey) {
			return err
		}
		if n++; n <= maxNamed {
			damaged = append(damaged, name)
		}
		return nil
	})
	if n == 0 || err != nil {
		return err
	}
	more := ""
	if n > len(damaged) {
		more = fmt.Sprintf(" and %d more", n-len(damaged))
	}
	return fmt.Errorf("vault: %w (%s%s)", ErrUnopened, strings.Join(damaged, ", "), more)
}

// ErrUnopened says that some keys are as they were, since no master key opened them; all
// others were seen to.
var ErrUnopened = telemetry.Constant("some keys are damaged, or wrapped by a master key that isn't given, and are as they were; all others are done")
