package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
var ErrNoOldKeys = errors.New("no old master key is named: put the new one first, and the old one among the old keys")

// Rewrap wraps anew, by the master key, what one of the old keys wrapped. Everything can
// run meanwhile, as long as every process knows both keys; what it has done it needn't do
// again. It returns how many keys it wrapped anew, of how many.
//
// A root that another process ends at the same moment may come back: callers MUST end
// anew afterwards what was listed as forgotten meanwhile (TestRotate in keeper).
func (v *Vault) Rewrap(ctx context.Context) (rewrapped, all int, err error) {
	m, ok := v.master.(*masters)
	if !ok {
		return 0, 0, ErrNoOldKeys
	}
	err = v.eachName(ctx, func(name string) error {
		if name == forgottenKey {
			return nil
		}
		all++
		done, err := v.rewrap(ctx, m, name)
		if done {
			rewrapped++
		}
		return err
	})
	return rewrapped, all, err
}

// rewrap wraps one key anew, where an old master key wrapped it.
func (v *Vault) rewrap(ctx context.Context, m *masters, name string) (bool, error) {
	sealed, err := v.keys.ReadKey(ctx, name)
	if errors.Is(err, ErrNoKeys) || err == nil && isEnded(sealed) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, masterTimeout)
	defer cancel()
	if plain, err := m.Master.Decrypt(ctx, sealed); !errors.Is(err, ErrWrongKey) {
		clear(plain)
		return false, err
	}
	plain, err := m.Decrypt(ctx, sealed)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	defer clear(plain)
	anew, err := m.Encrypt(ctx, plain)
	if err != nil {
		return false, err
	}
	if now, err := v.keys.ReadKey(ctx, name); err != nil || !bytes.Equal(now, sealed) {
		return false, err // it was ended meanwhile
	}
	return true, v.keys.ReplaceKey(ctx, name, anew)
}
