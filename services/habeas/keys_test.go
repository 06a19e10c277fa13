package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/vault"
)

// TestRotateMaster goes the steps of docs/keys.md at the command line: each says what is so, and
// where it can't go on, what to do.
func TestRotateMaster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, anew := filepath.Join(dir, "old.key"), filepath.Join(dir, "new.key")
	v, err := vault.Open(t.Context(), vault.Config{Bucket: filepath.Join(dir, "vault"), Keys: filepath.Join(dir, "vault-keys"), Key: old, CreateKey: true})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if _, err := v.CreateKeys(t.Context(), "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "habeas.yaml")
	write := func(key, others string) {
		t.Helper()
		text := fmt.Sprintf("data: %s\nvault: {bucket: %s/vault, keys: %s/vault-keys, key: %s, old_keys: [%s]}\n", dir, dir, dir, key, others)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	step := func(key, others string, status int, words string, args ...string) {
		t.Helper()
		write(key, others)
		got, out := says(t, append(append([]string{"keys"}, args...), "--config", config)...)
		if got != status || !strings.Contains(out, words) {
			t.Errorf("%v: status %d, want %d, and %q: %s", args, got, status, words, out)
		}
	}
	write(old, "")
	if status, out := says(t, "journal", "migrate", "--config", config); status != 0 {
		t.Fatal(out)
	}
	step(old, "", 1, "names no old master key", "rotate", "--master")
	step(old, anew, 1, "there is no master key at "+anew, "rotate", "--master")
	if err := os.WriteFile(anew, []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The step before: the new key opens, and wraps nothing yet.
	step(old, anew, 0, "vault.key wraps all 3 keys, 0 of them since now. Once it is the new key in every process", "rotate", "--master")
	step(anew, old, 2, "name no systems", "rotate", "--master", "billing")
	step(anew, old, 0, "vault.key wraps all 3 keys, 3 of them since now", "rotate", "--master")
	step(anew, "", 0, "The sealing key is written", "sealing", filepath.Join(dir, "sealing.key"))
	step(old, "", 1, "wrong master key: give the one that this vault was set up with, or the newest where it was rotated", "sealing", filepath.Join(dir, "sealing.key"))
}
