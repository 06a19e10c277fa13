package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/links"
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
	step(anew, old, 2, "--again is about link keys", "rotate", "--master", "--again")
	step(anew, old, 0, "vault.key wraps all 3 keys, 3 of them since now", "rotate", "--master")
	step(anew, "", 0, "The sealing key is written", "sealing", filepath.Join(dir, "sealing.key"))
	step(old, "", 1, "wrong master key: give the one that this vault was set up with, or the newest where it was rotated", "sealing", filepath.Join(dir, "sealing.key"))
}

// TestRotateLinks: of several rotations at once, of one that is killed in its middle, and of one
// that is run again, each key is moved on once and not twice, so that whoever has the file
// of before opens what the one of now seals. A key that is missing or damaged keeps no other
// from it.
func TestRotateLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "habeas.yaml")
	if err := os.WriteFile(config, []byte("data: "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := links.NewFolder(filepath.Join(dir, "links"), false)
	var systems []string
	for i := range 200 { // enough that a rotation takes a while
		systems = append(systems, fmt.Sprintf("s%03d", i))
	}
	run := func(args ...string) (int, string) {
		return says(t, append(append(append([]string{"keys"}, args...), "--config", config), systems...)...)
	}
	if status, out := run("init"); status != 0 {
		t.Fatal(out)
	}
	before := map[string]*link.Key{}
	spread := func() {
		t.Helper()
		for _, s := range systems {
			text, err := os.ReadFile(folder.Path(s))
			if err != nil {
				t.Fatal(err)
			}
			copied := filepath.Join(t.TempDir(), s)
			if err := os.WriteFile(copied, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if before[s], err = link.Open(copied); err != nil {
				t.Fatal(err)
			}
			settled := time.Now().Add(-2 * links.Settles)
			if err := os.Chtimes(folder.Path(s), settled, settled); err != nil {
				t.Fatal(err)
			}
		}
	}
	// moved tells how many keys were moved on, and that none was twice.
	moved := func() (n int) {
		t.Helper()
		for _, s := range systems {
			k, err := link.Open(folder.Path(s))
			if err != nil {
				t.Fatal(err)
			}
			switch opens, changed := sealsFor(t, k, before[s]), movedOn(t, folder.Path(s)); {
			case !opens:
				t.Errorf("%s was moved on twice", s)
			case changed:
				n++
			}
		}
		return n
	}
	if status, out := run("rotate", "--links"); status != 0 || strings.Count(out, "is left as it is") != len(systems) {
		t.Fatalf("just made: %d %s", status, out)
	}
	spread()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if status, out := run("rotate", "--links"); status != 0 && !strings.Contains(out, "another rotation of these link keys is running") {
				t.Errorf("%d %s", status, out)
			}
		})
	}
	all.Wait()
	if n := moved(); n != len(systems) {
		t.Errorf("at once: %d were moved on", n)
	}

	spread()
	cmd := command(t.Context(), append([]string{"keys", "rotate", "--links", "--config", config}, systems...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it is in the middle
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	t.Logf("killed after %d", moved())
	if status, out := run("rotate", "--links"); status != 0 {
		t.Fatalf("%d %s", status, out)
	}
	if n := moved(); n != len(systems) {
		t.Errorf("killed, and again: %d were moved on", n)
	}

	spread()
	if err := os.Remove(folder.Path("s000")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder.Path("s100"), []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, text := run("rotate", "--links", "--again")
	systems = slices.DeleteFunc(systems, func(s string) bool { return s == "s000" || s == "s100" })
	if status != 1 || !strings.Contains(text, "s000.json") || !strings.Contains(text, "s100.json") || strings.Contains(text, "hunter2") {
		t.Errorf("%d %s", status, text)
	}
	if n := moved(); n != len(systems) {
		t.Errorf("beside a missing and a damaged one: %d were moved on", n)
	}
}

// movedOn reports whether a key's file was written since [links.Settles].
func movedOn(t *testing.T, path string) bool {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return time.Since(info.ModTime()) < links.Settles
}

// sealsFor reports whether what is sealed by a key opens by another.
func sealsFor(t *testing.T, by, to *link.Key) bool {
	t.Helper()
	about := link.Envelope{RequestID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", System: "account", Action: dsar.Gather, Attempt: 1}
	data, err := by.SealReport(about, []byte("nonce"), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := link.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.InMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = link.NewHub(v, oneKey{to}, time.Now).OpenReport(t.Context(), e)
	return !errors.Is(err, link.ErrNotSealed)
}

type oneKey struct{ key *link.Key }

func (k oneKey) Key(string) (*link.Key, error) { return k.key, nil }
