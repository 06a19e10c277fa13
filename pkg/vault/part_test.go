package vault

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/vault/internal/store"
)

// recorder is a bucket that writes down which keys were asked for.
type recorder struct {
	store.Bucket
	keys []string
}

func (r *recorder) Read(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	r.keys = append(r.keys, key)
	return r.Bucket.Read(ctx, key)
}

func (r *recorder) Put(ctx context.Context, key string, data []byte, mode store.Mode) error {
	r.keys = append(r.keys, key)
	return r.Bucket.Put(ctx, key, data, mode)
}

func (r *recorder) Write(ctx context.Context, key string) (store.Writer, error) {
	r.keys = append(r.keys, key)
	return r.Bucket.Write(ctx, key)
}

func (r *recorder) Remove(ctx context.Context, prefix string) error {
	r.keys = append(r.keys, prefix)
	return r.Bucket.Remove(ctx, prefix)
}

func (r *recorder) Folders(ctx context.Context, prefix string) ([]string, error) {
	r.keys = append(r.keys, prefix)
	return r.Bucket.Folders(ctx, prefix)
}

// TestASystemsPart: whatever is done with a system's objects is done below its own part of
// the bucket, which is all that deploy/buckets lets its worker have; a name that would lead
// out of it is refused before the bucket is asked.
func TestASystemsPart(t *testing.T) {
	t.Parallel()
	const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	bucket := &recorder{Bucket: &store.Memory{}}
	o := &Objects{bucket: bucket}
	k, err := NewObjectKey(request, "billing/gather/1", make([]byte, rootBytes))
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"billing/gather/1-a.1": 10, "billing/gather/1-a.2": 1 << 20} {
		w, err := o.Create(t.Context(), k, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := o.Open(t.Context(), k, name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.Copy(io.Discard, r); err != nil || got != int64(size) {
			t.Fatal(got, err)
		}
	}
	if _, err := o.Mark(t.Context(), request, "billing/begun/erase.1"); err != nil {
		t.Fatal(err)
	}
	if err := o.DeleteObjects(t.Context(), request, "billing/"); err != nil {
		t.Fatal(err)
	}
	own := "objects/billing/" + request + "/"
	if i := slices.IndexFunc(bucket.keys, func(key string) bool { return !strings.HasPrefix(key, own) }); i >= 0 || len(bucket.keys) < 6 {
		t.Errorf("%d keys, of which one is %q", len(bucket.keys), bucket.keys[max(i, 0)])
	}
	asked := len(bucket.keys)
	for _, name := range []string{"../account/gather/1-a", "billing/../account/1-a", "account/gather/1-a", "/account/gather/1-a", "billing/gather/1-../../account"} {
		if _, err := o.Create(t.Context(), k, name); err == nil {
			t.Errorf("%s is made", name)
		}
		if _, err := o.Open(t.Context(), k, name); err == nil {
			t.Errorf("%s is opened", name)
		}
	}
	for _, name := range []string{"../account/x/1", "billing/../../keys", ".."} {
		if _, err := o.Mark(t.Context(), request, name); err == nil {
			t.Errorf("%s is marked", name)
		}
		if err := o.DeleteObjects(t.Context(), request, name); err == nil {
			t.Errorf("%s is deleted", name)
		}
	}
	if err := o.DeleteObjects(t.Context(), "../../x", "billing/"); err == nil {
		t.Error("what isn't a request's is deleted")
	}
	if len(bucket.keys) != asked {
		t.Errorf("the bucket was asked for %v", bucket.keys[asked:])
	}
}
