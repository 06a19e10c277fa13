package vault

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync/atomic"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

// Keys are the keys of one request. They are safe for use by many goroutines.
// Once a root was ended by this process, what comes of it answers [ErrShredded];
// callers MUST NOT hold them longer than one piece of work, since an end in another
// process doesn't reach them.
type Keys struct {
	requestID string
	roots     [rootCount]rootKeys
	// part is what a [Sealer] has of the request; nil where the roots are known.
	part *part
	// identifiers are the equivalences that fingerprints are made by.
	identifiers identifier.Rules
}

// rootKeys are what is derived from one root.
type rootKeys struct {
	secret []byte
	small  []byte      // the secret of small values
	values cipher.AEAD // of small values
	ended  atomic.Bool
}

// setSmall has the keys seal and open small values by a secret.
func (r *rootKeys) setSmall(secret []byte) { r.small, r.values = secret, newAEAD(secret) }

// openKeys derives the keys of a request from its roots; nil stands for one that was
// ended.
func openKeys(requestID string, secrets [rootCount][]byte, rules identifier.Rules) *Keys {
	k := &Keys{requestID: requestID, identifiers: rules}
	for i, secret := range secrets {
		r := &k.roots[i]
		if secret == nil {
			r.ended.Store(true)
			continue
		}
		r.secret = secret
		r.setSmall(derive(secret, "values", requestID))
	}
	return k
}

// Seal seals a small value (it is held in memory, twice) as what it is, for this
// request. The result is 28 bytes longer, 48 where it is by keys of a [Sealer] that others
// have made.
func (k *Keys) Seal(plain []byte, kind Kind) ([]byte, error) {
	if kind == (Kind{}) {
		return nil, k.errorf(errNoKind)
	}
	r := &k.roots[kind.root]
	if r.ended.Load() {
		return nil, k.errorf(ErrShredded)
	}
	at := bind("value", k.requestID, kind.word)
	switch {
	case r.values != nil:
		return r.values.Seal(nil, nil, plain, at), nil
	case k.part != nil && kind.root == SubjectRoot:
		sealed, err := sealTo(k.part.public, at, plain)
		if err != nil {
			return nil, k.errorf(err)
		}
		return sealed, nil
	default:
		return nil, k.errorf(ErrSealsOnly)
	}
}

// Open opens what Seal sealed as the same kind for the same request; anything else
// is [ErrCorrupt].
func (k *Keys) Open(sealed []byte, kind Kind) ([]byte, error) {
	r := &k.roots[kind.root]
	if r.ended.Load() {
		return nil, k.errorf(ErrShredded)
	}
	if r.values == nil {
		return nil, k.errorf(ErrSealsOnly)
	}
	at := bind("value", k.requestID, kind.word)
	plain, err := r.values.Open(nil, nil, sealed, at)
	if err != nil && kind.root == SubjectRoot { // what a [Sealer] sealed, which didn't make the keys
		plain, err = openBy(valuesHalf(r.small), at, sealed)
	}
	if err != nil {
		return nil, k.errorf(ErrCorrupt)
	}
	return plain, nil
}

// Fingerprint returns the keyed hash of an identifier in this request, in 64 hex digits:
// the same for two writings of one identifier ([identifier.Rules]), another in every other
// request, and none of [Vault.Fingerprint]. Its key comes of the subject root: once that is
// ended, nobody can try whether an identifier is the one that a hash stands for.
func (k *Keys) Fingerprint(typ dsar.IdentifierType, value string) (string, error) {
	return k.hash(fingerprints, string(typ)+"\x00"+k.identifiers.Normalise(typ, value))
}

// Digest returns the keyed hash of any content in this request, in 64 hex digits. What
// holds of a fingerprint's key holds of it.
func (k *Keys) Digest(data []byte) (string, error) { return k.hash(digests, string(data)) }

func (k *Keys) hash(purpose, of string) (string, error) {
	r := &k.roots[SubjectRoot]
	var key []byte
	switch {
	case r.ended.Load() || r.secret == nil && k.part == nil:
		return "", k.errorf(ErrShredded)
	case k.part != nil:
		key = k.part.key(purpose)
	default:
		key = derive(r.secret, purpose, k.requestID)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(of)) // never fails
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Ended reports whether a root was ended, as far as this process knows.
func (k *Keys) Ended(which Root) bool { return k.roots[which].ended.Load() }

// bind returns the associated data: kind and request hold no zero byte, so no two
// places share it.
func bind(kind, requestID, place string) []byte {
	b := make([]byte, 0, len("habeas")+len(kind)+len(requestID)+len(place)+3)
	b = append(b, "habeas\x00"...)
	b = append(b, kind...)
	b = append(b, 0)
	b = append(b, requestID...)
	b = append(b, 0)
	return append(b, place...)
}

func (k *Keys) errorf(err error) error {
	return fmt.Errorf("vault: request %s: %w", k.requestID, err)
}

// Values returns the secret of the small values that come of a root: for the one service
// that assembles answers without the master key. nil where the root was ended, and where
// these keys came of such secrets themselves.
func (k *Keys) Values(which Root) []byte {
	r := &k.roots[which]
	if r.ended.Load() || r.secret == nil {
		return nil
	}
	return derive(r.secret, "values", k.requestID)
}

// ValueKeys returns keys that seal and open small values only, of the secrets that
// [Keys.Values] gave. A root of which there is none counts as ended.
func ValueKeys(requestID string, subject, records []byte) (*Keys, error) {
	if err := checkRequestID(requestID); err != nil {
		return nil, err
	}
	k := &Keys{requestID: requestID}
	for which, secret := range map[Root][]byte{SubjectRoot: subject, RecordsRoot: records} {
		if len(secret) == rootBytes {
			k.roots[which].setSmall(secret)
			continue
		}
		k.roots[which].ended.Store(true)
	}
	return k, nil
}
