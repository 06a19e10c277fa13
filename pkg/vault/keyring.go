package vault

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// sealedRoots are a request's roots as they lie in the key store.
type sealedRoots [rootCount][]byte

func (s sealedRoots) equal(o sealedRoots) bool {
	for i := range s {
		if !bytes.Equal(s[i], o[i]) {
			return false
		}
	}
	return true
}

func (s sealedRoots) allEnded() bool {
	for _, blob := range s {
		if !isEnded(blob) {
			return false
		}
	}
	return true
}

// CreateKeys returns the request's keys, and creates them where it has none.
// It never replaces any: of many that create at the same time, all get the
// same. [ErrShredded] where all of them were destroyed.
func (v *Vault) CreateKeys(ctx context.Context, requestID string) (*Keys, error) {
	if err := checkRequestID(requestID); err != nil {
		return nil, err
	}
	if k := v.cache.fresh(requestID); k != nil {
		return k, nil
	}
	before := v.cache.epoch()
	sealers, err := v.sealers(ctx)
	if err != nil {
		return nil, fmt.Errorf("vault: create keys of request %s: %w", requestID, err)
	}
	sealed, secrets, made, err := makeRoots(ctx, v.keys, requestID, func(which Root, plain, secret []byte) (w wrapped, err error) {
		w.by = byMaster
		if which == SubjectRoot && len(sealers) > 0 {
			w.part = partOf(requestID, secret).seal(sealers[0].parts, requestID)
		}
		w.sealed, err = v.wrap(ctx, plain)
		return w, err
	})
	if err != nil {
		return nil, err
	}
	if !made {
		return v.Keys(ctx, requestID)
	}
	if k, kept := v.cache.put(requestID, openKeys(requestID, secrets, v.identifiers), sealed, before); kept {
		return k, nil
	}
	return v.Keys(ctx, requestID)
}

// makeRoots makes a request's roots, as they lie in the key store, wrapped by wrap, and as they
// are. It reports whether it did: it doesn't where another was first, or died half way.
func makeRoots(ctx context.Context, keys KeyStore, requestID string, wrap func(which Root, plain, secret []byte) (wrapped, error)) (sealed sealedRoots, secrets [rootCount][]byte, made bool, err error) {
	var exists [rootCount]bool
	for which := range rootCount {
		if sealed[which], secrets[which], err = makeRoot(requestID, which, wrap); err != nil {
			break
		}
	}
	if err == nil {
		exists, err = createRoots(ctx, keys, requestID, sealed)
	}
	if err != nil {
		return sealed, secrets, false, fmt.Errorf("vault: create keys of request %s: %w", requestID, err)
	}
	return sealed, secrets, !slices.Contains(exists[:], true), nil
}

// makeRoot makes a fresh root, wrapped and as it is.
func makeRoot(requestID string, which Root, wrap func(which Root, plain, secret []byte) (wrapped, error)) (sealed, secret []byte, err error) {
	plain, err := newRoot(requestID, which)
	if err != nil {
		return nil, nil, err
	}
	defer clear(plain)
	if secret, err = parseRoot(requestID, which, plain); err != nil {
		return nil, nil, err
	}
	w, err := wrap(which, plain, secret)
	if err != nil {
		return nil, nil, err
	}
	sealed, err = w.bytes()
	return sealed, secret, err
}

// readRoots reads a request's roots as they lie in the key store. [ErrNoKeys] where none were
// created, [ErrShredded] where all of them were destroyed. Keys that a cache has of what another
// process has ended end.
func readRoots(ctx context.Context, keys KeyStore, c *cache, requestID string) (sealed sealedRoots, err error) {
	for which := range rootCount {
		if sealed[which], err = keys.ReadKey(ctx, rootName(requestID, which)); err != nil {
			return sealed, fmt.Errorf("vault: request %s: %w", requestID, err)
		}
	}
	for which, blob := range sealed {
		if isEnded(blob) {
			c.endedElsewhere(requestID, Root(which))
		}
	}
	if sealed.allEnded() {
		return sealed, fmt.Errorf("vault: request %s: %w", requestID, ErrShredded)
	}
	return sealed, nil
}

// Keys returns the keys of a request. [ErrNoKeys] where none were created,
// [ErrShredded] where all of them were destroyed. Where one root was ended, what comes
// of it answers [ErrShredded], and the rest goes on.
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

// readKeys reads keys from the key store. They are not kept where something was
// shredded while it read: it may have been these.
func (v *Vault) readKeys(ctx context.Context, requestID string) (k *Keys, kept bool, err error) {
	before := v.cache.epoch()
	sealed, err := readRoots(ctx, v.keys, v.cache, requestID)
	if err != nil {
		return nil, false, err
	}
	// What was opened once needn't be unwrapped again: the master key may be a
	// service that counts calls.
	if k := v.cache.renew(requestID, sealed); k != nil {
		return k, true, nil
	}
	var secrets [rootCount][]byte
	for which, blob := range sealed {
		if isEnded(blob) {
			continue
		}
		var plain []byte
		w, err := parseWrapped(blob)
		if err == nil {
			plain, err = v.unwrapRoot(ctx, w, requestID, Root(which))
		}
		if err == nil {
			secrets[which], err = parseRoot(requestID, Root(which), plain)
			clear(plain)
		}
		if err != nil {
			return nil, false, fmt.Errorf("vault: keys of request %s: %w", requestID, err)
		}
	}
	k, kept = v.cache.put(requestID, openKeys(requestID, secrets, v.identifiers), sealed, before)
	return k, kept, nil
}

// End destroys one of the request's roots, and with it every key that comes of it:
// afterwards nothing that was sealed by one of them can be opened, wherever copies of
// it lie, and nothing be sealed. What comes of the other root goes on. Ending again is
// no error. The objects stay, unreadable, until they are deleted
// ([Objects.DeleteObjects]).
func (v *Vault) End(ctx context.Context, requestID string, which Root) error {
	if err := checkRequestID(requestID); err != nil {
		return err
	}
	if err := endRoot(ctx, v.keys, requestID, which); err != nil {
		return err
	}
	v.cache.forget(requestID, which)
	return nil
}

// endRoot puts a mark in a root's place, in one step: there is no moment without either, in
// which it could be created anew.
func endRoot(ctx context.Context, keys KeyStore, requestID string, which Root) error {
	if err := keys.ReplaceKey(ctx, rootName(requestID, which), endedMark); err != nil {
		return fmt.Errorf("vault: end the %s of request %s: %w", which, requestID, err)
	}
	return nil
}

// Shred ends both roots of a request and deletes its objects. Shredding again is no
// error, and goes on where it failed before.
func (v *Vault) Shred(ctx context.Context, requestID string) error {
	for which := range rootCount {
		if err := v.End(ctx, requestID, which); err != nil {
			return err
		}
	}
	if err := v.deleteAll(ctx, requestID); err != nil {
		return fmt.Errorf("vault: shred request %s: keys are destroyed, sealed objects are left: %w", requestID, err)
	}
	return nil
}
