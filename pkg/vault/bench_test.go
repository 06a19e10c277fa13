package vault_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/vault"
)

// cpu reports the CPU time of an operation as well: with files, the system's
// share is most of it, and waiting for the disk costs none.
func cpu(b *testing.B) func() {
	used := func() time.Duration {
		var r syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
			b.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

// stores are the two that need no network.
var stores = []string{"dir", "mem"}

func openStore(b *testing.B, store string) *vault.Vault {
	if store == "dir" {
		return open(b, b.TempDir())
	}
	v, err := vault.InMemory(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return v
}

func each(b *testing.B, f func(b *testing.B, v *vault.Vault)) {
	for _, s := range stores {
		b.Run(s, func(b *testing.B) {
			v := openStore(b, s)
			b.ReportAllocs()
			f(b, v)
		})
	}
}

func BenchmarkCreateKeys(b *testing.B) {
	each(b, func(b *testing.B, v *vault.Vault) {
		defer cpu(b)()
		for b.Loop() {
			if _, err := v.CreateKeys(context.Background(), uuid.NewString()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Many at once: the waits for the disk overlap.
func BenchmarkCreateKeysParallel(b *testing.B) {
	each(b, func(b *testing.B, v *vault.Vault) {
		defer cpu(b)()
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := v.CreateKeys(context.Background(), uuid.NewString()); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// Keys that are in the cache.
func BenchmarkKeys(b *testing.B) {
	v := open(b, b.TempDir())
	v.CreateKeys(b.Context(), request)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Keys(context.Background(), request); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	v := open(b, b.TempDir())
	k, _ := v.CreateKeys(b.Context(), request)
	plain := []byte("camille.o'brien@example.com")
	b.ReportAllocs()
	for b.Loop() {
		sealed, _ := k.Seal(plain, vault.Identifier)
		if _, err := k.Open(sealed, vault.Identifier); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFingerprint(b *testing.B) {
	v := open(b, b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		v.Fingerprint("email", "Camille.O'Brien@example.com")
	}
}

// An object of one system: 20 records.
func BenchmarkWriteObject4K(b *testing.B) {
	data := make([]byte, 4096)
	each(b, func(b *testing.B, v *vault.Vault) {
		var ids [1024]string
		for i := range ids {
			ids[i] = uuid.NewString()
			if _, err := v.CreateKeys(b.Context(), ids[i]); err != nil {
				b.Fatal(err)
			}
		}
		n := 0
		stop := cpu(b)
		for b.Loop() {
			w, err := v.Create(context.Background(), ids[n/8%len(ids)], fmt.Sprintf("billing/gather/1-%08x", n))
			if err != nil {
				b.Fatal(err)
			}
			w.Write(data)
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			n++
		}
		stop()
	})
}

func BenchmarkReadObject4K(b *testing.B) {
	data := make([]byte, 4096)
	each(b, func(b *testing.B, v *vault.Vault) {
		v.CreateKeys(b.Context(), request)
		w, _ := v.Create(b.Context(), request, "billing/gather/1-0")
		w.Write(data)
		w.Close()
		defer cpu(b)()
		for b.Loop() {
			r, err := v.OpenObject(context.Background(), request, "billing/gather/1-0")
			if err != nil {
				b.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, r); err != nil || n != 4096 {
				b.Fatal(n, err)
			}
			r.Close()
		}
	})
}

// What one access request over six systems asks of the vault: keys, sealed
// identifiers, six objects of 4 KiB and their reading, the bundle's recipient.
func BenchmarkRequest(b *testing.B) {
	data := make([]byte, 4096)
	plain := []byte("camille.o'brien@example.com")
	each(b, func(b *testing.B, v *vault.Vault) {
		ctx := context.Background()
		defer cpu(b)()
		for b.Loop() {
			id := uuid.NewString()
			k, err := v.CreateKeys(ctx, id)
			if err != nil {
				b.Fatal(err)
			}
			for range 8 {
				v.Fingerprint("email", "camille.o'brien@example.com")
				sealed, _ := k.Seal(plain, vault.Identifier)
				k.Open(sealed, vault.Identifier)
			}
			for i := range 6 {
				w, _ := v.Create(ctx, id, fmt.Sprintf("system%d/gather/1-00000000", i))
				w.Write(data)
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
			for i := range 6 {
				r, err := v.OpenObject(ctx, id, fmt.Sprintf("system%d/gather/1-00000000", i))
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, r)
				r.Close()
			}
		}
	})
}

func BenchmarkStreamObject(b *testing.B) {
	chunk := make([]byte, 32<<10)
	rand.Read(chunk)
	const size = 64 << 20
	v := open(b, b.TempDir())
	v.CreateKeys(b.Context(), request)
	b.Run("write", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			w, _ := v.Create(context.Background(), request, "billing/gather/1-0")
			for range size / len(chunk) {
				w.Write(chunk)
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			r, _ := v.OpenObject(context.Background(), request, "billing/gather/1-0")
			if n, err := io.Copy(io.Discard, r); err != nil || n != size {
				b.Fatal(n, err)
			}
			r.Close()
		}
	})
}

// The marks that nine systems leave of one erasure, at once.
func BenchmarkMarks(b *testing.B) {
	each(b, func(b *testing.B, v *vault.Vault) {
		defer cpu(b)()
		for b.Loop() {
			id := uuid.NewString()
			var all sync.WaitGroup
			for i := range 9 {
				all.Go(func() {
					if first, err := v.Mark(context.Background(), id, fmt.Sprintf("system%d/begun/erase.1", i)); err != nil || !first {
						b.Error(first, err)
					}
				})
			}
			all.Wait()
		}
	})
}
