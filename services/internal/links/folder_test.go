package links_test

import (
	"errors"
	"os"
	"testing"

	"habeas.dev/pkg/link"
	"habeas.dev/services/internal/links"
)

// TestKeysAreOnlyRead: a key is made for a system of the configuration, and for none that
// a message names.
func TestKeysAreOnlyRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := links.NewFolder(dir, true)
	if _, err := f.Key("stranger"); !errors.Is(err, link.ErrNoKey) {
		t.Error(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Error(files, err)
	}
	made, err := f.Make("account")
	if err != nil {
		t.Fatal(err)
	}
	if k, err := f.Key("account"); err != nil || k != made {
		t.Error(err)
	}
	if _, err := links.NewFolder(t.TempDir(), false).Make("account"); !errors.Is(err, link.ErrNoKey) {
		t.Error(err)
	}
}
