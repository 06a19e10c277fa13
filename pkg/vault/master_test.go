package vault_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		"wrong":           {key: write("key", other), is: vault.ErrWrongKey, says: "give the one that this vault was set up with"},
		"wrong URL":       {key: "base64key://" + base64.URLEncoding.EncodeToString(make([]byte, 32)), is: vault.ErrWrongKey},
		"missing":         {key: root + "/none", says: "put it there"},
		"missing, in use": {key: root + "/none", create: true, says: "put it there"},
		"no key":          {key: write("key", "hunter2"), says: "want 32 bytes in base64"},
		"short":           {key: "base64key://c2VjcmV0", says: "want 32 bytes in base64"},
		"none":            {says: "set Key"},
		"no such scheme":  {key: "nothing://hunter2@x", says: "no driver for nothing://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := vault.Open(t.Context(), vault.Config{Bucket: root + "/vault", Keys: root + "/keys", Key: c.key, CreateKey: c.create})
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
	for bucket, says := range map[string]string{"": "set Bucket", "nothing://hunter2@x": "no driver for nothing://", "file://host/x": "want file:///path"} {
		if _, err := vault.Open(t.Context(), vault.Config{Bucket: bucket, Keys: t.TempDir(), Key: key}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", bucket, err)
		}
	}
}
