package vault_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"testing"

	"habeas.dev/pkg/vault"
)

const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

func open(t testing.TB, dir string) *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), vault.Config{Bucket: dir + "/vault", Key: dir + "/master.key", CreateKey: true})
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
