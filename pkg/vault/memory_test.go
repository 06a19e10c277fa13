package vault_test

import (
	"io"
	"runtime"
	"testing"
)

// TestFlatMemory writes and reads 256 MiB, and never holds more than a few
// segments of it: what a process needs doesn't grow with an object.
func TestFlatMemory(t *testing.T) { // not parallel: it looks at the whole process' memory
	if testing.Short() {
		t.Skip("moves half a gigabyte")
	}
	const (
		size    = 256 << 20
		ceiling = 8 << 20 // over what was in use before; four buffers of 64 KiB are what it takes
	)
	v := open(t, t.TempDir())
	if _, err := v.CreateKeys(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, most := live(), int64(0)
	look := func(moved int) {
		if moved%(32<<20) == 0 {
			most = max(most, live()-before)
		}
	}
	chunk := make([]byte, 32<<10)
	w, err := v.Create(t.Context(), request, "billing/gather/1-0")
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < size; n += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
		look(n)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := v.OpenObject(t.Context(), request, "billing/gather/1-0")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for n := 0; ; n += len(chunk) {
		if _, err := io.ReadFull(r, chunk); err == io.EOF {
			if n != size {
				t.Fatal(n)
			}
			break
		} else if err != nil {
			t.Fatal(err)
		}
		look(n)
	}
	t.Logf("%d MiB through %d KiB", size>>20, most>>10)
	if most > ceiling {
		t.Fatalf("%d bytes more than before", most)
	}
}
