package vault

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/pkg/vault/internal/store"
)

// TestMarksOutliveTheirFile: a mark counts however the pack is opened and closed meanwhile,
// also where others are opened for that (TestManyPacks), and where v0.1.0 left it as a
// file of its own; and goes with what it is of.
func TestMarksOutliveTheirFile(t *testing.T) {
	t.Parallel()
	d, err := openDir(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	const mark = "objects/a/r/begun~erase.1"
	if err := d.Put(t.Context(), mark, nil, store.Mark); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), mark, nil, store.Mark); !errors.Is(err, store.ErrExists) {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "objects/ab/r/begun~erase.1", nil, store.Mark); err != nil {
		t.Fatal("another system's mark is taken for one's own", err)
	}
	if err := d.putFile("objects/a/r/begun~erase.2", []byte("x"), store.Create); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "objects/a/r/begun~erase.2", nil, store.Mark); !errors.Is(err, store.ErrExists) {
		t.Fatal(err)
	}
	if err := d.Remove(t.Context(), "objects/a/r/"); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), mark, nil, store.Mark); err != nil {
		t.Fatal(err)
	}
}

// TestManyPacks: many more packs than are held open are written, marked and read at once,
// by two processes, and removed meanwhile; nothing is lost of those that stay.
func TestManyPacks(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	var dirs [2]*dir
	for i := range dirs {
		d, err := openDir(root, false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		dirs[i] = d
	}
	const requests, goroutines = 2 * maxOpenPacks, 8
	var firsts [requests]atomic.Int32
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			d := dirs[g%len(dirs)]
			for r := range requests {
				r = (r*7 + g*31) % requests
				key := fmt.Sprintf("objects/a/r%d/", r)
				if err := d.Put(t.Context(), fmt.Sprintf("%s%d", key, g), fmt.Appendf(nil, "%d of %d", g, r), store.Object); err != nil {
					t.Error(err)
				}
				switch err := d.Put(t.Context(), key+"begun~1", nil, store.Mark); {
				case err == nil:
					firsts[r].Add(1)
				case !errors.Is(err, store.ErrExists):
					t.Error(err)
				}
				if err := d.Remove(t.Context(), fmt.Sprintf("requests/gone%d", r)); err != nil {
					t.Error(err)
				}
				if err := d.Put(t.Context(), fmt.Sprintf("objects/a/gone%d/%d", r, g), []byte("x"), store.Object); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for r := range requests {
		if n := firsts[r].Load(); n != 1 {
			t.Fatalf("of request %d, %d were the first", r, n)
		}
		for g := range goroutines {
			got, err := get(t.Context(), dirs[(g+1)%len(dirs)], fmt.Sprintf("objects/a/r%d/%d", r, g))
			if err != nil || string(got) != fmt.Sprintf("%d of %d", g, r) {
				t.Fatalf("%q, %v", got, err)
			}
		}
	}
	for _, d := range dirs {
		if n := d.packs.open.Len(); n > maxOpenPacks {
			t.Fatalf("%d are open", n)
		}
	}
}

// TestIdlePacksAreClosed: a pack that nobody uses isn't held open, and is opened again.
func TestIdlePacksAreClosed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		d, err := openDir(root, false)
		if err != nil {
			t.Fatal(err)
		}
		open := func() int {
			d.packs.mu.Lock()
			defer d.packs.mu.Unlock()
			return d.packs.open.Len()
		}
		put := func(request string) {
			if err := d.Put(t.Context(), "objects/a/"+request+"/x", []byte("x"), store.Object); err != nil {
				t.Fatal(err)
			}
		}
		put("one")
		time.Sleep(packIdle / 2) //nolint:forbidigo // in a bubble of synctest
		put("other")
		if open() != 2 {
			t.Fatal(open())
		}
		time.Sleep(packIdle/2 + time.Second) //nolint:forbidigo // in a bubble of synctest
		if synctest.Wait(); open() != 1 {
			t.Fatal(open())
		}
		time.Sleep(packIdle) //nolint:forbidigo // in a bubble of synctest
		if synctest.Wait(); open() != 0 {
			t.Fatal(open())
		}
		put("one")
		if open() != 1 {
			t.Fatal(open())
		}
		if err := d.Close(); err != nil || open() != 0 {
			t.Fatal(open(), err)
		}
	})
}

// TestRemovedElsewhere: what is written to a request that another process has shredded
// doesn't vanish in the file that was removed.
func TestRemovedElsewhere(t *testing.T) {
	t.Parallel()
	d, err := openDir(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	const key = "objects/a/r/x"
	for range 2 {
		if err := d.Put(t.Context(), key, []byte("x"), store.Object); err != nil {
			t.Fatal(err)
		}
		if got, err := get(t.Context(), d, key); err != nil || string(got) != "x" {
			t.Fatal(got, err)
		}
		if err := os.Remove(d.path("requests/r")); err != nil {
			t.Fatal(err)
		}
		if _, err := get(t.Context(), d, key); !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
}
