package vault

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault/internal/store"
)

// Objects are the sealed objects of a vault, for whoever has a key to some of them and
// no master key: a worker, to which each task brings the keys that it needs. It is safe
// for use by many goroutines.
type Objects struct {
	bucket  store.Bucket
	buffers sync.Pool // of *[]byte: the plaintext of small objects
	close   func() error
}

// OpenObjects opens the bucket of a vault: cfg.Bucket, cfg.Apart and cfg.Drivers say where, and
// nothing else of it is read.
func OpenObjects(ctx context.Context, cfg Config) (*Objects, error) {
	b, err := openBucket(ctx, "Bucket", cfg.Bucket, cfg.Apart, cfg.Drivers)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return &Objects{bucket: b, close: func() error { return closeOf(b) }}, nil
}

// Close releases the bucket. Objects that are being written MUST be closed before.
func (o *Objects) Close() error {
	if o.close == nil {
		return nil
	}
	if err := o.close(); err != nil {
		return fmt.Errorf("vault: close: %w", err)
	}
	return nil
}

// ObjectKey opens and seals the objects of one attempt of one action of one system of
// one request, and no others: those whose names begin with its scope.
type ObjectKey struct {
	requestID string
	scope     string // <system>/<action>/<attempt>
	secret    []byte
	ended     *atomic.Bool // its root's; nil where only the key is known
}

// NewObjectKey returns the key of a scope, <system>/<action>/<attempt>, from the secret
// that [ObjectKey.Secret] gave to whoever is to have it.
func NewObjectKey(requestID, scope string, secret []byte) (ObjectKey, error) {
	if err := errors.Join(checkRequestID(requestID), checkScope(scope)); err != nil {
		return ObjectKey{}, err
	}
	if len(secret) != rootBytes {
		return ObjectKey{}, fmt.Errorf("vault: the key of %s of request %s: %w", scope, requestID, ErrCorrupt)
	}
	return ObjectKey{requestID: requestID, scope: scope, secret: secret}, nil
}

// Secret returns the key itself. It MUST go to nobody but the worker of its system,
// sealed.
func (k ObjectKey) Secret() []byte { return k.secret }

// Scope returns what the names of its objects begin with.
func (k ObjectKey) Scope() string { return k.scope }

// ObjectKey returns the key of the objects of an attempt, by a name of one of them or by
// their scope. What a gather leaves comes of the records' root, all else of the
// subject's.
func (k *Keys) ObjectKey(name string) (ObjectKey, error) {
	scope := ScopeOf(name)
	if err := checkScope(scope); err != nil {
		return ObjectKey{}, err
	}
	which := k.rootOf(strings.Split(scope, "/")[1])
	r := &k.roots[which]
	if k.part != nil && !r.ended.Load() {
		return ObjectKey{}, k.errorf(ErrSealsOnly)
	}
	if r.ended.Load() || r.secret == nil { // [ValueKeys] have the secret of small values alone
		return ObjectKey{}, k.errorf(ErrShredded)
	}
	return ObjectKey{requestID: k.requestID, scope: scope, secret: derive(r.secret, "objects", k.requestID, scope), ended: &r.ended}, nil
}

// rootOf returns the root that the objects of an action come of. A grant holds keys, so it
// ends with what they open: one that opens records comes of the records' root
// (TestGrantsEndWithRecords); where that has ended, an assembly is of what had to stay.
func (k *Keys) rootOf(action string) Root {
	switch dsar.Action(action) {
	case dsar.Gather, "grant-" + dsar.Gather:
		return RecordsRoot
	case "grant-" + dsar.Assemble:
		if !k.Ended(RecordsRoot) {
			return RecordsRoot
		}
	}
	return SubjectRoot
}

// small returns what seals an object of one piece.
func (k ObjectKey) small() cipher.AEAD { return newAEAD(derive(k.secret, "whole")) }

// stream returns what seals an object in segments.
func (k ObjectKey) stream() (tink.StreamingAEAD, error) {
	return subtle.NewAESGCMHKDF(derive(k.secret, "stream"), "SHA256", rootBytes, segmentBytes, 0)
}

// segmentBytes is the unit of a long object: what must be read before the first
// byte of it is trusted, and the memory that one reader or writer takes (twice).
const segmentBytes = 64 << 10

func (k ObjectKey) isEnded() bool { return k.ended != nil && k.ended.Load() }

// check reports what is wrong with a name for this key.
func (k ObjectKey) check(name string) error {
	if err := checkObjectName(name); err != nil {
		return err
	}
	if ScopeOf(name) != k.scope {
		return fmt.Errorf("vault: object of request %s: %w: it isn't of %s", k.requestID, ErrName, k.scope)
	}
	return nil
}

// Mark leaves a mark in a system's part of a request, and reports whether it was the
// first to: of many that leave the same one, in one process or in several, exactly one
// is (MarkedOnce in vaulttest). It survives a power cut. A mark's name is
// <system>/<word>/<attempt>; it says nothing of the request.
func (o *Objects) Mark(ctx context.Context, requestID, name string) (first bool, err error) {
	if err := errors.Join(checkRequestID(requestID), checkObjectName(name)); err != nil {
		return false, err
	}
	switch err := o.bucket.Put(ctx, objectKey(requestID, name), mark, store.Mark); {
	case errors.Is(err, store.ErrExists):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("vault: mark %s of request %s: %w", name, requestID, err)
	}
	return true, nil
}

// mark is what a mark holds: an object of no bytes is none in some stores.
var mark = []byte("habeas: a mark\n")

// DeleteObjects deletes the objects of a request whose names begin with the prefix,
// which begins with a whole system: account/, account/gather/1. What is already gone is
// no error.
func (o *Objects) DeleteObjects(ctx context.Context, requestID, prefix string) error {
	if err := errors.Join(checkRequestID(requestID), checkPrefix(prefix)); err != nil {
		return err
	}
	if err := o.bucket.Remove(ctx, objectKey(requestID, prefix)); err != nil {
		return fmt.Errorf("vault: delete objects of request %s: %w", requestID, err)
	}
	return nil
}

// deleteAll deletes all objects of a request.
func (o *Objects) deleteAll(ctx context.Context, requestID string) error {
	systems, err := o.bucket.Folders(ctx, objectsPrefix)
	if err != nil {
		return err
	}
	for _, system := range systems {
		if err := o.bucket.Remove(ctx, objectKey(requestID, system+"/")); err != nil {
			return err
		}
	}
	return o.bucket.Remove(ctx, packsPrefix+requestID)
}

// buffer lends a buffer for a small object's plaintext.
func (o *Objects) buffer() *[]byte {
	if b, ok := o.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 8<<10) // more than what most systems hold of one person
	return &b
}

func (o *Objects) giveBack(b *[]byte) {
	clear(*b)
	*b = (*b)[:0]
	o.buffers.Put(b)
}

// closeOf closes what can be closed.
func closeOf(a any) error {
	if c, ok := a.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
