package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"habeas.dev/pkg/vault/internal/store"
)

// OpenObject opens an object for reading, as a stream, by the request's own keys. What
// was read is to be trusted as the whole object only when io.EOF came; an object that
// was changed or cut short ends in [ErrCorrupt] instead. [ErrNoObject] where there is
// none.
func (v *Vault) OpenObject(ctx context.Context, requestID, name string) (io.ReadCloser, error) {
	k, err := v.objectKey(ctx, requestID, name)
	if err != nil {
		return nil, err
	}
	return v.Objects.Open(ctx, k, name)
}

// objectKey returns the key of an object of a request.
func (v *Vault) objectKey(ctx context.Context, requestID, name string) (ObjectKey, error) {
	if err := checkObjectName(name); err != nil {
		return ObjectKey{}, err
	}
	keys, err := v.Keys(ctx, requestID)
	if err != nil {
		return ObjectKey{}, err
	}
	return keys.ObjectKey(name)
}

// Open opens an object that the key is of. See [Vault.OpenObject].
func (o *Objects) Open(ctx context.Context, k ObjectKey, name string) (io.ReadCloser, error) {
	if err := k.check(name); err != nil {
		return nil, err
	}
	if k.isEnded() {
		return nil, objectError(k, name, ErrShredded)
	}
	r, err := o.open(ctx, k, name)
	if err != nil {
		return nil, objectError(k, name, err)
	}
	return r, nil
}

func (o *Objects) open(ctx context.Context, k ObjectKey, name string) (io.ReadCloser, error) {
	blob, size, err := o.bucket.Read(ctx, objectKey(k.requestID, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoObject
	}
	if err != nil {
		return nil, err
	}
	if size <= 1+sealOverhead+maxWhole {
		defer blob.Close()
		return o.openWhole(k, name, blob, int(size))
	}
	r, err := openStream(k, name, blob)
	if err != nil {
		blob.Close()
		return nil, err
	}
	return r, nil
}

// openWhole reads a blob that is short enough to be of one piece.
func (o *Objects) openWhole(k ObjectKey, name string, blob io.Reader, size int) (io.ReadCloser, error) {
	lent := o.buffer()
	defer o.giveBack(lent)
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
	plain, err := k.small().Open(nil, nil, sealed[1:], bind("object", k.requestID, name))
	if err != nil {
		return nil, ErrCorrupt
	}
	return io.NopCloser(bytes.NewReader(plain)), nil
}

func openStream(k ObjectKey, name string, blob io.ReadCloser) (io.ReadCloser, error) {
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
	dec, err := s.NewDecryptingReader(src, bind("stream", k.requestID, name))
	if err != nil {
		if src.err != nil { // the store failed, not the object
			return nil, src.err
		}
		return nil, ErrCorrupt
	}
	return &objectReader{k: k, name: name, src: src, dec: dec, blob: blob}, nil
}

// objectReader reads a long object. Its first error stays: Tink's reader
// answers io.EOF after a segment that it couldn't open.
type objectReader struct {
	k    ObjectKey
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

func objectError(k ObjectKey, name string, err error) error {
	return fmt.Errorf("vault: read object %s of request %s: %w", name, k.requestID, err)
}
