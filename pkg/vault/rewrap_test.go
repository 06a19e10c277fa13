package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/internal/store"
)

// TestDamagedKeys: keys that can't be opened, however they are damaged, stay as they are and
// are named; all others are wrapped by the new master key, and given to who seals.
func TestDamagedKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	v := h.opens()
	const n = 40
	id := func(i int) string { return fmt.Sprintf("r%02d", i) }
	sealed := map[string][]byte{}
	for i := range n {
		sealed[id(i)] = h.seal(h.create(v, id(i)), "a", vault.Identifier)
	}
	h.key(false)
	damages := []func([]byte) []byte{
		func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		func(b []byte) []byte { return b[:len(b)/2] },
		func([]byte) []byte { return []byte{} },
		func([]byte) []byte { return []byte("habeas wrapped 1\n\x07") },
		func([]byte) []byte { return []byte("habeas wrapped 1\n\x02\x00\x00short") },
		func(b []byte) []byte { return append([]byte("habeas wrapped 1\n\x02\x00\x00"), b...) },
	}
	damaged := map[string][]byte{}
	for i, damage := range damages {
		key := "keys/" + id(5*i) + ".subject"
		damaged[key] = damage(bytes.Clone(h.keys.Blobs()[key]))
		must(t, h.keys.Put(t.Context(), key, damaged[key], store.Replace))
	}
	names := func(err error) {
		t.Helper()
		if !errors.Is(err, vault.ErrUnopened) {
			t.Fatal(err)
		}
		for key := range damaged {
			if !strings.Contains(err.Error(), strings.TrimPrefix(key, "keys/")) {
				t.Errorf("%s isn't named: %v", key, err)
			}
		}
		for i := range n {
			if key := id(i) + ".subject"; damaged["keys/"+key] == nil && strings.Contains(err.Error(), key) {
				t.Errorf("%s is named: %v", key, err)
			}
		}
	}
	given, _, err := h.opens().GiveSealer(t.Context())
	names(err)
	if given != n-len(damaged) {
		t.Errorf("who seals was given its part of %d", given)
	}
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/new", []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), 0o600))
	both, err := vault.NewBy(t.Context(), h.objects, vault.KeysIn(h.keys), dir+"/new", h.master)
	must(t, err)
	_, _, err = both.Rewrap(t.Context())
	names(err)
	for key, was := range damaged {
		if now := h.keys.Blobs()[key]; string(now) != string(was) {
			t.Errorf("%s isn't as it was", key)
		}
	}
	anew, err := vault.NewBy(t.Context(), h.objects, vault.KeysIn(h.keys), dir+"/new")
	must(t, err)
	for i := range n {
		if damaged["keys/"+id(i)+".subject"] != nil {
			continue
		}
		k, err := anew.Keys(t.Context(), id(i))
		must(t, err)
		if plain, err := k.Open(sealed[id(i)], vault.Identifier); err != nil || string(plain) != "a" {
			t.Errorf("%s: %q, %v", id(i), plain, err)
		}
	}
	// By a master key that is another vault's, too, not every key is named.
	for i := range n {
		must(t, h.keys.Put(t.Context(), "keys/"+id(i)+".subject", []byte("of another vault, and long enough to be a key"), store.Replace))
	}
	_, _, err = both.Rewrap(t.Context())
	if err == nil || !strings.Contains(err.Error(), "and 20 more") {
		t.Error(err)
	}
}
