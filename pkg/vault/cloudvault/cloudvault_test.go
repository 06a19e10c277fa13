package cloudvault_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"
	"gocloud.dev/secrets/driver"
	"gocloud.dev/secrets/localsecrets"

	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/cloudvault"
	"habeas.dev/pkg/vault/internal/vaulttest"
)

const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

// bucketStore returns a vault over gocloud's portable type, as it is in any cloud: its
// objects in one bucket, its keys in another.
func bucketStore(tb testing.TB, objects, keys *blob.Bucket) vaulttest.Store {
	key, err := localsecrets.NewRandomKey()
	if err != nil {
		tb.Fatal(err)
	}
	buckets := map[string]*blob.Bucket{"o/": objects, "k/": keys}
	for _, b := range buckets {
		tb.Cleanup(func() { b.Close() })
	}
	return vaulttest.Store{
		Open: func(tb testing.TB) *vault.Vault {
			v, err := vault.New(context.Background(), cloudvault.Bucket(objects), vault.KeysIn(cloudvault.Bucket(keys)), cloudvault.Master(localsecrets.NewKeeper(key)))
			if err != nil {
				tb.Fatal(err)
			}
			return v
		},
		Blobs: func(tb testing.TB) map[string][]byte {
			blobs := map[string][]byte{}
			for prefix, b := range buckets {
				list := b.List(nil)
				for {
					o, err := list.Next(context.Background())
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						tb.Fatal(err)
					}
					if blobs[prefix+o.Key], err = b.ReadAll(context.Background(), o.Key); err != nil {
						tb.Fatal(err)
					}
				}
			}
			return blobs
		},
		Set: func(tb testing.TB, name string, content []byte) {
			if err := buckets[name[:2]].WriteAll(context.Background(), name[2:], bytes.Clone(content), nil); err != nil {
				tb.Fatal(err)
			}
		},
	}
}

func TestMemblob(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(tb testing.TB) vaulttest.Store {
		return bucketStore(tb, memblob.OpenBucket(nil), memblob.OpenBucket(nil))
	})
}

// TestFileblob runs gocloud's own driver for files, which nobody needs: [vault.Open]
// takes a path. It can't pass CreatedOnce, MarkedOnce and ShreddedWhileCreating, since
// its IfNotExist looks first and renames then.
func TestFileblob(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(tb testing.TB) vaulttest.Store {
		if strings.Contains(tb.Name(), "CreatedOnce") || strings.Contains(tb.Name(), "MarkedOnce") || strings.Contains(tb.Name(), "ShreddedWhileCreating") {
			tb.Skip("fileblob's IfNotExist isn't one step")
		}
		open := func() *blob.Bucket {
			b, err := fileblob.OpenBucket(tb.TempDir(), &fileblob.Options{Metadata: fileblob.MetadataDontWrite, NoTempDir: true})
			if err != nil {
				tb.Fatal(err)
			}
			return b
		}
		return bucketStore(tb, open(), open())
	})
}

// outage is a key service that doesn't answer when it is told not to.
type outage struct {
	driver.Keeper
	down atomic.Bool
	key  *secrets.Keeper
}

func (o *outage) Encrypt(ctx context.Context, b []byte) ([]byte, error) { return o.key.Encrypt(ctx, b) }
func (o *outage) Decrypt(ctx context.Context, b []byte) ([]byte, error) {
	if o.down.Load() {
		return nil, errors.New("no route to host")
	}
	return o.key.Decrypt(ctx, b)
}
func (o *outage) ErrorCode(error) gcerrors.ErrorCode { return gcerrors.Unknown }
func (o *outage) ErrorAs(error, any) bool            { return false }
func (o *outage) Close() error                       { return nil }

// A key service that is down damages nothing, and isn't said to.
func TestMasterKeyOutage(t *testing.T) {
	t.Parallel()
	key, err := localsecrets.NewRandomKey()
	if err != nil {
		t.Fatal(err)
	}
	o := &outage{key: localsecrets.NewKeeper(key)}
	b, keys := memblob.OpenBucket(nil), memblob.OpenBucket(nil)
	open := func() *vault.Vault {
		v, err := vault.New(t.Context(), cloudvault.Bucket(b), vault.KeysIn(cloudvault.Bucket(keys)), cloudvault.Master(secrets.NewKeeper(o)))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if _, err := open().CreateKeys(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	v := open()
	o.down.Store(true)
	if _, err := v.Keys(t.Context(), request); err == nil || errors.Is(err, vault.ErrCorrupt) || !strings.Contains(err.Error(), "no route to host") {
		t.Fatal(err)
	}
	o.down.Store(false)
	if _, err := v.Keys(t.Context(), request); err != nil {
		t.Fatal(err)
	}
}

// TestDrivers: what the program links a driver for is opened by its URL, and
// closed with the vault; anything else is named.
func TestDrivers(t *testing.T) {
	t.Parallel()
	key := "base64key://" + base64.URLEncoding.EncodeToString(make([]byte, 32))
	v, err := vault.Open(t.Context(), vault.Config{Bucket: "mem://", Keys: "mem://keys", Key: key, Drivers: cloudvault.Drivers{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.CreateKeys(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := v.CreateKeys(t.Context(), "another"); err == nil {
		t.Fatal("the bucket is open after its vault was closed")
	}
	for _, c := range []vault.Config{{Bucket: "nothing://x", Keys: "mem://keys", Key: key}, {Bucket: "mem://", Keys: "mem://keys", Key: "nothing://x"}} {
		c.Drivers = cloudvault.Drivers{}
		if _, err := vault.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "nothing") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
