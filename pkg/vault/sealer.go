package vault

import (
	"context"
	"crypto/cipher"
	"crypto/hpke"
	"errors"
	"fmt"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

// Sealer makes requests' keys, seals, and compares, and opens nothing: for who takes
// requests in from outside. It has a [SealingKey] and the key store, and no master key. What
// it seals opens for whoever has the vault (TestSealer).
//
// It tells whether an identifier is one of a request's that isn't forgotten: it has to, to
// know a request that comes again, and a person who has asked before. It is safe for use by
// many goroutines and processes.
type Sealer struct {
	keys        KeyStore
	public      hpke.PublicKey
	id          halfID
	parts       []cipher.AEAD // the newest first
	index       indexer
	identifiers identifier.Rules
	cache       *cache // of keys that open nothing
	close       func() error
}

// OpenSealer opens the keys of a vault by its sealing key's file: cfg.Keys, cfg.KeyStore,
// cfg.Identifiers and cfg.Drivers say where and how, and nothing else of it is read.
func OpenSealer(ctx context.Context, cfg Config, path string) (*Sealer, error) {
	k, err := ReadSealingKey(path)
	if err != nil {
		return nil, err
	}
	keys, closeKeys := cfg.KeyStore, func() error { return nil }
	if keys == nil {
		b, err := openBucket(ctx, "Keys", cfg.Keys, false, cfg.Drivers)
		if err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		keys, closeKeys = KeysIn(b), func() error { return closeOf(b) }
	}
	s, err := NewSealer(ctx, keys, k, cfg.Identifiers)
	if err != nil {
		return nil, errors.Join(err, closeKeys())
	}
	s.close = closeKeys
	return s, nil
}

// NewSealer makes a sealer of a key store. A sealing key of another vault is refused.
func NewSealer(ctx context.Context, keys KeyStore, k SealingKey, rules identifier.Rules) (*Sealer, error) {
	public, err := publicHalf(k.Public)
	if err != nil || k.Version != sealingVersion || len(k.Parts) == 0 || len(k.Parts) > maxSealing || len(k.Index) != indexBytes {
		return nil, errNoKeyFile
	}
	s := &Sealer{keys: keys, public: public, id: idOf(public), index: newIndexer(k.Index), identifiers: rules, cache: newCache(maxCached), close: func() error { return nil }}
	for _, p := range k.Parts {
		if len(p) != rootBytes {
			return nil, errNoKeyFile
		}
		s.parts = append(s.parts, newAEAD(p))
	}
	return s, s.check(ctx)
}

var errAnotherVaults = errors.New("vault: the sealing key is another vault's: write this one's with habeas keys sealing")

var errNoKeyFile = errors.New("vault: sealing key: no file of habeas keys sealing")

// check holds the sealing key against those that the vault names.
func (s *Sealer) check(ctx context.Context) error {
	for number := range maxSealing {
		blob, err := s.keys.ReadKey(ctx, sealingName(number))
		if errors.Is(err, ErrNoKeys) {
			break
		}
		var w wrapped
		if err == nil {
			w, err = parseWrapped(blob)
		}
		if err != nil {
			return fmt.Errorf("vault: sealing key: %w", err)
		}
		if string(w.part) == string(s.id[:]) {
			return nil
		}
	}
	return errAnotherVaults
}

// Close releases the key store.
func (s *Sealer) Close() error {
	s.cache.drop()
	if err := s.close(); err != nil {
		return fmt.Errorf("vault: close: %w", err)
	}
	return nil
}

// CreateKeys returns the request's keys, and creates them where it has none, as
// [Vault.CreateKeys] does. Keys that it has created itself open what they sealed, and are
// remembered nowhere; others open nothing.
func (s *Sealer) CreateKeys(ctx context.Context, requestID string) (*Keys, error) {
	if err := checkRequestID(requestID); err != nil {
		return nil, err
	}
	if k := s.cache.fresh(requestID); k != nil {
		return k, nil
	}
	_, secrets, made, err := makeRoots(ctx, s.keys, requestID, func(which Root, plain, secret []byte) (w wrapped, err error) {
		w.by = byPublic
		if which == SubjectRoot {
			w.part = partOf(requestID, secret).seal(s.parts[0], requestID)
		}
		to, err := sealTo(s.public, bind("root", requestID, which.String()), plain)
		w.sealed = append(s.id[:], to...)
		return w, err
	})
	if err != nil {
		return nil, err
	}
	if !made {
		return s.Keys(ctx, requestID)
	}
	return openKeys(requestID, secrets, s.identifiers), nil
}

// Keys returns keys of a request that seal, and make its fingerprints and digests, and open
// nothing: that is [ErrSealsOnly]. [ErrNoKeys] where none were created, [ErrShredded] where
// all of them were destroyed, [ErrNoPart] where they were made by who gave this one no part.
func (s *Sealer) Keys(ctx context.Context, requestID string) (*Keys, error) {
	if err := checkRequestID(requestID); err != nil {
		return nil, err
	}
	if k := s.cache.fresh(requestID); k != nil {
		return k, nil
	}
	before := s.cache.epoch()
	sealed, err := readRoots(ctx, s.keys, s.cache, requestID)
	if err != nil {
		return nil, err
	}
	k := &Keys{requestID: requestID, identifiers: s.identifiers}
	for which, blob := range sealed {
		k.roots[which].ended.Store(isEnded(blob))
	}
	if !k.Ended(SubjectRoot) {
		w, err := parseWrapped(sealed[SubjectRoot])
		if err != nil {
			return nil, fmt.Errorf("vault: keys of request %s: %w", requestID, err)
		}
		p, err := openPart(s.parts, requestID, w.part)
		if err != nil {
			return nil, fmt.Errorf("vault: keys of request %s: %w", requestID, err)
		}
		k.part = &p
	}
	k, _ = s.cache.put(requestID, k, sealed, before)
	return k, nil
}

// Shred ends both roots of a request, as [Vault.Shred] does. Objects of it there MUST be
// none: it was never taken in.
func (s *Sealer) Shred(ctx context.Context, requestID string) error {
	if err := checkRequestID(requestID); err != nil {
		return err
	}
	for which := range rootCount {
		if err := endRoot(ctx, s.keys, requestID, which); err != nil {
			return err
		}
		s.cache.forget(requestID, which)
	}
	return nil
}

// Identifiers returns the equivalences that fingerprints are made by.
func (s *Sealer) Identifiers() identifier.Rules { return s.identifiers }

// Fingerprint returns what [Vault.Fingerprint] does.
func (s *Sealer) Fingerprint(typ dsar.IdentifierType, value string) string {
	return s.index.fingerprint(s.identifiers, typ, value)
}

// Digest returns what [Vault.Digest] does.
func (s *Sealer) Digest(data []byte) string { return s.index.digest(data) }
