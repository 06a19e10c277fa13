package vault_test

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"
	"gocloud.dev/secrets/driver"
	"gocloud.dev/secrets/localsecrets"

	"habeas.dev/pkg/vault"
)

func TestMasterKey(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	open(t, root) // makes bucket and key

	good, err := os.ReadFile(root + "/master.key")
	if err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(root + "/master.key")
	if info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode())
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(good)))
	if err != nil || len(raw) != 32 {
		t.Fatal(len(raw), err)
	}
	write := func(name, s string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := base64.StdEncoding.EncodeToString(make([]byte, 32))

	for name, c := range map[string]struct {
		key, says string
		create    bool
		is        error
	}{
		"path":            {key: root + "/master.key"},
		"file URL":        {key: "file://" + root + "/master.key", create: true},
		"base64key":       {key: "base64key://" + base64.URLEncoding.EncodeToString(raw)},
		"base64key, std":  {key: "base64key://" + base64.StdEncoding.EncodeToString(raw)},
		"wrong":           {key: write("key", other), is: vault.ErrWrongKey, says: "give the key that this vault was set up with"},
		"wrong URL":       {key: "base64key://" + base64.URLEncoding.EncodeToString(make([]byte, 32)), is: vault.ErrWrongKey},
		"missing":         {key: root + "/none", says: "put it there"},
		"missing, in use": {key: root + "/none", create: true, says: "put it there"},
		"no key":          {key: write("key", "hunter2"), says: "want 32 bytes in base64"},
		"short":           {key: "base64key://c2VjcmV0", says: "want 32 bytes in base64"},
		"none":            {says: "set Key"},
		"no such scheme":  {key: "nothing://x", says: "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := vault.Open(t.Context(), vault.Config{Bucket: root + "/vault", Key: c.key, CreateKey: c.create})
			if c.says == "" && c.is == nil {
				if err != nil {
					t.Fatal(err)
				}
				v.Close()
				return
			}
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Fatal(err)
			}
			for _, secret := range []string{"\n", "hunter2", "c2VjcmV0", other} {
				if strings.Contains(err.Error(), secret) {
					t.Fatalf("%q tells too much", err)
				}
			}
		})
	}
	if _, err := os.Stat(root + "/none"); err == nil {
		t.Fatal("made a key for a bucket that has another")
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	key := "base64key://" + base64.URLEncoding.EncodeToString(make([]byte, 32))
	for bucket, says := range map[string]string{"": "set Bucket", "nothing://x": "nothing", "file://host/x": "want file:///path"} {
		if _, err := vault.Open(t.Context(), vault.Config{Bucket: bucket, Key: key}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", bucket, err)
		}
	}
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
	b := memblob.OpenBucket(nil)
	open := func() *vault.Vault {
		v, err := vault.New(t.Context(), b, secrets.NewKeeper(o))
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
