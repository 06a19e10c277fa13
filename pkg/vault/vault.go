package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/secrets"

	"habeas.dev/pkg/identifier"
)

// Config says where a vault lies and who can open it.
type Config struct {
	// Bucket is a directory's path, file:///path, or any gocloud.dev/blob URL
	// whose driver the binary links. A directory is created, for its owner only.
	Bucket string
	// Key is the master key: a path or file:///path of 32 bytes in base64,
	// base64key://…, or any gocloud.dev/secrets URL whose driver the binary links.
	Key string
	// CreateKey makes the key's file where it is missing and the bucket is new.
	CreateKey bool
	// Identifiers says which writings of an identifier have one fingerprint. Every
	// process on one vault MUST have the same.
	Identifiers identifier.Rules
}

// Vault holds sealed objects and their keys. It is safe for use by many
// goroutines; many processes may share one bucket and key.
type Vault struct {
	bucket bucket
	master *secrets.Keeper
	close  func() error
	index  indexer
	// identifiers are the equivalences that fingerprints are made by.
	identifiers identifier.Rules
	// sealedIndex is what the index key was read from.
	sealedIndex []byte
	cache       *cache
	buffers     sync.Pool // of *[]byte: the plaintext of small objects
}

// Open opens a vault, and sets it up where the bucket is new. A master key that
// isn't this bucket's is [ErrWrongKey].
func Open(ctx context.Context, cfg Config) (*Vault, error) {
	b, closeBucket, err := openBucket(ctx, cfg.Bucket)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	master, err := openMasterOf(ctx, b, cfg)
	if err != nil {
		return nil, errors.Join(err, closeBucket())
	}
	v, err := newVault(ctx, b, master)
	if err != nil {
		return nil, errors.Join(err, master.Close(), closeBucket())
	}
	v.identifiers = cfg.Identifiers
	v.close = func() error { return errors.Join(master.Close(), closeBucket()) }
	return v, nil
}

// New makes a vault of an open bucket and master key, for those who have their
// own way of opening them. The bucket's driver MUST honour
// blob.WriterOptions.IfNotExist between processes: the clouds' and memblob do,
// fileblob doesn't (give [Open] the path instead). Closing the vault closes
// neither.
func New(ctx context.Context, b *blob.Bucket, master *secrets.Keeper) (*Vault, error) {
	return newVault(ctx, cloud{b}, master)
}

func newVault(ctx context.Context, b bucket, master *secrets.Keeper) (*Vault, error) {
	v := &Vault{bucket: b, master: master, cache: newCache(maxCached), close: func() error { return nil }}
	if err := v.openIndex(ctx); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return v, nil
}

// Close releases the bucket and the master key. Objects that are being written
// MUST be closed before.
func (v *Vault) Close() error {
	v.cache.drop()
	if err := v.close(); err != nil {
		return fmt.Errorf("vault: close: %w", err)
	}
	return nil
}

func openBucket(ctx context.Context, s string) (bucket, func() error, error) {
	scheme, _, isURL := strings.Cut(s, "://")
	path := s
	switch {
	case s == "":
		return nil, nil, errors.New("no bucket: set Bucket to a directory or a gocloud.dev/blob URL")
	case isURL && scheme != "file":
		b, err := blob.OpenBucket(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		return cloud{b}, b.Close, nil
	case isURL:
		var err error
		if path, err = filePath(s); err != nil {
			return nil, nil, err
		}
	}
	d, err := openDir(path)
	if err != nil {
		return nil, nil, err
	}
	return d, func() error { return nil }, nil
}

// openMasterOf makes a new master key for a new bucket only: for one in use, a
// new key could open nothing, and a missing file is a file to bring back.
func openMasterOf(ctx context.Context, b bucket, cfg Config) (*secrets.Keeper, error) {
	if cfg.CreateKey {
		_, err := get(ctx, b, indexKey)
		if err != nil && !errors.Is(err, errNotFound) {
			return nil, fmt.Errorf("vault: %w", err)
		}
		if err == nil {
			cfg.CreateKey = false
		}
	}
	return openMaster(ctx, cfg)
}

// buffer lends a buffer for a small object's plaintext.
func (v *Vault) buffer() *[]byte {
	if b, ok := v.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 8<<10) // more than what most systems hold of one person
	return &b
}

func (v *Vault) giveBack(b *[]byte) {
	clear(*b)
	*b = (*b)[:0]
	v.buffers.Put(b)
}

// shreddedMark stands where a key set stood. It says nothing of the request.
var shreddedMark = []byte("habeas: keys destroyed\n")

func isShredded(blob []byte) bool { return bytes.Equal(blob, shreddedMark) }
