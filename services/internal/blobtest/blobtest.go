// Package blobtest is a bucket in memory that fails where it is told to, for
// simulations and tests of what stands on a gocloud.dev/blob bucket. No
// goroutine, no clock: the same calls in the same order do the same.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/telemetry"
)

// Op names a call on the bucket, for [Bucket.Fault].
type Op string

// The calls at which a fault can be put.
const (
	OpRead   Op = "read"   // a blob is opened, or looked up
	OpWrite  Op = "write"  // some of a blob's bytes are written
	OpCommit Op = "commit" // a blob is closed, and then there
	OpList   Op = "list"
	OpDelete Op = "delete"
)

// Bucket is a store of blobs that outlives the processes which are simulated.
// The zero value is an empty one.
type Bucket struct {
	// Fault, where set, is asked before a call does its work, and again after
	// it. An error of before means that nothing was done; an error of after,
	// that it was, and that the caller doesn't know. It is called without a
	// lock held.
	Fault func(op Op, after bool) error

	mu    sync.Mutex
	blobs map[string][]byte
}

// Open opens the bucket as everybody else sees it.
func (b *Bucket) Open() *blob.Bucket { return blob.NewBucket(&handle{b}) }

// Blobs returns a copy of all that is there, by key.
func (b *Bucket) Blobs() map[string][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.blobs)
}

// Set puts a blob there, or takes it away where content is nil: a disk that
// loses or changes what it holds.
func (b *Bucket) Set(key string, content []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if content == nil {
		delete(b.blobs, key)
		return
	}
	if b.blobs == nil {
		b.blobs = map[string][]byte{}
	}
	b.blobs[key] = content
}

func (b *Bucket) get(key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	content, ok := b.blobs[key]
	if !ok {
		return nil, errNotFound
	}
	return content, nil
}

// call does the work of a call, between its two faults.
func (b *Bucket) call(ctx context.Context, op Op, work func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.fault(op, false); err != nil {
		return err
	}
	if err := work(); err != nil {
		return err
	}
	return b.fault(op, true)
}

func (b *Bucket) fault(op Op, after bool) error {
	if b.Fault == nil {
		return nil
	}
	return b.Fault(op, after)
}

var (
	errNotFound    = telemetry.Constant("blobtest: no such blob")
	errExists      = telemetry.Constant("blobtest: the blob exists")
	errUnsupported = telemetry.Constant("blobtest: not supported")
)

// handle is the driver's side of a bucket.
type handle struct{ *Bucket }

var _ driver.Bucket = (*handle)(nil)

func (h *handle) ErrorCode(err error) gcerrors.ErrorCode {
	switch {
	case errors.Is(err, errNotFound):
		return gcerrors.NotFound
	case errors.Is(err, errExists):
		return gcerrors.FailedPrecondition
	case errors.Is(err, errUnsupported):
		return gcerrors.Unimplemented
	default:
		return gcerrors.Unknown
	}
}

func (h *handle) As(any) bool             { return false }
func (h *handle) ErrorAs(error, any) bool { return false }
func (h *handle) Close() error            { return nil }

func (h *handle) Attributes(ctx context.Context, key string) (a *driver.Attributes, err error) {
	err = h.call(ctx, OpRead, func() error {
		content, err := h.get(key)
		a = &driver.Attributes{Size: int64(len(content))}
		return err
	})
	return a, err
}

func (h *handle) ListPaged(ctx context.Context, opts *driver.ListOptions) (page *driver.ListPage, err error) {
	err = h.call(ctx, OpList, func() error {
		page = &driver.ListPage{}
		blobs := h.Blobs()
		for _, key := range slices.Sorted(maps.Keys(blobs)) {
			rest, ok := strings.CutPrefix(key, opts.Prefix)
			switch folder, _, below := strings.Cut(rest, opts.Delimiter); {
			case !ok:
			case opts.Delimiter != "" && below:
				if key = opts.Prefix + folder + opts.Delimiter; len(page.Objects) == 0 || page.Objects[len(page.Objects)-1].Key != key {
					page.Objects = append(page.Objects, &driver.ListObject{Key: key, IsDir: true})
				}
			default:
				page.Objects = append(page.Objects, &driver.ListObject{Key: key, Size: int64(len(blobs[key]))})
			}
		}
		return nil
	})
	return page, err
}

func (h *handle) NewRangeReader(ctx context.Context, key string, offset, length int64, _ *driver.ReaderOptions) (r driver.Reader, err error) {
	err = h.call(ctx, OpRead, func() error {
		content, err := h.get(key)
		if err != nil {
			return err
		}
		end := int64(len(content))
		offset = min(offset, end)
		if length >= 0 {
			end = min(end, offset+length)
		}
		r = &reader{Reader: bytes.NewReader(content[offset:end]), size: int64(len(content))}
		return nil
	})
	return r, err
}

type reader struct {
	*bytes.Reader
	size int64
}

func (r *reader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{Size: r.size}
}
func (r *reader) As(any) bool  { return false }
func (r *reader) Close() error { return nil }

func (h *handle) NewTypedWriter(ctx context.Context, key, _ string, opts *driver.WriterOptions) (driver.Writer, error) {
	return &writer{ctx: ctx, b: h.Bucket, key: key, create: opts.IfNotExist}, ctx.Err()
}

type writer struct {
	ctx    context.Context //nolint:containedctx // the driver's interface: Close commits only while it isn't over
	b      *Bucket
	key    string
	create bool
	buf    bytes.Buffer
}

func (w *writer) Write(p []byte) (n int, err error) {
	err = w.b.call(w.ctx, OpWrite, func() error {
		n, err = w.buf.Write(p)
		return err
	})
	return n, err
}

func (w *writer) Close() error {
	return w.b.call(w.ctx, OpCommit, func() error {
		if _, err := w.b.get(w.key); err == nil && w.create {
			return errExists
		}
		w.b.Set(w.key, w.buf.Bytes())
		return nil
	})
}

func (h *handle) Copy(context.Context, string, string, *driver.CopyOptions) error {
	return errUnsupported
}

func (h *handle) Delete(ctx context.Context, key string, _ *driver.DeleteOptions) error {
	return h.call(ctx, OpDelete, func() error {
		if _, err := h.get(key); err != nil {
			return err
		}
		h.Set(key, nil)
		return nil
	})
}

func (h *handle) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", errUnsupported
}

// Upload copies from a reader, as drivers may that have a faster way.
func (w *writer) Upload(r io.Reader) error {
	_, err := io.Copy(writeOnly{w}, r)
	return err
}

// Download copies to a writer, as Upload copies from a reader.
func (r *reader) Download(w io.Writer) error {
	_, err := r.WriteTo(w)
	return err
}

// writeOnly hides the writer's other methods from io.Copy.
type writeOnly struct{ io.Writer }
