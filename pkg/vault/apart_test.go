package vault_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/vault"
)

// TestASystemsFolder: a worker that sees its system's folder and nothing else of the vault,
// as a container does that has it mounted alone, reads, writes, marks and deletes; whoever
// sees all finds what it has left, and what it leaves lies in no other folder.
func TestASystemsFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := openAs(t, dir, true)
	keys, err := all.CreateKeys(t.Context(), request)
	must(t, err)
	write := func(o *vault.Objects, name string, size int) {
		t.Helper()
		k, err := keys.ObjectKey(name)
		must(t, err)
		w, err := o.Create(t.Context(), k, name)
		must(t, err)
		_, err = w.Write(bytes.Repeat([]byte("x"), size))
		must(t, errors.Join(err, w.Close()))
	}
	read := func(o *vault.Objects, name string) (int, error) {
		t.Helper()
		k, err := keys.ObjectKey(name)
		must(t, err)
		r, err := o.Open(t.Context(), k, name)
		if err != nil {
			return 0, err
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		return len(b), err
	}
	write(all.Objects, "billing/grant-gather/1-g", 100)
	write(all.Objects, "account/gather/1-a", 100)

	mounted := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(mounted, "objects"), 0o700))
	must(t, os.Symlink(filepath.Join(dir, "vault", "objects", "billing"), filepath.Join(mounted, "objects", "billing")))
	worker, err := vault.OpenObjects(t.Context(), vault.Config{Bucket: mounted, Apart: true})
	must(t, err)
	t.Cleanup(func() { _ = worker.Close() })
	if n, err := read(worker, "billing/grant-gather/1-g"); n != 100 || err != nil {
		t.Errorf("what it was left: %d, %v", n, err)
	}
	if _, err := read(worker, "account/gather/1-a"); !errors.Is(err, vault.ErrNoObject) {
		t.Errorf("another's: %v", err)
	}
	write(worker, "billing/gather/1-b", 100)
	write(worker, "billing/gather/1-c", 1<<20)
	for _, want := range []bool{true, false} {
		if first, err := worker.Mark(t.Context(), request, "billing/begun/erase.1"); first != want || err != nil {
			t.Errorf("mark: %v, %v", first, err)
		}
	}
	for name, size := range map[string]int{"billing/gather/1-b": 100, "billing/gather/1-c": 1 << 20} {
		if n, err := read(all.Objects, name); n != size || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	must(t, filepath.WalkDir(filepath.Join(dir, "vault"), func(path string, d os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(filepath.Join(dir, "vault"), path); err == nil && !d.IsDir() && !strings.HasPrefix(rel, "objects/billing/") && !strings.HasPrefix(rel, "objects/account/") {
			t.Errorf("%s is in no system's folder", rel)
		}
		return err
	}))
	must(t, all.Shred(t.Context(), request))
	for _, system := range []string{"billing", "account"} {
		if left, err := os.ReadDir(filepath.Join(dir, "vault", "objects", system)); err != nil || len(left) > 0 {
			t.Errorf("of %s is left: %v, %v", system, left, err)
		}
	}
}

// TestApartLater: what lay in packs that systems shared is read, marked and deleted once
// each has its own.
func TestApartLater(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := open(t, dir)
	_, err := before.CreateKeys(t.Context(), request)
	must(t, err)
	w, err := before.Create(t.Context(), request, "billing/gather/1-a")
	must(t, err)
	_, err = io.WriteString(w, "x")
	must(t, errors.Join(err, w.Close()))
	_, err = before.Mark(t.Context(), request, "billing/begun/erase.1")
	must(t, err)
	must(t, before.Close())

	after := openAs(t, dir, true)
	r, err := after.OpenObject(t.Context(), request, "billing/gather/1-a")
	must(t, err)
	must(t, r.Close())
	if first, err := after.Mark(t.Context(), request, "billing/begun/erase.1"); first || err != nil {
		t.Errorf("marked twice: %v, %v", first, err)
	}
	must(t, after.DeleteObjects(t.Context(), request, "billing/"))
	if _, err := after.OpenObject(t.Context(), request, "billing/gather/1-a"); !errors.Is(err, vault.ErrNoObject) {
		t.Errorf("deleted: %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
