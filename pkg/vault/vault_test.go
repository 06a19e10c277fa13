package vault_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"testing"

	"habeas.dev/pkg/vault"
)

const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

func open(t testing.TB, dir string) *vault.Vault {
	t.Helper()
	return openAs(t, dir, false)
}

func openAs(t testing.TB, dir string, apart bool) *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), vault.Config{Bucket: dir + "/vault", Apart: apart, Keys: dir + "/keys", Key: dir + "/master.key", CreateKey: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func TestLife(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	v := open(t, t.TempDir())
	k, err := v.CreateKeys(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Seal([]byte("hello"), vault.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := k.Open(sealed, vault.Identifier); err != nil || string(plain) != "hello" {
		t.Fatal(plain, err)
	}
	for _, n := range []int{0, 1, 4096, 64 << 10, 64<<10 + 1, 1 << 20} {
		want := bytes.Repeat([]byte("x"), n)
		w, err := v.Create(ctx, request, "billing/gather/1-abcdef01")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := v.OpenObject(ctx, request, "billing/gather/1-abcdef01")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatal(n, len(got), err)
		}
		r.Close()
	}
	if err := v.Shred(ctx, request); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Keys(ctx, request); !errors.Is(err, vault.ErrShredded) {
		t.Fatal(err)
	}
	if _, err := v.CreateKeys(ctx, request); !errors.Is(err, vault.ErrShredded) {
		t.Fatal(err)
	}
	if _, err := k.Open(sealed, vault.Identifier); !errors.Is(err, vault.ErrShredded) {
		t.Fatal(err)
	}
}

// TestSecrets: a key for each purpose, that no fingerprint or digest gives away.
func TestSecrets(t *testing.T) {
	t.Parallel()
	v := open(t, t.TempDir())
	a, b := v.Secret("sessions"), v.Secret("letters")
	if len(a) != 32 || bytes.Equal(a, b) || !bytes.Equal(a, v.Secret("sessions")) {
		t.Fatalf("%d bytes, or not a key for each purpose", len(a))
	}
	for _, other := range []string{v.Digest([]byte("sessions")), v.Digest([]byte("secret\x00sessions")), v.Fingerprint("secret", "sessions"), v.Fingerprint("sessions", "")} {
		if other == hex.EncodeToString(a) {
			t.Fatal("what anyone can have hashed is a key")
		}
	}
}

// TestBackups: who has a copy of the objects and the master key opens nothing of them,
// nor does who has the keys and not the objects; with both, all of it opens.
func TestBackups(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	v := open(t, root)
	if _, err := v.CreateKeys(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	const name = "billing/gather/1-abcdef01"
	w, err := v.Create(t.Context(), request, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "a record"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		folders []string
		want    error
	}{{[]string{"vault"}, vault.ErrNoKeys}, {[]string{"keys"}, vault.ErrNoObject}, {[]string{"vault", "keys"}, nil}} {
		backup := t.TempDir()
		for _, folder := range c.folders {
			if err := os.CopyFS(backup+"/"+folder, os.DirFS(root+"/"+folder)); err != nil {
				t.Fatal(err)
			}
		}
		key, err := os.ReadFile(root + "/master.key")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(backup+"/master.key", key, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, backup).OpenObject(t.Context(), request, name); !errors.Is(err, c.want) {
			t.Errorf("a copy of %v: %v, want %v", c.folders, err, c.want)
		}
	}
}
