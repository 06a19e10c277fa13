package vault

import (
	"context"
	"errors"
	"io"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// cloud is a bucket in any store that gocloud.dev/blob has a driver for.
type cloud struct{ bucket *blob.Bucket }

const (
	// callTimeout bounds one call that moves no more than a small blob. A store
	// that takes longer is down.
	callTimeout = 30 * time.Second
	// contentType spares gocloud from guessing it from the content.
	contentType = "application/octet-stream"
)

func (c cloud) read(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := ctx.Err(); err != nil { // not every driver looks
		return nil, 0, err
	}
	r, err := c.bucket.NewReader(ctx, key, nil)
	if err != nil {
		if gcerrors.Code(err) == gcerrors.NotFound {
			return nil, 0, errNotFound
		}
		return nil, 0, err
	}
	return r, r.Size(), nil
}

func (c cloud) put(ctx context.Context, key string, data []byte, mode putMode) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := c.bucket.WriteAll(ctx, key, data, options(mode))
	if err != nil && gcerrors.Code(err) == gcerrors.FailedPrecondition {
		return errExists
	}
	return err
}

func (c cloud) write(ctx context.Context, key string) (blobWriter, error) {
	ctx, cancel := context.WithCancel(ctx)
	w, err := c.bucket.NewWriter(ctx, key, options(object))
	if err != nil {
		cancel()
		return nil, err
	}
	return &cloudWriter{Writer: w, cancel: cancel}, nil
}

func options(mode putMode) *blob.WriterOptions {
	return &blob.WriterOptions{
		ContentType:                 contentType,
		DisableContentTypeDetection: true,
		IfNotExist:                  mode == create,
	}
}

func (c cloud) remove(ctx context.Context, prefix string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	list := c.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := list.Next(ctx)
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

func (c cloud) delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return c.bucket.Delete(ctx, key)
}

type cloudWriter struct {
	*blob.Writer
	cancel context.CancelFunc
}

func (w *cloudWriter) commit() error {
	defer w.cancel()
	return w.Close()
}

// abort cancels before it closes: gocloud drops a write whose context is over.
func (w *cloudWriter) abort() {
	w.cancel()
	_ = w.Close() // says that it was cancelled
}
