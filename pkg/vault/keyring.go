package vault

import (
	"context"
	"errors"
	"fmt"

	"habeas.dev/pkg/vault/internal/store"
)

// CreateKeys returns the request's keys, and creates them where it has none.
// It never replaces any: of many that create at the same time, all get the
// same. [ErrShredded] where they were destroyed.
func (v *Vault) CreateKeys(ctx context.Context, requestID string) (*Keys, error) {
	if err := checkRequestID(requestID); err != nil {
		return nil, err
	}
	if k := v.cache.fresh(requestID); k != nil {
		return k, nil
	}
	before := v.cache.epoch()
	k, plain, err := newKeys(requestID)
	if err != nil {
		return nil, fmt.Errorf("vault: create keys of request %s: %w", requestID, err)
	}
	sealed, err := v.wrap(ctx, plain)
	clear(plain)
	if err == nil {
		err = v.bucket.Put(ctx, keysKey(requestID), sealed, store.Create)
	}
	if errors.Is(err, store.ErrExists) {
		return v.Keys(ctx, requestID)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: create keys of request %s: %w", requestID, err)
	}
	if k, kept := v.cache.put(requestID, k, sealed, before); kept {
		return k, nil
	}
	return v.Keys(ctx, requestID)
}

// Keys returns the keys of a request. [ErrNoKeys] where none were created,
// [ErrShredded] where they were destroyed.
func (v *Vault) Keys(ctx context.Context, requestID string) (*Keys, error) {
	if err := checkRequestID(requestID); err != nil {
		return nil, err
	}
	if k := v.cache.fresh(requestID); k != nil {
		return k, nil
	}
	for range maxReads - 1 {
		if k, kept, err := v.readKeys(ctx, requestID); kept || err != nil {
			return k, err
		}
	}
	k, _, err := v.readKeys(ctx, requestID)
	return k, err
}

// maxReads bounds how often keys are read again because something was shredded
// meanwhile: once is the rule, and each more takes a shredding at that moment.
const maxReads = 4

// readKeys reads keys from the bucket. They are not kept where something was
// shredded while it read: it may have been these.
func (v *Vault) readKeys(ctx context.Context, requestID string) (k *Keys, kept bool, err error) {
	before := v.cache.epoch()
	sealed, err := get(ctx, v.bucket, keysKey(requestID))
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = ErrNoKeys
	case err == nil && isShredded(sealed):
		v.cache.forget(requestID)
		err = ErrShredded
	}
	if err != nil {
		return nil, false, fmt.Errorf("vault: request %s: %w", requestID, err)
	}
	// What was opened once needn't be unwrapped again: the master key may be a
	// service that counts calls.
	if k := v.cache.renew(requestID, sealed); k != nil {
		return k, true, nil
	}
	plain, err := v.unwrapKeys(ctx, sealed)
	if err == nil {
		k, err = parseKeys(requestID, plain)
		clear(plain)
	}
	if err != nil {
		return nil, false, fmt.Errorf("vault: keys of request %s: %w", requestID, err)
	}
	k, kept = v.cache.put(requestID, k, sealed, before)
	return k, kept, nil
}

// Shred destroys the request's keys and deletes its objects. Afterwards nothing
// that was sealed for it can be opened, nor anything be sealed. Shredding again
// is no error, and goes on where it failed before.
func (v *Vault) Shred(ctx context.Context, requestID string) error {
	if err := checkRequestID(requestID); err != nil {
		return err
	}
	// The mark replaces the keys in one step: there is no moment without either,
	// in which they could be created anew.
	if err := v.bucket.Put(ctx, keysKey(requestID), shreddedMark, store.Replace); err != nil {
		return fmt.Errorf("vault: shred request %s: %w", requestID, err)
	}
	v.cache.forget(requestID)
	if err := v.bucket.Remove(ctx, "objects/"+requestID+"/"); err != nil {
		return fmt.Errorf("vault: shred request %s: keys are destroyed, sealed objects are left: %w", requestID, err)
	}
	return nil
}
