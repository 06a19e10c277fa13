// Package vaulttest is the conformance suite of a vault: what package vault
// promises, held against one kind of store. Every store that a vault can lie in
// is run through it.
package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	atomicint "sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/pkg/vault"
)

// Store is one empty store.
type Store struct {
	// Open opens the vault; again and again it is the same store and master
	// key, as another process would open it.
	Open func(tb testing.TB) *vault.Vault
	// Blobs is everything that lies in the store, by name.
	Blobs func(tb testing.TB) map[string][]byte
	// Set replaces a blob's content behind the vault's back.
	Set func(tb testing.TB, name string, content []byte)
}

// Run holds the suite against the stores that fresh makes.
func Run(t *testing.T, fresh func(tb testing.TB) Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s Store)
	}{
		{"CreatedOnce", createdOnce},
		{"KeptApart", keptApart},
		{"Objects", objects},
		{"Replaced", replaced},
		{"Deleted", deleted},
		{"Atomic", atomic},
		{"Tampered", tampered},
		{"ScopesApart", scopesApart},
		{"RootsEndApart", rootsEndApart},
		{"MarkedOnce", markedOnce},
		{"Shredded", shredded},
		{"ShreddedElsewhere", shreddedElsewhere},
		{"ShreddedWhileCreating", shreddedWhileCreating},
		{"Names", names},
		{"Cancelled", cancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, fresh(t))
		})
	}
}

const (
	one   = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	other = "0b6fd3a2-1d7c-4c53-8f53-70d5f2f0a9c4"
	name  = "billing/gather/1-abcdef01"
)

// sizes are on both sides of every border that an implementation may have.
var sizes = []int{0, 1, 100, 4 << 10, 16<<10 - 40, 16 << 10, 64 << 10, 64<<10 + 1, 128 << 10, 1 << 20}

func content(size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(size), byte(size >> 8), byte(size >> 16)})
	r.Read(b)
	return b
}

