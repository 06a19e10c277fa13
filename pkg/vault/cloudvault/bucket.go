package cloudvault

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/vault/internal/store"
)

// Bucket makes a vault's store of a bucket. Its driver MUST honour
// blob.WriterOptions.IfNotExist between processes: the clouds' and memblob do,
// fileblob doesn't (give [vault.Open] the path instead).
func Bucket(b *blob.Bucket) store.Bucket { return cloud{b} }

type cloud struct{ bucket *blob.Bucket }

const (
	// callTimeout bounds one call that moves no more than a small blob. A store
	// that takes longer is down.
	callTimeout = 30 * time.Second
	// contentType spares gocloud from guessing it from the content.
	contentType = "application/octet-stream"
)

func (c cloud) Read(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := ctx.Err(); err != nil { // not every driver looks
		return nil, 0, err
	}
	r, err := c.bucket.NewReader(ctx, key, nil)
	if err != nil {
		if gcerrors.Code(err) == gcerrors.NotFound {
			return nil, 0, store.ErrNotFound
		}
		return nil, 0, err
	}
	return r, r.Size(), nil
}

func (c cloud) Put(ctx context.Context, key string, data []byte, mode store.Mode) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := c.bucket.WriteAll(ctx, key, data, options(mode))
	if err != nil && gcerrors.Code(err) == gcerrors.FailedPrecondition {
		return store.ErrExists
	}
	return err
}

func (c cloud) Write(ctx context.Context, key string) (store.Writer, error) {
	ctx, cancel := context.WithCancel(ctx)
	w, err := c.bucket.NewWriter(ctx, key, options(store.Object))
	if err != nil {
		cancel()
		return nil, err
	}
	return &cloudWriter{Writer: w, cancel: cancel}, nil
}

func options(mode store.Mode) *blob.WriterOptions {
	return &blob.WriterOptions{
		ContentType:                 contentType,
		DisableContentTypeDetection: true,
		IfNotExist:                  mode.Once(),
	}
}

func (c cloud) Remove(ctx context.Context, prefix string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	list := c.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := next(ctx, list)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.delete(ctx, o.Key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return err
		}
	}
}

func (c cloud) Folders(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var folders []string
	list := c.bucket.List(&blob.ListOptions{Prefix: prefix, Delimiter: "/"})
	for {
		o, err := next(ctx, list)
		if errors.Is(err, io.EOF) {
			return folders, nil
		}
		if err != nil {
			return nil, err
		}
		if o.IsDir {
			folders = append(folders, strings.TrimSuffix(strings.TrimPrefix(o.Key, prefix), "/"))
		}
	}
}

// next returns the next of a list, of which it may have to fetch a page.
func next(ctx context.Context, list *blob.ListIterator) (*blob.ListObject, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return list.Next(ctx)
}

func (c cloud) delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return c.bucket.Delete(ctx, key)
}

type cloudWriter struct {
	*blob.Writer
	cancel context.CancelFunc
}

func (w *cloudWriter) Commit() error {
	defer w.cancel()
	return w.Close()
}

// Abort cancels before it closes: gocloud drops a write whose context is over.
func (w *cloudWriter) Abort() {
	w.cancel()
	_ = w.Close() // says that it was cancelled
}

// Names implements store.Lister.
func (c cloud) Names(ctx context.Context, prefix string, f func(key string) error) error {
	return c.Written(ctx, prefix, func(key string, _ time.Time) error { return f(key) })
}

// Written implements store.Dated.
func (c cloud) Written(ctx context.Context, prefix string, f func(key string, at time.Time) error) error {
	list := c.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := next(ctx, list)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(o.Key, o.ModTime); err != nil {
			return err
		}
	}
}
