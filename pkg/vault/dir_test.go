package vault

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Nobody but the owner sees anything, and nothing temporary is left.
func TestPermissions(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "new", "vault")
	v, err := Open(t.Context(), Config{Bucket: "file://" + root, Keys: "file://" + root + ".keys", Key: "file://" + root + ".key", CreateKey: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.CreateKeys(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{10, 100 << 10} {
		w, err := v.Create(t.Context(), "r", "a/gather/1-x")
		if err != nil {
			t.Fatal(err)
		}
		w.Write(make([]byte, n))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Shred(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(filepath.Dir(root), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s: %v", path, info.Mode())
		}
		if strings.Contains(path, tmpPrefix) {
			t.Errorf("left behind: %s", path)
		}
		files++
		return nil
	})
	if err != nil || files < 8 {
		t.Fatal(files, err)
	}
}

func TestDiskErrors(t *testing.T) {
	t.Parallel()
	for err, says := range map[error]string{
		&fs.PathError{Op: "write", Path: "/v/x", Err: syscall.ENOSPC}: "the disk of /v is full: free some space and try again",
		&fs.PathError{Op: "write", Path: "/v/x", Err: syscall.EDQUOT}: "the disk of /v is full",
		&fs.PathError{Op: "open", Path: "/v/x", Err: syscall.EROFS}:   "/v can't be read or written: give this user the right to",
		&fs.PathError{Op: "open", Path: "/v/x", Err: syscall.EACCES}:  "/v can't be read or written",
	} {
		if got := diskError("/v", err).Error(); !strings.HasPrefix(got, says) || strings.Contains(got, "\n") {
			t.Error(got)
		}
	}
}

// A directory that can't be written says so, in one line, when it is opened.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Bucket: file, Keys: root + "/keys", Key: root + "/key", CreateKey: true}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	closed := filepath.Join(root, "closed")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Bucket: closed, Keys: root + "/keys", Key: root + "/key", CreateKey: true})
	if err == nil || !strings.Contains(err.Error(), "give this user the right to") {
		t.Fatal(err)
	}
}
