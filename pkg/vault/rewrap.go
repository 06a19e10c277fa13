package vault

import (
	"context"
	"errors"
	"fmt"

	"habeas.dev/pkg/telemetry"
)

// masters wraps by one master key, and opens by several.
type masters struct {
	Master
	old []Master
}

// Decrypt implements Master.
func (m *masters) Decrypt(ctx context.Context, sealed []byte) ([]byte, error) {
	plain, err := m.Master.Decrypt(ctx, sealed)
	for _, old := range m.old {
		if !errors.Is(err, ErrWrongKey) {
			break
		}
		plain, err = old.Decrypt(ctx, sealed)
	}
	return plain, err
}

// ErrNoOldKeys says that there is nothing to rotate from.
var ErrNoOldKeys = telemetry.Constant("no old master key is named: put the new one first, and the old one among the old keys")

// Rewrap wraps anew, by the master key, what one of the old keys wrapped. Everything can
// run meanwhile, as long as every process knows both keys; what it has done it needn't do
// again. It returns how many keys it wrapped anew, of how many. A key that can't be opened
// keeps no other from it: it stays as it was, and the error names it (TestDamagedKeys).
//
// A root that another process ends at the same moment may come back: callers MUST end
// anew afterwards what was listed as forgotten meanwhile (TestRotate in keeper).
func (v *Vault) Rewrap(ctx context.Context) (rewrapped, all int, err error) {
	m, ok := v.master.(*masters)
	if !ok {
		return 0, 0, ErrNoOldKeys
	}
	err = v.eachWhole(ctx, func(name string) error {
		if name == forgottenKey {
			return nil
		}
		all++
		done, err := v.rewrap(ctx, m.Master, name)
		if done {
			rewrapped++
		}
		return err
	})
	return rewrapped, all, err
}

// wrappedKey reads a key as it is wrapped, and as it lies there: nil where it is gone or
// destroyed.
func (v *Vault) wrappedKey(ctx context.Context, name string) (w wrapped, blob []byte, err error) {
	blob, err = v.keys.ReadKey(ctx, name)
	if errors.Is(err, ErrNoKeys) || err == nil && isEnded(blob) {
		return w, nil, nil
	}
	if err != nil {
		return w, nil, err
	}
	if w, err = parseWrapped(blob); err != nil {
		return w, nil, fmt.Errorf("%s: %w", name, err)
	}
	return w, blob, nil
}

// rewrap wraps one key anew, where an old master key wrapped it, or it is sealed to a
// sealing key, which an old master key may have wrapped.
func (v *Vault) rewrap(ctx context.Context, newest Master, name string) (bool, error) {
	w, blob, err := v.wrappedKey(ctx, name)
	if err != nil || blob == nil {
		return false, err
	}
	if w.by == byMaster {
		if plain, err := unwrapBy(ctx, newest, w.sealed); !errors.Is(err, ErrWrongKey) {
			clear(plain)
			return false, err
		}
	}
	plain, err := v.unwrapAny(ctx, name, w)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	defer clear(plain)
	w.by = byMaster
	if w.sealed, err = v.wrap(ctx, plain); err != nil {
		return false, err
	}
	return v.replaceUnchanged(ctx, name, blob, w)
}

// unwrapAny opens any key of the key store.
func (v *Vault) unwrapAny(ctx context.Context, name string, w wrapped) ([]byte, error) {
	if w.by == byMaster {
		return v.unwrapKeys(ctx, w.sealed)
	}
	requestID, which, ok := rootOfName(name)
	if !ok {
		return nil, ErrCorrupt
	}
	return v.unwrapRoot(ctx, w, requestID, which)
}
