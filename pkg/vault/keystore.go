package vault

import (
	"bytes"
	"context"
	"errors"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault/internal/store"
)

// KeyStore is where a vault's wrapped keys lie: apart from the objects, so that a
// backup of the one opens nothing of the other. vaulttest has the suite that each
// implementation passes, as part of a vault.
type KeyStore interface {
	// ReadKey returns what lies under a name; [ErrNoKeys] where nothing does.
	ReadKey(ctx context.Context, name string) ([]byte, error)
	// CreateKey puts a key under a name that has none, and returns [ErrKeyExists] where
	// it has one: of many at the same time, one succeeds. It survives a power cut.
	CreateKey(ctx context.Context, name string, sealed []byte) error
	// ReplaceKey puts a key under a name in one step, whether it has one or not. What
	// was there before MUST NOT be readable afterwards, and it survives a power cut.
	ReplaceKey(ctx context.Context, name string, sealed []byte) error
}

// ErrKeyExists says that a key of the name was created before.
var ErrKeyExists = telemetry.Constant("the key exists already")

// KeysIn makes a key store of a bucket, which MUST NOT be the objects'.
func KeysIn(b store.Bucket) KeyStore { return bucketKeys{b} }

// bucketKeys keeps each key as a blob.
type bucketKeys struct{ bucket store.Bucket }

func (b bucketKeys) ReadKey(ctx context.Context, name string) ([]byte, error) {
	data, err := get(ctx, b.bucket, keysPrefix+name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoKeys
	}
	return data, err
}

func (b bucketKeys) CreateKey(ctx context.Context, name string, sealed []byte) error {
	err := b.bucket.Put(ctx, keysPrefix+name, sealed, store.Create)
	if errors.Is(err, store.ErrExists) {
		return ErrKeyExists
	}
	return err
}

func (b bucketKeys) ReplaceKey(ctx context.Context, name string, sealed []byte) error {
	return b.bucket.Put(ctx, keysPrefix+name, sealed, store.Replace)
}

// createRoots creates a request's roots, and says which of them existed before.
func createRoots(ctx context.Context, s KeyStore, requestID string, sealed sealedRoots) (exists [rootCount]bool, err error) {
	if b, ok := s.(bucketKeys); ok {
		if d, ok := b.bucket.(*dir); ok {
			return d.createKeys(ctx, requestID, sealed)
		}
	}
	for which := range rootCount {
		err := s.CreateKey(ctx, rootName(requestID, which), sealed[which])
		if exists[which] = errors.Is(err, ErrKeyExists); err != nil && !exists[which] {
			return exists, err
		}
	}
	return exists, nil
}

// Close closes the bucket, where it can be closed.
func (b bucketKeys) Close() error { return closeOf(b.bucket) }

// endedMark stands where a root stood that was ended. It says nothing of the request.
var endedMark = []byte("habeas: keys destroyed\n")

func isEnded(blob []byte) bool { return bytes.Equal(blob, endedMark) }
