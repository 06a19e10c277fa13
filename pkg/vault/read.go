package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"habeas.dev/pkg/vault/internal/store"
)

// OpenObject opens an object for reading, as a stream. What was read is to be
// trusted as the whole object only when io.EOF came; an object that was changed
// or cut short ends in [ErrCorrupt] instead. [ErrNoObject] where there is none.
func (v *Vault) OpenObject(ctx context.Context, requestID, name string) (io.ReadCloser, error) {
	if err := checkObjectName(name); err != nil {
		return nil, err
	}
	k, err := v.Keys(ctx, requestID)
	if err != nil {
		return nil, err
	}
	r, err := v.openObject(ctx, k, name)
	if err != nil {
		return nil, objectError(k, name, err)
	}
	return r, nil
}

func (v *Vault) openObject(ctx context.Context, k *Keys, name string) (io.ReadCloser, error) {
	blob, size, err := v.bucket.Read(ctx, objectKey(k.requestID, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoObject
	}
	if err != nil {
		return nil, err
	}
	if size <= 1+sealOverhead+maxWhole {
		defer blob.Close()
		return v.openWhole(k, name, blob, int(size))
	}
	r, err := openStream(k, name, blob)
	if err != nil {
		blob.Close()
		return nil, err
	}
	return r, nil
}

// openWhole reads a blob that is short enough to be of one piece.
func (v *Vault) openWhole(k *Keys, name string, blob io.Reader, size int) (io.ReadCloser, error) {
	lent := v.buffer()
	defer v.giveBack(lent)
	if cap(*lent) < size {
		*lent = make([]byte, 0, size)
	}
	sealed := (*lent)[:size]
	*lent = sealed
	if _, err := io.ReadFull(blob, sealed); err != nil {
		return nil, err
	}
	if size == 0 || sealed[0] != whole {
		// A stream is never that short: this one was cut.
		return nil, ErrCorrupt
	}
	plain, err := k.small.Decrypt(sealed[1:], k.bind("object", name))
	if err != nil {
		return nil, ErrCorrupt
	}
	return io.NopCloser(bytes.NewReader(plain)), nil
}

func openStream(k *Keys, name string, blob io.ReadCloser) (io.ReadCloser, error) {
	var kind [1]byte
	if _, err := io.ReadFull(blob, kind[:]); err != nil {
		return nil, err
	}
	if kind[0] != streamed {
		return nil, ErrCorrupt
	}
	s, err := k.stream()
	if err != nil {
		return nil, err
	}
	src := &source{r: blob}
	dec, err := s.NewDecryptingReader(src, k.bind("stream", name))
	if err != nil {
		return nil, err
	}
	return &objectReader{k: k, name: name, src: src, dec: dec, blob: blob}, nil
}

// objectReader reads a long object. Its first error stays: Tink's reader
// answers io.EOF after a segment that it couldn't open.
type objectReader struct {
	k    *Keys
	name string
	src  *source
	dec  io.Reader
	blob io.Closer
	err  error
}

func (r *objectReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.dec.Read(p)
	switch {
	case err == nil:
	case r.src.err != nil: // the store failed, not the object
		r.err = objectError(r.k, r.name, r.src.err)
	case errors.Is(err, io.EOF):
		r.err = io.EOF
	default:
		r.err = objectError(r.k, r.name, ErrCorrupt)
	}
	return n, r.err
}

// Close may come before the end.
func (r *objectReader) Close() error {
	if r.err == nil {
		r.err = objectError(r.k, r.name, errors.New("read after close"))
	}
	return r.blob.Close()
}

// source remembers what the store said, which Tink's errors don't tell.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// DeleteObjects deletes the objects of a request whose names begin with the
// prefix; all of them where it is empty. What is already gone is no error.
func (v *Vault) DeleteObjects(ctx context.Context, requestID, prefix string) error {
	if err := checkRequestID(requestID); err != nil {
		return err
	}
	if err := checkPrefix(prefix); err != nil {
		return err
	}
	if err := v.bucket.Remove(ctx, objectKey(requestID, prefix)); err != nil {
		return fmt.Errorf("vault: delete objects of request %s: %w", requestID, err)
	}
	return nil
}

func objectError(k *Keys, name string, err error) error {
	return fmt.Errorf("vault: read object %s of request %s: %w", name, k.requestID, err)
}
