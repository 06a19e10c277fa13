// Package vaulttest is the conformance suite of a vault: what package vault
// promises, held against one kind of store. Every store that a vault can lie in
// is run through it.
package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"habeas.dev/pkg/vault"
)

// Store is one empty store.
type Store struct {
	// Open opens the vault; again and again it is the same store and master
	// key, as another process would open it.
	Open func(tb testing.TB) *vault.Vault
	// Blobs is everything that lies in the store, by name.
	Blobs func(tb testing.TB) map[string][]byte
	// Set replaces a blob's content behind the vault's back.
	Set func(tb testing.TB, name string, content []byte)
}

// Run holds the suite against the stores that fresh makes.
func Run(t *testing.T, fresh func(tb testing.TB) Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s Store)
	}{
		{"CreatedOnce", createdOnce},
		{"KeptApart", keptApart},
		{"Objects", objects},
		{"Replaced", replaced},
		{"Deleted", deleted},
		{"Atomic", atomic},
		{"Tampered", tampered},
		{"ScopesApart", scopesApart},
		{"RootsEndApart", rootsEndApart},
		{"MarkedOnce", markedOnce},
		{"Shredded", shredded},
		{"ShreddedElsewhere", shreddedElsewhere},
		{"ShreddedWhileCreating", shreddedWhileCreating},
		{"Names", names},
		{"Cancelled", cancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, fresh(t))
		})
	}
}

const (
	one   = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	other = "0b6fd3a2-1d7c-4c53-8f53-70d5f2f0a9c4"
	name  = "billing/gather/1-abcdef01"
)

// sizes are on both sides of every border that an implementation may have.
var sizes = []int{0, 1, 100, 4 << 10, 16<<10 - 40, 16 << 10, 64 << 10, 64<<10 + 1, 128 << 10, 1 << 20}

func content(size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(size), byte(size >> 8), byte(size >> 16)})
	r.Read(b)
	return b
}

func keys(t *testing.T, v *vault.Vault, request string) *vault.Keys {
	t.Helper()
	k, err := v.CreateKeys(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func write(t *testing.T, v *vault.Vault, request, name string, b []byte) {
	t.Helper()
	w, err := v.Create(t.Context(), request, name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for len(b) > 0 { // in pieces, as a worker does
		n := min(len(b), 30_000)
		if _, err := w.Write(b[:n]); err != nil {
			t.Fatal(err)
		}
		b = b[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(v *vault.Vault, request, name string) ([]byte, error) {
	return readAll(v.OpenObject(context.Background(), request, name))
}

func readAll(r io.ReadCloser, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func want(t *testing.T, v *vault.Vault, request, name string, b []byte) {
	t.Helper()
	got, err := read(v, request, name)
	if err != nil || !bytes.Equal(got, b) {
		t.Fatalf("read %d bytes of %d: %v", len(got), len(b), err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// names: nothing of what is sealed shows in the store or in an error.
func names(t *testing.T, s Store) {
	const canary = "canary-camille.o'brien@example.com"
	v := s.Open(t)
	k := keys(t, v, one)
	keys(t, v, other)
	for i, size := range []int{1, 1000, 10_000} {
		write(t, v, one, fmt.Sprintf("a/gather/1-%d", i), bytes.Repeat([]byte(canary), size))
	}
	sealed, err := k.Seal([]byte(canary), vault.Identifier)
	if err != nil || bytes.Contains(sealed, []byte(canary)) {
		t.Fatal(err)
	}
	v.Fingerprint("email", canary)
	for blob, b := range s.Blobs(t) {
		if strings.Contains(blob, "canary") || bytes.Contains(b, []byte("canary")) {
			t.Fatal("personal data lies open in", blob)
		}
	}

	var errs []error
	try := func(err error) {
		t.Helper()
		if err == nil {
			t.Fatal("no error")
		}
		errs = append(errs, err)
	}
	for _, bad := range []string{canary, "a/gather", "a/gather/1/x-y", "", "..", "a/../b", "/a", "a/", "a//b", ".hidden", "a/.b", "a\x00b", strings.Repeat("canary", 100), "~keys", "a~b"} {
		_, err = v.Create(t.Context(), one, bad)
		wantError(t, err, vault.ErrName)
		try(err)
		_, err = v.OpenObject(t.Context(), one, bad)
		wantError(t, err, vault.ErrName)
		try(err)
		if !strings.HasPrefix(bad, "a/gather") && bad != "a/" {
			err = v.DeleteObjects(t.Context(), one, bad)
			wantError(t, err, vault.ErrName)
			try(err)
		}
		if _, err := v.Mark(t.Context(), one, bad); !strings.HasPrefix(bad, "a/gather") {
			wantError(t, err, vault.ErrName)
			try(err)
		}
		_, err = v.CreateKeys(t.Context(), bad)
		wantError(t, err, vault.ErrName)
		try(err)
		_, err = v.Keys(t.Context(), bad)
		wantError(t, err, vault.ErrName)
		try(err)
		err = v.Shred(t.Context(), bad)
		wantError(t, err, vault.ErrName)
		try(err)
	}
	b, err := v.Keys(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Open(sealed, vault.Identifier)
	try(err)
	for _, err := range errs {
		if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
			t.Fatalf("error tells too much: %v", err)
		}
	}
}

// cancelled: a context that is over stops everything that goes to the store.
func cancelled(t *testing.T, s Store) {
	v := s.Open(t)
	keys(t, v, one)
	write(t, v, one, name, content(10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v = s.Open(t)
	_, err := v.CreateKeys(ctx, other)
	wantError(t, err, context.Canceled)
	_, err = v.Keys(ctx, one)
	wantError(t, err, context.Canceled)
	_, err = v.OpenObject(ctx, one, name)
	wantError(t, err, context.Canceled)
	wantError(t, v.DeleteObjects(ctx, one, "billing/"), context.Canceled)
	wantError(t, v.Shred(ctx, one), context.Canceled)
	want(t, v, one, name, content(10))
}
