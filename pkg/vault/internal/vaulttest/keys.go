package vaulttest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
)

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

	// In a request a person has another fingerprint than in any other, until its end.
	own := func(k *vault.Keys, typ dsar.IdentifierType, value string) string {
		t.Helper()
		print, err := k.Fingerprint(typ, value)
		if err != nil {
			t.Fatal(err)
		}
		return print
	}
	if own(a, "email", " A@x.org") != own(later, "email", "a@x.org ") {
		t.Fatal("two fingerprints of one address in one request")
	}
	digest, err := a.Digest([]byte("email\x00a@x.org"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []string{own(b, "email", "a@x.org"), own(a, "phone", "a@x.org"), own(a, "email", "b@x.org"), v.Fingerprint("email", "a@x.org"), digest} {
		if o == own(a, "email", "a@x.org") {
			t.Fatal("a fingerprint is the same elsewhere")
		}
	}
	if err := v.End(t.Context(), other, vault.RecordsRoot); err != nil {
		t.Fatal(err)
	}
	own(b, "email", "a@x.org")
	if err := v.End(t.Context(), other, vault.SubjectRoot); err != nil {
		t.Fatal(err)
	}
	_, err = b.Fingerprint("email", "a@x.org")
	wantError(t, err, vault.ErrShredded)
	_, err = b.Digest(nil)
	wantError(t, err, vault.ErrShredded)
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
