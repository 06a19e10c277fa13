package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vault/internal/store"
)

// Config says where a vault lies and who can open it.
type Config struct {
	// Bucket is a directory's path or file:///path, which is created, for its
	// owner only; or a URL that Drivers opens.
	Bucket string
	// Apart has each system's objects lie in the system's own part of a directory,
	// objects/SYSTEM, so that a worker can be given that folder alone
	// (TestASystemsFolder). It costs a file for each system and request; without, a
	// request's short objects share one file. A bucket of a URL has them apart anyway.
	Apart bool
	// Keys is where the wrapped keys lie: a directory or a URL, as Bucket is, and not the
	// same. Whoever has a copy of only one of them opens nothing (TestBackups).
	Keys string
	// KeyStore stands in for Keys where they lie in something else.
	KeyStore KeyStore
	// Key is the master key: a path or file:///path of 32 bytes in base64,
	// base64key://…, or a URL that Drivers opens.
	Key string
	// OldKeys are master keys that open what they wrapped before, and wrap nothing any more:
	// while Key is rotated ([Vault.Rewrap]).
	OldKeys []string
	// CreateKey makes the key's file where it is missing and the key store is new.
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
	*Objects
	keys   KeyStore
	master Master
	close  func() error
	// index has the key of what is found again, secrets that of [Vault.Secret].
	index, secrets indexer
	// identifiers are the equivalences that fingerprints are made by.
	identifiers identifier.Rules
	// sealedIndex is what the index key was read from, indexSecret that of fingerprints.
	sealedIndex, indexSecret []byte
	sealings                 sealings
	cache                    *cache
}

// Open opens a vault, and sets it up where its key store is new. A master key that
// isn't this vault's is [ErrWrongKey].
func Open(ctx context.Context, cfg Config) (_ *Vault, err error) {
	var opened []any
	closeAll := func() error {
		var errs []error
		for _, a := range slices.Backward(opened) {
			errs = append(errs, closeOf(a))
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll())
		}
	}()
	objects, err := openBucket(ctx, "Bucket", cfg.Bucket, cfg.Apart, cfg.Drivers)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	opened = append(opened, objects)
	keys := cfg.KeyStore
	if keys == nil {
		if cfg.Keys == cfg.Bucket {
			return nil, errors.New("vault: Keys and Bucket are one place: keys lie apart from the objects that they open")
		}
		b, err := openBucket(ctx, "Keys", cfg.Keys, false, cfg.Drivers)
		if err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		keys = KeysIn(b)
		opened = append(opened, keys)
	}
	master, err := openMasterOf(ctx, keys, cfg)
	if err != nil {
		return nil, err
	}
	opened = append(opened, master)
	if len(cfg.OldKeys) > 0 {
		all := &masters{Master: master}
		for _, old := range cfg.OldKeys {
			m, err := openMaster(ctx, Config{Key: old, Drivers: cfg.Drivers})
			if err != nil {
				return nil, err
			}
			opened = append(opened, m)
			all.old = append(all.old, m)
		}
		master = all
	}
	v, err := New(ctx, objects, keys, master)
	if err != nil {
		return nil, err
	}
	v.identifiers = cfg.Identifiers
	v.close = closeAll
	return v, nil
}

// New makes a vault of an open bucket, which cloudvault.Bucket makes of
// gocloud's, of a key store and of a master key. Closing the vault closes none of them.
func New(ctx context.Context, objects store.Bucket, keys KeyStore, master Master) (*Vault, error) {
	v := &Vault{Objects: &Objects{bucket: objects}, keys: keys, master: master, cache: newCache(maxCached), close: func() error { return nil }}
	if err := v.openIndex(ctx); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return v, nil
}

// InMemory makes a vault that ends with its process, with a master key of its
// own: for tests, and for a worker that is tried out.
func InMemory(ctx context.Context) (*Vault, error) {
	return New(ctx, &store.Memory{}, KeysIn(&store.Memory{}), randomMaster())
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

// openBucket opens a directory or a URL; field is the setting that names it.
func openBucket(ctx context.Context, field, where string, apart bool, drivers Drivers) (store.Bucket, error) {
	scheme, _, isURL := strings.Cut(where, "://")
	switch {
	case where == "":
		return nil, fmt.Errorf("no place: set %s to a directory or a URL", field)
	case !isURL:
		return openDir(where, apart)
	case scheme == "file":
		path, err := filePath(where)
		if err != nil {
			return nil, err
		}
		return openDir(path, apart)
	case drivers == nil:
		return nil, noDrivers(field, scheme)
	default:
		return drivers.OpenBucket(ctx, where)
	}
}

// noDrivers names the scheme only: a URL may hold a password.
func noDrivers(field, scheme string) error {
	return fmt.Errorf("%s: there is no driver for %s:// here; set Drivers to those of pkg/vault/cloudvault", field, scheme)
}

// openMasterOf makes a new master key for a new key store only: for one in use, a
// new key could open nothing, and a missing file is a file to bring back.
func openMasterOf(ctx context.Context, keys KeyStore, cfg Config) (Master, error) {
	if cfg.CreateKey {
		_, err := keys.ReadKey(ctx, indexKey)
		if err != nil && !errors.Is(err, ErrNoKeys) {
			return nil, fmt.Errorf("vault: %w", err)
		}
		if err == nil {
			cfg.CreateKey = false
		}
	}
	return openMaster(ctx, cfg)
}

// maxSmall bounds what get reads into memory: a key set is under 2 KiB, and
// what a key service adds to it is little.
const maxSmall = 64 << 10

// getTimeout bounds a get. A store that takes longer for so little is down.
const getTimeout = 30 * time.Second

// get reads a small blob.
func get(ctx context.Context, b store.Bucket, key string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
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
