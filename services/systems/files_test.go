package systems

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"gocloud.dev/blob/memblob"
	"habeas.dev/pkg/sqlsystem"
)

// TestFilesForgetOnce: folders and buckets hand out what lies in them until it is removed,
// and say then that there is nothing.
func TestFilesForgetOnce(t *testing.T) {
	t.Parallel()
	const name = "a/été 1:2.jpg"
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "a"), 0o700), os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	folder, _, err := openFiles(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	mem := memblob.OpenBucket(nil)
	defer mem.Close()
	if err := mem.WriteAll(t.Context(), name, []byte("x"), nil); err != nil {
		t.Fatal(err)
	}
	for kind, files := range map[string]sqlsystem.Files{"folder": folder, "bucket": bucket{mem}} {
		in, err := files.Open(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		text, err := io.ReadAll(in)
		if err := errors.Join(err, in.Close()); err != nil || string(text) != "x" {
			t.Errorf("%s: %q, %v", kind, text, err)
		}
		if err := files.Remove(t.Context(), name); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := files.Open(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", kind, err)
		}
		if err := files.Remove(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
