package secretfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

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
