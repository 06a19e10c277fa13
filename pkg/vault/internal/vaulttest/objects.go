package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	atomicint "sync/atomic"
	"testing"

	"habeas.dev/pkg/vault"
)

// objects: what is written is read, whatever its length, by any process.
func objects(t *testing.T, s Store) {
	v := s.Open(t)
	keys(t, v, one)
	name := func(size int) string { return fmt.Sprintf("billing/gather/1-%08x", size) }
	for _, n := range sizes {
		write(t, v, one, name(n), content(n))
	}
	for _, v := range []*vault.Vault{v, s.Open(t)} {
		for _, n := range sizes {
			want(t, v, one, name(n), content(n))
		}
		_, err := read(v, one, "billing/gather/1-00000000x")
		wantError(t, err, vault.ErrNoObject)
	}
	keys(t, v, other)
	_, err := read(v, other, name(0))
	wantError(t, err, vault.ErrNoObject)

	// Many more than fit into any one file.
	small := content(8 << 10)
	for i := range 100 {
		write(t, v, other, fmt.Sprintf("crm/gather/1-%d", i), small)
	}
	for i := range 100 {
		want(t, v, other, fmt.Sprintf("crm/gather/1-%d", i), small)
	}

	// Writers at the same time don't mix.
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() { write(t, v, one, fmt.Sprintf("crm/gather/2-%d", i), content(1000*i*i)) })
	}
	all.Wait()
	for i := range 16 {
		want(t, v, one, fmt.Sprintf("crm/gather/2-%d", i), content(1000*i*i))
	}
}

// replaced: the last object of a name counts, whatever the lengths.
func replaced(t *testing.T, s Store) {
	v := s.Open(t)
	keys(t, v, one)
	for _, a := range sizes {
		for _, b := range []int{50, 30 << 10, 100 << 10} {
			write(t, v, one, name, content(a))
			write(t, v, one, name, content(b))
			want(t, v, one, name, content(b))
		}
	}
}

// deleted: a prefix takes what it names and nothing else.
func deleted(t *testing.T, s Store) {
	v := s.Open(t)
	keys(t, v, one)
	keys(t, v, other)
	all := []string{"a/gather/1-x", "a/gather/1-y", "a/gather/2-x", "a/erase/1-x", "ab/gather/1-x"}
	for _, size := range []int{10, 100 << 10} {
		reset := func() {
			for _, n := range all {
				write(t, v, one, n, content(size))
			}
			write(t, v, other, all[0], content(size))
		}
		for _, prefix := range []string{"a/gather/1-", "a/gather/", "a/", "a/g", "ab/gather/1-x", "none/", "ab/"} {
			reset()
			for range 2 { // the second time, there is nothing left
				if err := v.DeleteObjects(t.Context(), one, prefix); err != nil {
					t.Fatal(err)
				}
			}
			for _, n := range all {
				_, err := read(v, one, n)
				if gone := strings.HasPrefix(n, prefix); gone != errors.Is(err, vault.ErrNoObject) || !gone && err != nil {
					t.Fatalf("%q after %q: %v", n, prefix, err)
				}
			}
			want(t, v, other, all[0], content(size))
			write(t, v, one, all[0], content(size))
			want(t, v, one, all[0], content(size))
		}
	}
	if _, err := s.Open(t).Keys(t.Context(), one); err != nil {
		t.Fatal(err)
	}
}

