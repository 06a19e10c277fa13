package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"habeas.dev/pkg/vault/internal/store"
)

// faulty is a bucket whose nth step fails: once before it has any effect, once
// after it had all of it and only the answer was lost, once half way.
type faulty struct {
	store.Bucket
	*faults
}

// faults count the steps of several buckets together.
type faults struct {
	mu    sync.Mutex
	steps int
	at    int // the step that fails; 0 for none
	how   faultKind
}

type faultKind int

const (
	faultBefore faultKind = iota
	faultAfter
	faultHalf // of a write or a read; elsewhere as before
	faultKinds
)

var errFault = errors.New("injected")

// step does one step, or fails it.
func (f *faults) step(do func() error) error {
	if hit, how := f.hit(); hit {
		if how == faultAfter {
			if err := do(); err != nil {
				return err
			}
		}
		return errFault
	}
	return do()
}

func (f *faults) hit() (bool, faultKind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.steps++
	return f.steps == f.at, f.how
}

func (f *faulty) Read(ctx context.Context, key string) (r io.ReadCloser, n int64, err error) {
	if hit, _ := f.hit(); hit {
		return nil, 0, errFault
	}
	r, n, err = f.Bucket.Read(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	return &faultyReader{f: f, ReadCloser: r}, n, nil
}

func (f *faulty) Put(ctx context.Context, key string, data []byte, mode store.Mode) error {
	return f.step(func() error { return f.Bucket.Put(ctx, key, data, mode) })
}

func (f *faulty) Write(ctx context.Context, key string) (store.Writer, error) {
	if hit, _ := f.hit(); hit {
		return nil, errFault
	}
	w, err := f.Bucket.Write(ctx, key)
	if err != nil {
		return nil, err
	}
	return &faultyWriter{f: f, Writer: w}, nil
}

func (f *faulty) Folders(ctx context.Context, prefix string) (folders []string, err error) {
	err = f.step(func() (err error) {
		folders, err = f.Bucket.Folders(ctx, prefix)
		return err
	})
	return folders, err
}

func (f *faulty) Remove(ctx context.Context, prefix string) error {
	return f.step(func() error { return f.Bucket.Remove(ctx, prefix) })
}

type faultyReader struct {
	f *faulty
	io.ReadCloser
}

func (r *faultyReader) Read(p []byte) (int, error) {
	if hit, how := r.f.hit(); hit {
		n := 0
		if how == faultHalf {
			n, _ = r.ReadCloser.Read(p[:(len(p)+1)/2])
		}
		return n, errFault
	}
	return r.ReadCloser.Read(p)
}

type faultyWriter struct {
	f *faulty
	store.Writer
}

func (w *faultyWriter) Write(p []byte) (int, error) {
	if hit, how := w.f.hit(); hit {
		n := 0
		if how == faultHalf {
			n, _ = w.Writer.Write(p[:len(p)/2])
		}
		return n, errFault
	}
	return w.Writer.Write(p)
}

func (w *faultyWriter) Commit() error {
	hit, how := w.f.hit()
	switch {
	case !hit:
		return w.Writer.Commit()
	case how == faultAfter:
		if err := w.Writer.Commit(); err != nil {
			return err
		}
	default:
		w.Writer.Abort()
	}
	return errFault
}

// TestFaults fails each step that a life of a request takes in the store, in
// each way, and then looks at everything: what was said to be done is done, no
// object is there in part, what was sealed opens, and doing it all again ends
// as if nothing had happened.
func TestFaults(t *testing.T) {
	t.Parallel()
	for how := range faultKinds {
		t.Run([]string{"before", "after", "half"}[how], func(t *testing.T) {
			t.Parallel()
			at := 1
			for !failAt(t, at, how) {
				at++
			}
			if at < 20 {
				t.Fatalf("only %d steps", at)
			}
		})
	}
}

// life is what a request goes through, and what was said to have succeeded.
type life struct {
	v              *Vault
	small, long    []byte
	sealed         []byte
	wrote          map[string][]byte
	deleted, ended bool
}

func (l *life) run(ctx context.Context) error {
	k, err := l.v.CreateKeys(ctx, "r")
	if err != nil {
		return err
	}
	if l.sealed == nil {
		if l.sealed, err = k.Seal([]byte("hello"), Identifier); err != nil {
			return err
		}
	}
	for name, b := range map[string][]byte{"a/gather/1-small": l.small, "a/gather/1-long": l.long} {
		w, err := l.v.Create(ctx, "r", name)
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		if err != nil {
			w.Abort()
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		l.wrote[name] = b
		l.v.cache.drop() // so that keys are read as often as objects
		if err := l.check(ctx, l.v); err != nil {
			return err
		}
	}
	if err := l.v.DeleteObjects(ctx, "r", "a/gather/1-small"); err != nil {
		return err
	}
	l.deleted = true
	if err := l.v.Shred(ctx, "r"); err != nil {
		return err
	}
	l.ended = true
	return nil
}

// check reads whatever was said to be there, and whatever may be.
func (l *life) check(ctx context.Context, v *Vault) error {
	for name, want := range map[string][]byte{"a/gather/1-small": l.small, "a/gather/1-long": l.long} {
		r, err := v.OpenObject(ctx, "r", name)
		if errors.Is(err, ErrNoObject) && l.wrote[name] == nil {
			continue
		}
		if err != nil {
			return err
		}
		got, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			return errors.New("an object in part")
		}
	}
	return nil
}

func failAt(t *testing.T, at int, how faultKind) (done bool) {
	t.Helper()
	root := t.TempDir()
	key := randomMaster()
	openVault := func(at int) (*Vault, *faults, error) {
		d, err := openDir(root+"/objects", false)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := openDir(root+"/keys", false)
		if err != nil {
			t.Fatal(err)
		}
		f := &faults{at: at, how: how}
		v, err := New(t.Context(), &faulty{d, f}, KeysIn(&faulty{keys, f}), key)
		return v, f, err
	}
	l := &life{small: []byte("small"), long: bytes.Repeat([]byte("long"), 60_000), wrote: map[string][]byte{}}
	v, f, err := openVault(at)
	if err == nil {
		l.v = v
		err = l.run(t.Context())
	}
	if err == nil {
		return f.steps < at
	}
	if !errors.Is(err, errFault) {
		t.Fatalf("step %d, %d: %v", at, how, err)
	}

	// The same process goes on, and another one begins.
	whole, _, err := openVault(0)
	if err != nil {
		t.Fatalf("step %d, %d: open again: %v", at, how, err)
	}
	for _, v := range []*Vault{l.v, whole} {
		if v == nil {
			continue
		}
		k, err := v.Keys(t.Context(), "r")
		switch {
		case l.ended || l.deleted && errors.Is(err, ErrShredded):
		case l.sealed == nil && errors.Is(err, ErrNoKeys):
		case err != nil:
			t.Fatalf("step %d, %d: %v", at, how, err)
		case l.sealed != nil:
			if _, err := k.Open(l.sealed, Identifier); err != nil && !(l.deleted && errors.Is(err, ErrShredded)) {
				t.Fatalf("step %d, %d: %v", at, how, err)
			}
			if !l.deleted && len(l.wrote) < 2 {
				if err := l.check(t.Context(), v); err != nil {
					t.Fatalf("step %d, %d: %v", at, how, err)
				}
			}
		}
	}
	again := &life{v: whole, small: l.small, long: l.long, sealed: l.sealed, wrote: map[string][]byte{}}
	if err := again.run(t.Context()); err != nil && !(l.deleted && errors.Is(err, ErrShredded)) {
		t.Fatalf("step %d, %d: again: %v", at, how, err)
	}
	if err := whole.Shred(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := whole.Keys(t.Context(), "r"); !errors.Is(err, ErrShredded) {
		t.Fatal(err)
	}
	return false
}
