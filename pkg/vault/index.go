package vault

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

// indexer is the keyed hash by which things are found again without being
// readable: HMAC-SHA-256 (RFC 2104) under a key that the master key wraps.
type indexer struct{ pool *sync.Pool } // of hash.Hash

func newIndexer(key []byte) indexer {
	return indexer{&sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// The index key is one of fingerprints and digests, and one of secrets ([Vault.Secret]),
// which the holder of a sealing key doesn't have. A vault that was set up before v0.2.0 has
// one key for both, which the sealing key's holder has.
const (
	indexMagic1 = "habeas index 1\n"
	indexMagic  = "habeas index 2\n"
	indexBytes  = 32
)

// parseIndex returns the keys of the kept form.
func parseIndex(plain []byte) (index, secrets []byte, err error) {
	if old, ok := bytes.CutPrefix(plain, []byte(indexMagic1)); ok && len(old) == indexBytes {
		return old, old, nil
	}
	if both, ok := bytes.CutPrefix(plain, []byte(indexMagic)); ok && len(both) == 2*indexBytes {
		return both[:indexBytes], both[indexBytes:], nil
	}
	return nil, nil, ErrCorrupt
}

// openIndex reads the index key, or makes it where the key store is new.
func (v *Vault) openIndex(ctx context.Context) error {
	sealed, err := v.keys.ReadKey(ctx, indexKey)
	if errors.Is(err, ErrNoKeys) {
		plain := append([]byte(indexMagic), make([]byte, 2*indexBytes)...)
		rand.Read(plain[len(indexMagic):]) // never fails
		if sealed, err = v.wrap(ctx, plain); err != nil {
			return err
		}
		err = v.keys.CreateKey(ctx, indexKey, sealed)
		if errors.Is(err, ErrKeyExists) { // another process was first
			sealed, err = v.keys.ReadKey(ctx, indexKey)
		}
	}
	if err != nil {
		return fmt.Errorf("index key: %w", err)
	}
	plain, err := v.unwrap(ctx, sealed)
	if err != nil {
		return err
	}
	index, secrets, err := parseIndex(plain)
	if err != nil {
		return fmt.Errorf("index key: %w", err)
	}
	v.sealedIndex, v.indexSecret = sealed, index
	v.index, v.secrets = newIndexer(index), newIndexer(secrets)
	return nil
}

// sum hashes the parts, each ended by a zero byte save the last: only the last
// one may hold any.
func (x indexer) sum(parts ...string) string {
	h := x.pool.Get().(hash.Hash)
	defer x.pool.Put(h)
	h.Reset()
	buf := make([]byte, 0, 256)
	for i, p := range parts {
		if i > 0 {
			buf = append(buf, 0)
		}
		buf = append(buf, p...)
	}
	h.Write(buf)
	var out [sha256.Size]byte
	return hex.EncodeToString(h.Sum(out[:0]))
}

// Identifiers returns the equivalences that fingerprints are made by.
func (v *Vault) Identifiers() identifier.Rules { return v.identifiers }

// Fingerprint returns the keyed hash of an identifier, in 64 hex digits: the same
// for two writings of one identifier ([identifier.Rules]), and for no others. It can't be
// computed or searched without this vault's master key, or its sealing key.
func (v *Vault) Fingerprint(typ dsar.IdentifierType, value string) string {
	return v.index.fingerprint(v.identifiers, typ, value)
}

func (x indexer) fingerprint(rules identifier.Rules, typ dsar.IdentifierType, value string) string {
	return x.sum("fingerprint", string(typ), rules.Normalise(typ, value))
}

// Digest returns the keyed hash of any content, in 64 hex digits, for telling
// whether the same came again. It is no fingerprint, also of the same bytes.
func (v *Vault) Digest(data []byte) string { return v.index.digest(data) }

func (x indexer) digest(data []byte) string {
	h := x.pool.Get().(hash.Hash)
	defer x.pool.Put(h)
	h.Reset()
	h.Write([]byte("digest\x00"))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// Secret returns a key of 32 bytes for a purpose, the same for every process on
// this vault. Who has the master key can compute it, and nobody else, but for a vault that
// was set up before v0.2.0: there the holder of a sealing key can, too. It is no
// fingerprint and no digest, whatever the purpose (TestSecrets).
func (v *Vault) Secret(purpose string) []byte {
	key, _ := hex.DecodeString(v.secrets.sum("secret", purpose)) // sum writes hex
	return key
}
