package sqlitejournal_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"habeas.dev/services/internal/journal/journaltest"
)

// TestDiskFull fills a real, small disk, where this machine lets us mount one.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("no disk to fill: mount: %v (TestFull has the same with SQLite's own limit)", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	path, ballast := filepath.Join(dir, "journal.db"), filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	n := fill(t, s, path)
	verify(t, s, "big", n)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(ctx, journaltest.Simple("big", n)); err != nil {
		t.Fatalf("it doesn't go on: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	verify(t, open(t, path), "big", n+1)
}
