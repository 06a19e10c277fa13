// Package store is what a vault needs of the place where it lies. It is the
// vault's own: whoever has another place implements gocloud.dev/blob's driver and
// opens it with pkg/vault/cloudvault.
package store

import (
	"context"
	"io"
	"time"

	"habeas.dev/pkg/telemetry"
)

// Lister lists a bucket's keys, for who looks at all of them: an audit, a rotation of the
// master key.
type Lister interface {
	// Names calls f with each key that begins with a prefix, which ends in a slash, in no
	// order. An error of f ends it.
	Names(ctx context.Context, prefix string, f func(key string) error) error
}

// Dated is a [Lister] that knows when each blob was last written, by the store's own clock.
type Dated interface {
	// Written calls f as Names does, with the time beside the key.
	Written(ctx context.Context, prefix string, f func(key string, at time.Time) error) error
}

// Bucket is a store of blobs by key. Every method may be called from many
// goroutines. vaulttest has the suite that each implementation passes.
type Bucket interface {
	// Read opens a blob and says how long it is. [ErrNotFound] where there is none.
	Read(ctx context.Context, key string) (io.ReadCloser, int64, error)
	// Put writes a small blob, which is visible when it returns, and whole, or
	// not at all.
	Put(ctx context.Context, key string, data []byte, mode Mode) error
	// Write opens an object of any length for writing. It is visible after
	// Commit, and whole. It replaces what is there; a power cut may lose it.
	Write(ctx context.Context, key string) (Writer, error)
	// Remove deletes every blob whose key begins with the prefix. What is
	// already gone is no error.
	Remove(ctx context.Context, prefix string) error
	// Folders returns the names between a prefix that ends in / and the next /, each
	// once, of all keys that have both.
	Folders(ctx context.Context, prefix string) ([]string, error)
}

// Writer writes one blob. Exactly one of Commit and Abort MUST be called.
type Writer interface {
	io.Writer
	// Commit makes the blob visible.
	Commit() error
	// Abort leaves nothing behind.
	Abort()
}

// Mode says what Put does where there is a blob already.
type Mode int

const (
	// Object replaces what is there; a power cut may lose it.
	Object Mode = iota
	// Replace replaces what is there, and survives a power cut.
	Replace
	// Create fails with [ErrExists] where there is a blob, also one that another
	// process is just writing, and survives a power cut.
	Create
	// Mark is Create of a blob that says something by being there, and nothing by what it
	// holds: it may be cut short by a power cut, and is there all the same.
	Mark
)

// Once reports whether the mode fails where there is a blob already.
func (m Mode) Once() bool { return m == Create || m == Mark }

// What a bucket says beside success.
var (
	ErrNotFound = telemetry.Constant("not found")
	ErrExists   = telemetry.Constant("exists already")
)
