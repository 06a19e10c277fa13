package secretfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/internal/secretfile"
)

// TestWrite: a file is its owner's alone; one that is there is replaced or left, as it is asked
// for; and nothing lies beside it, whatever became of it.
func TestWrite(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "key")
	for _, c := range []struct {
		text, holds string
		place       func(from, to string) error
		err         error
	}{
		{"first", "first", os.Link, nil},
		{"second", "first", os.Link, fs.ErrExist},
		{"third", "third", os.Rename, nil},
		{"fourth", "third", func(string, string) error { return fs.ErrPermission }, fs.ErrPermission},
	} {
		if err := secretfile.Write(path, []byte(c.text), c.place); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.text, err, c.err)
		}
		text, err := os.ReadFile(path)
		if err != nil || string(text) != c.holds {
			t.Errorf("%s: it holds %q, %v", c.text, text, err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", c.text, info, err)
		}
		if names, err := os.ReadDir(folder); err != nil || len(names) != 1 {
			t.Errorf("%s: beside it lie %v, %v", c.text, names, err)
		}
	}
	if err := secretfile.Write(filepath.Join(folder, "none", "key"), nil, os.Rename); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that isn't there: %v", err)
	}
}

// TestLeft: what a process left that was killed while it wrote a secret is gone with the next
// write; what another is just writing, and what others have called so, stays.
func TestLeft(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	long := time.Now().Add(-2 * time.Hour)
	for name, old := range map[string]bool{".habeas-secret-1": true, ".habeas-secret-2": false, ".tmp-3": true} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("a whole secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if old {
			if err := os.Chtimes(path, long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := secretfile.Write(filepath.Join(folder, "key"), []byte("x"), os.Rename); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	if slices.Sort(names); !slices.Equal(names, []string{".habeas-secret-2", ".tmp-3", "key"}) {
		t.Error(names)
	}
}
