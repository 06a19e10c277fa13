package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"habeas.dev/services/habeas/upstream"
)

// TestDiskFull fills the disk under `habeas up`. Requests are refused while it is
// full, with words; those that were taken end as soon as there is room again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	u := newUp(t)
	config, err := os.ReadFile(u.dir + "/habeas.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", u.dir, "tmpfs", 0, "size=10m"); err != nil {
		t.Skipf("a small file system can't be mounted: %v", err)
	}
	t.Cleanup(func() {
		u.kill()
		if err := syscall.Unmount(u.dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(u.dir+"/habeas.yaml", config, 0o600); err != nil {
		t.Fatal(err)
	}
	asked := killRequests()
	u.start()
	refused := 0
	for _, r := range asked {
		if _, err := upstream.Post(t.Context(), u.url, "", r.JSON()); err != nil {
			refused++
			if !strings.Contains(err.Error(), "503") {
				t.Errorf("refused with %v", err)
			}
		}
	}
	if refused == 0 {
		t.Error("the disk was never full")
	}
	t.Logf("%d of %d refused", refused, len(asked))
	if err := syscall.Mount("tmpfs", u.dir, "tmpfs", syscall.MS_REMOUNT, "size=512m"); err != nil {
		t.Fatal(err)
	}
	u.submit(asked)
	u.finish(asked)
}
