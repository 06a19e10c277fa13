package blobtest_test

import (
	"errors"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"habeas.dev/services/internal/blobtest"
)

// TestBucket is what the vault and the outbox rely on: blobs are there whole or
// not at all, IfNotExist holds, and a fault of after leaves the work done.
func TestBucket(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var store blobtest.Bucket
	b := store.Open()
	defer b.Close()
	if err := b.WriteAll(ctx, "a/1", []byte("one"), &blob.WriterOptions{IfNotExist: true}); err != nil {
		t.Fatal(err)
	}
	if err := b.WriteAll(ctx, "a/1", []byte("two"), &blob.WriterOptions{IfNotExist: true}); gcerrors.Code(err) != gcerrors.FailedPrecondition {
		t.Errorf("creating it twice: %v", err)
	}
	if got, err := b.ReadAll(ctx, "a/1"); err != nil || string(got) != "one" {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := b.ReadAll(ctx, "a/2"); gcerrors.Code(err) != gcerrors.NotFound {
		t.Errorf("reading what isn't there: %v", err)
	}
	broken := errors.New("broken")
	for _, after := range []bool{false, true} {
		store.Fault = func(op blobtest.Op, now bool) error {
			if op == blobtest.OpCommit && now == after {
				return broken
			}
			return nil
		}
		if err := b.WriteAll(ctx, "a/3", []byte("three"), nil); !errors.Is(err, broken) {
			t.Errorf("fault, after %v: %v", after, err)
		}
		if _, there := store.Blobs()["a/3"]; there != after {
			t.Errorf("fault, after %v: the blob is there: %v", after, there)
		}
	}
	store.Fault = nil
	if err := b.Delete(ctx, "a/3"); err != nil {
		t.Error(err)
	}
	o, err := b.List(&blob.ListOptions{Prefix: "a/"}).Next(ctx)
	if err != nil || o.Key != "a/1" || o.Size != 3 {
		t.Errorf("listed %+v, %v", o, err)
	}
}
