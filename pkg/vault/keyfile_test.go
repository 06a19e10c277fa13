package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/vault/internal/store"
)

func keysFolder(t *testing.T) *dir {
	t.Helper()
	d, err := openDir(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// TestEndedKeysAreWiped: whatever creates and replaces a root at the moment of its end, in
// this process or another, nothing of it is left in the file, and the other root is whole.
func TestEndedKeysAreWiped(t *testing.T) {
	t.Parallel()
	here := keysFolder(t)
	there, err := openDir(here.root, false)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 30 {
		request := fmt.Sprintf("r%d", round)
		ended, living := KeysIn(here), []byte("the living root "+request)
		if err := ended.CreateKey(t.Context(), request+".records", living); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i, d := range []*dir{here, there, here, there} {
			all.Go(func() {
				err := KeysIn(d).CreateKey(t.Context(), request+".subject", fmt.Appendf(nil, "a secret root, created %d", i))
				if err != nil && !errors.Is(err, ErrKeyExists) {
					t.Error(err)
				}
				if err := KeysIn(d).ReplaceKey(t.Context(), request+".subject", fmt.Appendf(nil, "a secret root, replaced %d", i)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if err := ended.ReplaceKey(t.Context(), request+".subject", endedMark); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		file, err := os.ReadFile(here.path("keys/" + request + ".roots"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(file, []byte("a secret root")) {
			t.Fatalf("something of the root is left: %q", file)
		}
		for _, d := range []*dir{here, there} {
			if got, err := KeysIn(d).ReadKey(t.Context(), request+".subject"); err != nil || !isEnded(got) {
				t.Fatalf("%q, %v", got, err)
			}
			if got, err := KeysIn(d).ReadKey(t.Context(), request+".records"); err != nil || !bytes.Equal(got, living) {
				t.Fatalf("%q, %v", got, err)
			}
		}
	}
}

// TestReplacedKeysAreWiped: of a root that was wrapped anew only the new wrapping is left.
func TestReplacedKeysAreWiped(t *testing.T) {
	t.Parallel()
	d := keysFolder(t)
	keys := KeysIn(d)
	if err := keys.CreateKey(t.Context(), "r.subject", []byte("wrapped by the old key")); err != nil {
		t.Fatal(err)
	}
	for _, anew := range []string{"wrapped by the new key", "wrapped by the newest"} {
		if err := keys.ReplaceKey(t.Context(), "r.subject", []byte(anew)); err != nil {
			t.Fatal(err)
		}
		if got, err := keys.ReadKey(t.Context(), "r.subject"); err != nil || string(got) != anew {
			t.Fatalf("%q, %v", got, err)
		}
	}
	file, err := os.ReadFile(d.path("keys/r.roots"))
	if err != nil || bytes.Contains(file, []byte("the old key")) || bytes.Contains(file, []byte("the new key")) {
		t.Fatalf("%q, %v", file, err)
	}
}

// TestEndingGoesOn: an end whose process died after it was written, and before what it ends
// was overwritten, is an end, and is finished by the next one.
func TestEndingGoesOn(t *testing.T) {
	t.Parallel()
	d := keysFolder(t)
	keys := KeysIn(d)
	if err := keys.CreateKey(t.Context(), "r.subject", []byte("a secret root")); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(d.path("keys/r.roots"), packFlags, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(appendFrame(nil, frameReplaced, "subject", endedMark)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if got, err := keys.ReadKey(t.Context(), "r.subject"); err != nil || !isEnded(got) {
		t.Fatalf("%q, %v", got, err)
	}
	if err := keys.ReplaceKey(t.Context(), "r.subject", endedMark); err != nil {
		t.Fatal(err)
	}
	if file, err := os.ReadFile(d.path("keys/r.roots")); err != nil || bytes.Contains(file, []byte("secret")) {
		t.Fatalf("%q, %v", file, err)
	}
}

// TestTornKeys: what a process left half-written when it died is no key, and keeps nobody
// from making one.
func TestTornKeys(t *testing.T) {
	t.Parallel()
	d := keysFolder(t)
	if err := os.MkdirAll(d.path("keys"), dirMode); err != nil {
		t.Fatal(err)
	}
	torn := appendFrame(nil, frameCreated, "subject", []byte("half a root"))
	if err := os.WriteFile(d.path("keys/r.roots"), torn[:len(torn)-3], fileMode); err != nil {
		t.Fatal(err)
	}
	keys := KeysIn(d)
	if _, err := keys.ReadKey(t.Context(), "r.subject"); !errors.Is(err, ErrNoKeys) {
		t.Fatal(err)
	}
	if err := keys.CreateKey(t.Context(), "r.subject", []byte("a whole one")); err != nil {
		t.Fatal(err)
	}
	if got, err := keys.ReadKey(t.Context(), "r.subject"); err != nil || string(got) != "a whole one" {
		t.Fatalf("%q, %v", got, err)
	}
}

// TestKeysOfTheirOwnFiles: a root that lies in a file of its own, as v0.1.0 made them, is
// read, isn't made a second time, and ends there.
func TestKeysOfTheirOwnFiles(t *testing.T) {
	t.Parallel()
	d := keysFolder(t)
	if err := d.putFile("keys/r.subject", []byte("an old root"), store.Create); err != nil {
		t.Fatal(err)
	}
	keys := KeysIn(d)
	if err := keys.CreateKey(t.Context(), "r.subject", []byte("another")); !errors.Is(err, ErrKeyExists) {
		t.Fatal(err)
	}
	exists, err := createRoots(t.Context(), keys, "r", sealedRoots{[]byte("another"), []byte("a new root")})
	if err != nil || exists != [rootCount]bool{SubjectRoot: true} {
		t.Fatal(exists, err)
	}
	for name, want := range map[string]string{"r.subject": "an old root", "r.records": "a new root"} {
		if got, err := keys.ReadKey(t.Context(), name); err != nil || string(got) != want {
			t.Fatalf("%s: %q, %v", name, got, err)
		}
	}
	if err := keys.ReplaceKey(t.Context(), "r.subject", endedMark); err != nil {
		t.Fatal(err)
	}
	if got, err := keys.ReadKey(t.Context(), "r.subject"); err != nil || !isEnded(got) {
		t.Fatalf("%q, %v", got, err)
	}
	if file, err := os.ReadFile(d.path("keys/r.subject")); err != nil || !isEnded(file) {
		t.Fatalf("%q, %v", file, err)
	}
}

// TestKeyNames: a folder of keys lists each root of a request, wherever it lies.
func TestKeyNames(t *testing.T) {
	t.Parallel()
	d := keysFolder(t)
	keys := KeysIn(d)
	for _, name := range []string{"index", "new.subject", "new.records"} {
		if err := keys.CreateKey(t.Context(), name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"keys/old.subject", "keys/old.records"} {
		if err := d.putFile(name, []byte("x"), store.Create); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	err := keys.(NameLister).KeyNames(context.Background(), func(name string) error {
		names = append(names, name)
		return nil
	})
	if slices.Sort(names); err != nil || strings.Join(names, " ") != "index new.records new.subject old.records old.subject" {
		t.Fatal(names, err)
	}
}

// TestEachWritten tells when each request's keys were written, and the zero time where the store
// doesn't know.
func TestEachWritten(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	d := keysFolder(t)
	for _, c := range []struct {
		keys KeyStore
		want time.Time
	}{{KeysIn(d), at}, {KeysIn(&store.Memory{}), time.Time{}}} {
		for _, name := range []string{"index", "new.subject", "new.records"} {
			if err := c.keys.CreateKey(t.Context(), name, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if !c.want.IsZero() {
			if err := os.Chtimes(d.path("keys/new.roots"), at, at); err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		err := (&Vault{keys: c.keys}).EachWritten(t.Context(), func(id string, written time.Time) error {
			if n++; id != "new" || !written.Equal(c.want) {
				t.Errorf("%s was written at %s, want %s", id, written, c.want)
			}
			return nil
		})
		if err != nil || n != 1 {
			t.Errorf("%d requests, %v", n, err)
		}
	}
}
