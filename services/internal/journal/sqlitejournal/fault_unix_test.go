//go:build unix

package sqlitejournal_test

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/sqlitejournal"
)

// nobody is any user that owns nothing here; root is refused nothing, so as root
// the test goes on as this one.
const nobody = 65534

// TestReadOnly opens a journal that may be read but not written.
func TestReadOnly(t *testing.T) {
	if path, is := isChild(); is {
		readOnly(t, path)
		return
	}
	t.Parallel()
	dir, err := os.MkdirTemp("", "readonly") // not t.TempDir, whose parents others may not enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Chmod(dir, 0o700)
		_ = os.RemoveAll(dir)
	})
	path := filepath.Join(dir, "journal.db")
	s := open(t, path)
	if err := s.Append(ctx, journaltest.Simple("r", 0)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		readOnly(t, path)
		return
	}
	cmd := child(t, path)
	cmd.Path = copyExecutable(t)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.Output(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func readOnly(t *testing.T, path string) {
	s, err := sqlitejournal.Open(ctx, sqlitejournal.Config{Path: path})
	if err == nil {
		err = s.Append(ctx, journaltest.Simple("r", 1))
		_ = s.Close()
	}
	oneLine(t, err, path, journal.ErrUnavailable)
	if _, err := sqlitejournal.Open(ctx, sqlitejournal.Config{Path: filepath.Join(filepath.Dir(path), "new.db")}); err == nil {
		t.Error("a file was made in a read-only folder")
	} else {
		oneLine(t, err, "new.db", journal.ErrUnavailable)
	}
}

// copyExecutable puts this test where another user may run it.
func copyExecutable(t *testing.T) string {
	t.Helper()
	from, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	dir, err := os.MkdirTemp("", "testbinary")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	to, err := os.OpenFile(filepath.Join(dir, "test"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return to.Name()
}