// atomic: no reader sees anything of a writer that didn't close.
func atomic(t *testing.T, s Store) {
	v := s.Open(t)
	keys(t, v, one)
	for _, size := range sizes {
		name := fmt.Sprintf("billing/gather/1-%08x", size)
		begin := func(ctx context.Context) *vault.ObjectWriter {
			w, err := v.Create(ctx, one, name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(content(size)); err != nil {
				t.Fatal(err)
			}
			if w.Bytes() != int64(size) {
				t.Fatal(w.Bytes())
			}
			return w
		}
		gone := func() {
			t.Helper()
			_, err := read(v, one, name)
			wantError(t, err, vault.ErrNoObject)
		}

		w := begin(t.Context())
		gone()
		w.Abort()
		w.Abort()
		wantError(t, w.Close(), vault.ErrAborted)
		if _, err := w.Write([]byte("x")); err == nil {
			t.Fatal("written after the end")
		}
		gone()

		ctx, cancel := context.WithCancel(t.Context())
		w = begin(ctx)
		cancel()
		wantError(t, w.Close(), context.Canceled)
		gone()

		w = begin(t.Context())
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w.Abort() // does nothing
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		want(t, v, one, name, content(size))
	}
}

// tampered: whatever is done to the stored bytes, a reader sees the object as
// it was, or a typed error.
func tampered(t *testing.T, s Store) {
	v := s.Open(t)
	keys(t, v, one)
	keys(t, v, other)
	objects := map[string][]byte{"a/gather/1-small": content(500), "a/gather/1-middle": content(30 << 10), "a/gather/1-long": content(200 << 10)}
	for n, b := range objects {
		write(t, v, one, n, b)
		write(t, v, other, n, content(len(b)-1))
	}
	check := func(what string) {
		t.Helper()
		v := s.Open(t) // nothing is cached
		for n, b := range objects {
			got, err := read(v, one, n)
			if err == nil && !bytes.Equal(got, b) {
				t.Fatalf("%s: %s reads as something else", what, n)
			}
			if err != nil && !errors.Is(err, vault.ErrCorrupt) && !errors.Is(err, vault.ErrNoObject) && !errors.Is(err, vault.ErrNoKeys) {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	check("untouched")
	blobs := s.Blobs(t)
	random := rand.New(rand.NewPCG(1, 2))
	corrupt := 0
	for blob, was := range blobs {
		if !strings.Contains(blob, one) {
			continue
		}
		for range 40 {
			at := random.IntN(len(was))
			b := bytes.Clone(was)
			b[at] ^= 1 << random.IntN(8)
			s.Set(t, blob, b)
			check(fmt.Sprintf("%s: byte %d of %d flipped", blob, at, len(was)))
			s.Set(t, blob, was[:at])
			check(fmt.Sprintf("%s: cut to %d of %d", blob, at, len(was)))
			corrupt++
		}
		s.Set(t, blob, nil)
		check(blob + ": cut to 0")
		s.Set(t, blob, append(bytes.Clone(was), was...))
		check(blob + ": twice")
		// Another's blob in its place: the same request's, or another's.
		for from, b := range blobs {
			if from != blob {
				s.Set(t, blob, b)
				check(blob + ": replaced by " + from)
			}
		}
		s.Set(t, blob, was)
	}
	if corrupt == 0 {
		t.Fatal("nothing of the request lies in the store")
	}
	check("restored")
	for n, b := range objects {
		want(t, s.Open(t), one, n, b)
	}
}

// scopesApart: the key of one attempt opens and seals what is that attempt's, in any
// process, and nothing of another request, system, action or attempt.
func scopesApart(t *testing.T, s Store) {
	v := s.Open(t)
	k := keys(t, v, one)
	keys(t, v, other)
	names := []string{"a/gather/1-x", "a/gather/2-x", "a/gather/11-x", "a/plan/1-x", "b/gather/1-x"}
	for _, size := range []int{100, 200 << 10} {
		for _, request := range []string{one, other} {
			for _, n := range names {
				write(t, v, request, n, content(size))
			}
		}
		mine, err := k.ObjectKey(names[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, request := range []string{one, other} {
			for _, n := range names {
				// Whoever has the key may say that it is of anything.
				posing, err := vault.NewObjectKey(request, n[:strings.LastIndexByte(n, '-')], mine.Secret())
				if err != nil {
					t.Fatal(err)
				}
				got, err := readAll(s.Open(t).Objects.Open(t.Context(), posing, n))
				if own := request == one && n == names[0]; own && (err != nil || !bytes.Equal(got, content(size))) || !own && !errors.Is(err, vault.ErrCorrupt) {
					t.Fatalf("%s of %s: %d bytes, %v", n, request, len(got), err)
				}
			}
		}
		for _, n := range names[1:] {
			_, err := v.Objects.Open(t.Context(), mine, n)
			wantError(t, err, vault.ErrName)
			_, err = v.Objects.Create(t.Context(), mine, n)
			wantError(t, err, vault.ErrName)
		}
		w, err := s.Open(t).Objects.Create(t.Context(), mine, "a/gather/1-mine")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content(size)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		want(t, v, one, "a/gather/1-mine", content(size))
	}
}

// markedOnce: of many that leave one mark at once, in two processes, one is the first.
func markedOnce(t *testing.T, s Store) {
	vaults := []*vault.Vault{s.Open(t), s.Open(t)}
	for round := range 8 {
		mark := fmt.Sprintf("a/begun/%d", round)
		var first atomicint.Int32
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				was, err := vaults[i%len(vaults)].Mark(t.Context(), one, mark)
				if err != nil {
					t.Error(err)
				}
				if was {
					first.Add(1)
				}
			})
		}
		all.Wait()
		if first.Load() != 1 {
			t.Fatalf("%d were the first", first.Load())
		}
	}
	if was, err := s.Open(t).Mark(t.Context(), one, "b/begun/0"); err != nil || !was {
		t.Fatal("another system's mark is taken for one's own", err)
	}
}
