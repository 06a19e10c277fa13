package vault

import (
	"context"
	"io"
)

// bucket is what the vault needs of a store. Every method may be called from
// many goroutines.
type bucket interface {
	// read opens a blob and says how long it is. errNotFound where there is none.
	read(ctx context.Context, key string) (io.ReadCloser, int64, error)
	// put writes a small blob, which is visible when it returns, and whole, or
	// not at all.
	put(ctx context.Context, key string, data []byte, mode putMode) error
	// write opens an object of any length for writing. It is visible after
	// commit, and whole. It replaces what is there; a power cut may lose it.
	write(ctx context.Context, key string) (blobWriter, error)
	// remove deletes every blob whose key begins with the prefix. What is
	// already gone is no error.
	remove(ctx context.Context, prefix string) error
}

// blobWriter writes one blob. Exactly one of commit and abort MUST be called.
type blobWriter interface {
	io.Writer
	// commit makes the blob visible.
	commit() error
	// abort leaves nothing behind.
	abort()
}

type putMode int

const (
	// object replaces what is there; a power cut may lose it.
	object putMode = iota
	// replace replaces what is there, and survives a power cut.
	replace
	// create fails with errExists where there is a blob, also one that another
	// process is just writing, and survives a power cut.
	create
)

// maxSmall bounds what get reads into memory: a key set is under 2 KiB, and
// what a key service adds to it is little.
const maxSmall = 64 << 10

// get reads a small blob.
func get(ctx context.Context, b bucket, key string) ([]byte, error) {
	r, size, err := b.read(ctx, key)
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
