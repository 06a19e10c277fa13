package systems

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"habeas.dev/pkg/sqlsystem"
)

// openFiles opens the folder or bucket of an address: a path, file:///path, or the URL of
// one of gocloud.dev's buckets.
func openFiles(ctx context.Context, address string) (files sqlsystem.Files, closer func() error, err error) {
	if path, ok := strings.CutPrefix(address, "file://"); ok || !strings.Contains(address, "://") {
		files, err = sqlsystem.Folder(path)
		return files, func() error { return nil }, err
	}
	b, err := blob.OpenBucket(ctx, address)
	if err != nil {
		return nil, nil, err
	}
	if err := forgets(ctx, b, address); err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	return bucket{b}, b.Close, nil
}

// forgets fails for a bucket of S3 that keeps what is removed as an earlier version: an
// erasure would be none (TestVersionsAreRefused). Where the worker may not ask, the bucket is
// taken for one without.
func forgets(ctx context.Context, b *blob.Bucket, address string) error {
	var client *s3.Client
	u, err := url.Parse(address)
	if err != nil || !b.As(&client) {
		return nil //nolint:nilerr // it was opened by its address
	}
	of, err := client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &u.Host})
	if err != nil || of.Status == "" {
		return nil //nolint:nilerr // the worker's permissions need not reach as far
	}
	return fmt.Errorf("the bucket %s keeps earlier versions of its files (versioning is %s): what is removed would stay; use one without", u.Host, strings.ToLower(string(of.Status)))
}

// bucket is a bucket of gocloud.dev.
type bucket struct{ *blob.Bucket }

func (b bucket) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := b.NewReader(ctx, name, nil)
	if err != nil {
		return nil, asFile(err)
	}
	return r, nil
}

func (b bucket) Remove(ctx context.Context, name string) error { return asFile(b.Delete(ctx, name)) }

// asFile returns an error of a bucket as one of a file's.
func asFile(err error) error {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return errors.Join(err, fs.ErrNotExist)
	case gcerrors.PermissionDenied:
		return errors.Join(err, fs.ErrPermission)
	default:
		return err
	}
}
