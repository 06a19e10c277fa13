package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vault/internal/store"
)

// Config says where a vault lies and who can open it.
type Config struct {
	// Bucket is a directory's path or file:///path, which is created, for its
	// owner only; or a URL that Drivers opens.
	Bucket string
	// Key is the master key: a path or file:///path of 32 bytes in base64,
	// base64key://…, or a URL that Drivers opens.
	Key string
	// CreateKey makes the key's file where it is missing and the bucket is new.
	CreateKey bool
	// Identifiers says which writings of an identifier have one fingerprint. Every
	// process on one vault MUST have the same.
	Identifiers identifier.Rules
	// Drivers opens the other URLs; nil where there are none. The clouds' are
	// in pkg/vault/cloudvault.
	Drivers Drivers
}

// Drivers opens buckets and master keys by URL. What it returns is closed with
// the vault where it is an [io.Closer].
type Drivers interface {
	OpenBucket(ctx context.Context, url string) (store.Bucket, error)
	OpenMaster(ctx context.Context, url string) (Master, error)
}

// Vault holds sealed objects and their keys. It is safe for use by many
// goroutines; many processes may share one bucket and key.
type Vault struct {
	bucket store.Bucket
	master Master
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
	b, err := openBucket(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	master, err := openMasterOf(ctx, b, cfg)
	if err != nil {
		return nil, errors.Join(err, closeOf(b))
	}
	v, err := New(ctx, b, master)
	if err != nil {
		return nil, errors.Join(err, closeOf(master), closeOf(b))
	}
	v.identifiers = cfg.Identifiers
	v.close = func() error { return errors.Join(closeOf(master), closeOf(b)) }
	return v, nil
}

// closeOf closes what can be closed.
func closeOf(a any) error {
	if c, ok := a.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// New makes a vault of an open bucket, which cloudvault.Bucket makes of
// gocloud's, and of a master key. Closing the vault closes neither.
func New(ctx context.Context, b store.Bucket, master Master) (*Vault, error) {
	v := &Vault{bucket: b, master: master, cache: newCache(maxCached), close: func() error { return nil }}
	if err := v.openIndex(ctx); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return v, nil
}

// InMemory makes a vault that ends with its process, with a master key of its
// own: for tests, and for a worker that is tried out.
func InMemory(ctx context.Context) (*Vault, error) {
	return New(ctx, &store.Memory{}, randomMaster())
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

func openBucket(ctx context.Context, cfg Config) (store.Bucket, error) {
	scheme, _, isURL := strings.Cut(cfg.Bucket, "://")
	switch {
	case cfg.Bucket == "":
		return nil, errors.New("no bucket: set Bucket to a directory or a URL")
	case !isURL:
		return openDir(cfg.Bucket)
	case scheme == "file":
		path, err := filePath(cfg.Bucket)
		if err != nil {
			return nil, err
		}
		return openDir(path)
	case cfg.Drivers == nil:
		return nil, noDrivers("Bucket", scheme)
	default:
		return cfg.Drivers.OpenBucket(ctx, cfg.Bucket)
	}
}

// noDrivers names the scheme only: a URL may hold a password.
func noDrivers(field, scheme string) error {
	return fmt.Errorf("%s: there is no driver for %s:// here; set Drivers to those of pkg/vault/cloudvault", field, scheme)
}

// openMasterOf makes a new master key for a new bucket only: for one in use, a
// new key could open nothing, and a missing file is a file to bring back.
func openMasterOf(ctx context.Context, b store.Bucket, cfg Config) (Master, error) {
	if cfg.CreateKey {
		_, err := get(ctx, b, indexKey)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
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

// maxSmall bounds what get reads into memory: a key set is under 2 KiB, and
// what a key service adds to it is little.
const maxSmall = 64 << 10

// get reads a small blob.
func get(ctx context.Context, b store.Bucket, key string) ([]byte, error) {
	r, size, err := b.Read(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if size > maxSmall {
		return nil, ErrCorrupt
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	return data, nil
}
