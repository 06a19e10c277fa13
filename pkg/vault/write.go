package vault

import (
	"context"
	"errors"
	"fmt"
	"io"

	"habeas.dev/pkg/vault/internal/store"
)

// An object's first byte says how the rest is sealed.
const (
	whole    = 1 // by the small keys, in one piece
	streamed = 2 // by the stream keys, in segments
	// maxWhole is the longest plaintext that is sealed in one piece. Most
	// systems hold less of one person; that saves two buffers and half the time.
	maxWhole = 64 << 10
	// sealOverhead is what AES-GCM adds: 12 of nonce, 16 of tag.
	sealOverhead = 28
)

// ObjectWriter writes one object. Nothing is visible before Close returned nil.
// It is for one goroutine, and ends with Close or Abort; Abort after Close does
// nothing, so that it can be deferred.
type ObjectWriter struct {
	o    *Objects
	ctx  context.Context
	key  ObjectKey
	name string
	n    int64

	buf *[]byte // while the object may still be small
	out store.Writer
	enc io.WriteCloser // once it isn't

	done bool
	err  error
}

// Create begins an object of a request, whose keys MUST exist. The name is
// <system>/<action>/<attempt>-<random>; an object of the same name is replaced.
// The context holds until Close: where it ends before, Close fails.
func (v *Vault) Create(ctx context.Context, requestID, name string) (*ObjectWriter, error) {
	k, err := v.objectKey(ctx, requestID, name)
	if err != nil {
		return nil, err
	}
	return v.Objects.Create(ctx, k, name)
}

// Create begins an object that the key is of. See [Vault.Create].
func (o *Objects) Create(ctx context.Context, k ObjectKey, name string) (*ObjectWriter, error) {
	if err := k.check(name); err != nil {
		return nil, err
	}
	return &ObjectWriter{o: o, ctx: ctx, key: k, name: name, buf: o.buffer()}, nil
}

// Bytes returns the length of what was written so far, in plaintext.
func (w *ObjectWriter) Bytes() int64 { return w.n }

// Write adds to the object. An error is final: Close returns it again.
func (w *ObjectWriter) Write(p []byte) (int, error) {
	if w.done {
		return 0, w.errorf(errors.New("write after the end"))
	}
	if w.err != nil {
		return 0, w.err
	}
	if w.enc == nil {
		if len(*w.buf)+len(p) <= maxWhole {
			*w.buf = append(*w.buf, p...)
			w.n += int64(len(p))
			return len(p), nil
		}
		if err := w.startStream(); err != nil {
			w.err = w.errorf(err)
			return 0, w.err
		}
	}
	n, err := w.enc.Write(p)
	w.n += int64(n)
	if err != nil {
		w.err = w.errorf(err)
	}
	return n, w.err
}

// startStream writes out what was kept back in the hope of a small object.
func (w *ObjectWriter) startStream() error {
	s, err := w.key.stream()
	if err != nil {
		return err
	}
	if w.out, err = w.o.bucket.Write(w.ctx, objectKey(w.key.requestID, w.name)); err != nil {
		return err
	}
	if _, err := w.out.Write([]byte{streamed}); err != nil {
		return err
	}
	if w.enc, err = s.NewEncryptingWriter(w.out, bind("stream", w.key.requestID, w.name)); err != nil {
		return err
	}
	_, err = w.enc.Write(*w.buf)
	w.o.giveBack(w.buf)
	w.buf = nil
	return err
}

// Close seals the rest and makes the object visible. Where it fails, there is
// no object.
func (w *ObjectWriter) Close() error {
	if w.done {
		return w.err
	}
	if w.err == nil && w.key.isEnded() {
		w.err = w.errorf(ErrShredded)
	}
	if w.err != nil {
		err := w.err
		w.Abort()
		w.err = err
		return err
	}
	if w.enc == nil {
		w.err = w.writeWhole()
	} else if err := w.enc.Close(); err != nil {
		w.out.Abort()
		w.err = err
	} else {
		w.err = w.out.Commit()
	}
	w.end()
	if w.err != nil {
		w.err = w.errorf(w.err)
	}
	return w.err
}

func (w *ObjectWriter) writeWhole() error {
	sealed := w.key.small().Seal(nil, nil, *w.buf, bind("object", w.key.requestID, w.name))
	// The plaintext isn't needed any more: its buffer takes the blob.
	blob := append(append((*w.buf)[:0], whole), sealed...)
	*w.buf = blob
	return w.o.bucket.Put(w.ctx, objectKey(w.key.requestID, w.name), blob, store.Object)
}

// Abort ends the writer without an object.
func (w *ObjectWriter) Abort() {
	if w.done {
		return
	}
	if w.out != nil {
		w.out.Abort()
	}
	w.end()
	w.err = w.errorf(ErrAborted)
}

func (w *ObjectWriter) end() {
	w.done = true
	if w.buf != nil {
		w.o.giveBack(w.buf)
		w.buf = nil
	}
	w.out, w.enc = nil, nil
}

func (w *ObjectWriter) errorf(err error) error {
	return fmt.Errorf("vault: write object %s of request %s: %w", w.name, w.key.requestID, err)
}