func keys(t *testing.T, v *vault.Vault, request string) *vault.Keys {
	t.Helper()
	k, err := v.CreateKeys(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func write(t *testing.T, v *vault.Vault, request, name string, b []byte) {
	t.Helper()
	w, err := v.Create(t.Context(), request, name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for len(b) > 0 { // in pieces, as a worker does
		n := min(len(b), 30_000)
		if _, err := w.Write(b[:n]); err != nil {
			t.Fatal(err)
		}
		b = b[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(v *vault.Vault, request, name string) ([]byte, error) {
	return readAll(v.OpenObject(context.Background(), request, name))
}

func readAll(r io.ReadCloser, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func want(t *testing.T, v *vault.Vault, request, name string, b []byte) {
	t.Helper()
	got, err := read(v, request, name)
	if err != nil || !bytes.Equal(got, b) {
		t.Fatalf("read %d bytes of %d: %v", len(got), len(b), err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// createdOnce: of many that create keys at once, in two processes, all get the
// same.
func createdOnce(t *testing.T, s Store) {
	vaults := []*vault.Vault{s.Open(t), s.Open(t)}
	_, err := vaults[0].Keys(t.Context(), one)
	wantError(t, err, vault.ErrNoKeys)
	_, err = vaults[0].Create(t.Context(), one, name)
	wantError(t, err, vault.ErrNoKeys)
	for round := range 8 {
		request := fmt.Sprintf("request-%d", round)
		got := make([]*vault.Keys, 16)
		var start, all sync.WaitGroup
		start.Add(1)
		for i := range got {
			all.Go(func() {
				start.Wait()
				k, err := vaults[i%len(vaults)].CreateKeys(t.Context(), request)
				if err != nil {
					t.Error(err)
				}
				got[i] = k
			})
		}
		start.Done()
		all.Wait()
		if t.Failed() {
			return
		}
		late, err := s.Open(t).Keys(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range got {
			sealed, err := k.Seal([]byte("x"), vault.Identifier)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := late.Open(sealed, vault.Identifier); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// keptApart: what is sealed opens only with its request's keys, in its context.
func keptApart(t *testing.T, s Store) {
	v := s.Open(t)
	a, b := keys(t, v, one), keys(t, v, other)
	sealed, err := a.Seal([]byte("hello"), vault.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := a.Open(sealed, vault.Identifier); err != nil || string(plain) != "hello" {
		t.Fatal(err)
	}
	_, err = a.Open(sealed, vault.ReportDetail)
	wantError(t, err, vault.ErrCorrupt)
	_, err = b.Open(sealed, vault.Identifier)
	wantError(t, err, vault.ErrCorrupt)
	_, err = a.Open(sealed[:len(sealed)-1], vault.Identifier)
	wantError(t, err, vault.ErrCorrupt)
	_, err = a.Open(nil, vault.Identifier)
	wantError(t, err, vault.ErrCorrupt)

	later, err := s.Open(t).Keys(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := later.Open(sealed, vault.Identifier); err != nil || string(plain) != "hello" {
		t.Fatal(err)
	}

	// The same person is found again by any process, and by no other vault.
	if v.Fingerprint("email", " A@x.org") != s.Open(t).Fingerprint("email", "a@x.org ") {
		t.Fatal("two fingerprints of one address")
	}
	if v.Fingerprint("email", "a") == v.Fingerprint("phone", "a") || v.Digest([]byte("a")) == v.Digest([]byte("b")) {
		t.Fatal("one hash of two things")
	}
}

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

// rootsEndApart: all that comes of a root ends with it, and what comes of the other
// goes on.
func rootsEndApart(t *testing.T, s Store) {
	v := s.Open(t)
	for _, c := range []struct {
		root         vault.Root
		gone, stays  string
		dead, living vault.Kind
	}{
		{vault.RecordsRoot, "a/gather/1-x", "a/plan/1-x", vault.BundleKey, vault.Identifier},
		{vault.SubjectRoot, "a/plan/1-x", "a/gather/1-x", vault.Identifier, vault.BundleKey},
	} {
		request := "request-" + c.root.String()
		k := keys(t, v, request)
		for _, n := range []string{c.gone, c.stays} {
			write(t, v, request, n, content(100))
		}
		dead, err := k.Seal([]byte("hello"), c.dead)
		if err != nil {
			t.Fatal(err)
		}
		living, err := k.Seal([]byte("hello"), c.living)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := v.End(t.Context(), request, c.root); err != nil {
				t.Fatal(err)
			}
		}
		_, err = k.Open(dead, c.dead)
		wantError(t, err, vault.ErrShredded)
		for _, v := range []*vault.Vault{v, s.Open(t)} {
			again, err := v.CreateKeys(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			if !again.Ended(c.root) {
				t.Fatal("it isn't said to be ended")
			}
			_, err = again.Open(dead, c.dead)
			wantError(t, err, vault.ErrShredded)
			_, err = again.Seal(nil, c.dead)
			wantError(t, err, vault.ErrShredded)
			_, err = read(v, request, c.gone)
			wantError(t, err, vault.ErrShredded)
			_, err = v.Create(t.Context(), request, c.gone)
			wantError(t, err, vault.ErrShredded)
			if plain, err := again.Open(living, c.living); err != nil || string(plain) != "hello" {
				t.Fatal(err)
			}
			want(t, v, request, c.stays, content(100))
		}
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

// shredded: nothing opens any more, at once, and nothing is left but the mark.
func shredded(t *testing.T, s Store) {
	v := s.Open(t)
	held := keys(t, v, one)
	keys(t, v, other)
	sealed, err := held.Seal([]byte("hello"), vault.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range sizes {
		write(t, v, one, fmt.Sprintf("a/gather/1-%d", i), content(size))
	}
	write(t, v, other, name, content(10))
	pending, err := v.Create(t.Context(), one, name)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := v.Shred(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, pending.Close(), vault.ErrShredded)
	_, err = held.Open(sealed, vault.Identifier)
	wantError(t, err, vault.ErrShredded)
	_, err = held.Seal(nil, vault.Identifier)
	wantError(t, err, vault.ErrShredded)
	for _, v := range []*vault.Vault{v, s.Open(t)} {
		_, err = v.Keys(t.Context(), one)
		wantError(t, err, vault.ErrShredded)
		_, err = v.CreateKeys(t.Context(), one)
		wantError(t, err, vault.ErrShredded)
		_, err = v.Create(t.Context(), one, name)
		wantError(t, err, vault.ErrShredded)
		_, err = read(v, one, name)
		wantError(t, err, vault.ErrShredded)
	}
	want(t, v, other, name, content(10))
	left := 0
	for blob, b := range s.Blobs(t) {
		if strings.Contains(blob, one) {
			left += len(b)
		}
	}
	if left > 200 {
		t.Fatalf("%d bytes of the request are left", left)
	}

	// Who was never seen can be shredded too, and never be.
	if err := v.Shred(t.Context(), "never-seen"); err != nil {
		t.Fatal(err)
	}
	_, err = v.CreateKeys(t.Context(), "never-seen")
	wantError(t, err, vault.ErrShredded)
}

// shreddedElsewhere: another process uses opened keys no longer than CacheTTL.
func shreddedElsewhere(t *testing.T, s Store) {
	synctest.Test(t, func(t *testing.T) {
		here, there := s.Open(t), s.Open(t)
		keys(t, here, one)
		k, err := there.Keys(t.Context(), one)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(vault.CacheTTL + time.Second) //nolint:forbidigo // in a bubble of synctest
		if again, err := there.Keys(t.Context(), one); err != nil || again != k {
			t.Fatal("keys that are still there were opened a second time", err)
		}
		if err := here.Shred(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		time.Sleep(vault.CacheTTL + time.Second) //nolint:forbidigo // in a bubble of synctest
		_, err = there.Keys(t.Context(), one)
		wantError(t, err, vault.ErrShredded)
		_, err = k.Seal(nil, vault.Identifier) // it knows now
		wantError(t, err, vault.ErrShredded)
	})
}

// shreddedWhileCreating: whoever comes first, in the end the keys are gone.
func shreddedWhileCreating(t *testing.T, s Store) {
	v, w := s.Open(t), s.Open(t)
	for i := range 20 {
		request := fmt.Sprintf("request-%d", i)
		var all sync.WaitGroup
		for _, v := range []*vault.Vault{v, v, w} {
			all.Go(func() {
				if _, err := v.CreateKeys(t.Context(), request); err != nil && !errors.Is(err, vault.ErrShredded) {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if err := v.Shred(t.Context(), request); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		for _, v := range []*vault.Vault{v, s.Open(t)} {
			_, err := v.Keys(t.Context(), request)
			wantError(t, err, vault.ErrShredded)
		}
	}
}

// names: nothing of what is sealed shows in the store or in an error.
func names(t *testing.T, s Store) {
	const canary = "canary-camille.o'brien@example.com"
	v := s.Open(t)
	k := keys(t, v, one)
	keys(t, v, other)
	for i, size := range []int{1, 1000, 10_000} {
		write(t, v, one, fmt.Sprintf("a/gather/1-%d", i), bytes.Repeat([]byte(canary), size))
	}
	sealed, err := k.Seal([]byte(canary), vault.Identifier)
	if err != nil || bytes.Contains(sealed, []byte(canary)) {
		t.Fatal(err)
	}
	v.Fingerprint("email", canary)
	for blob, b := range s.Blobs(t) {
		if strings.Contains(blob, "canary") || bytes.Contains(b, []byte("canary")) {
			t.Fatal("personal data lies open in", blob)
		}
	}

	var errs []error
	try := func(err error) {
		t.Helper()
		if err == nil {
			t.Fatal("no error")
		}
		errs = append(errs, err)
	}
	for _, bad := range []string{canary, "a/gather", "a/gather/1/x-y", "", "..", "a/../b", "/a", "a/", "a//b", ".hidden", "a/.b", "a\x00b", strings.Repeat("canary", 100), "~keys", "a~b"} {
		_, err = v.Create(t.Context(), one, bad)
		wantError(t, err, vault.ErrName)
		try(err)
		_, err = v.OpenObject(t.Context(), one, bad)
		wantError(t, err, vault.ErrName)
		try(err)
		if !strings.HasPrefix(bad, "a/gather") && bad != "a/" {
			err = v.DeleteObjects(t.Context(), one, bad)
			wantError(t, err, vault.ErrName)
			try(err)
		}
		if _, err := v.Mark(t.Context(), one, bad); !strings.HasPrefix(bad, "a/gather") {
			wantError(t, err, vault.ErrName)
			try(err)
		}
		_, err = v.CreateKeys(t.Context(), bad)
		wantError(t, err, vault.ErrName)
		try(err)
		_, err = v.Keys(t.Context(), bad)
		wantError(t, err, vault.ErrName)
		try(err)
		err = v.Shred(t.Context(), bad)
		wantError(t, err, vault.ErrName)
		try(err)
	}
	b, err := v.Keys(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Open(sealed, vault.Identifier)
	try(err)
	for _, err := range errs {
		if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
			t.Fatalf("error tells too much: %v", err)
		}
	}
}

// cancelled: a context that is over stops everything that goes to the store.
func cancelled(t *testing.T, s Store) {
	v := s.Open(t)
	keys(t, v, one)
	write(t, v, one, name, content(10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v = s.Open(t)
	_, err := v.CreateKeys(ctx, other)
	wantError(t, err, context.Canceled)
	_, err = v.Keys(ctx, one)
	wantError(t, err, context.Canceled)
	_, err = v.OpenObject(ctx, one, name)
	wantError(t, err, context.Canceled)
	wantError(t, v.DeleteObjects(ctx, one, "billing/"), context.Canceled)
	wantError(t, v.Shred(ctx, one), context.Canceled)
	want(t, v, one, name, content(10))
}
