package vault

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"crypto/rand"
)

// dir is a bucket in a directory, in the layout of gocloud's fileblob without
// its metadata files. It stands in fileblob's place because a key set must be
// created by one of many processes only, nobody else may read it while it is
// written, and a file costs a third less (docs/adr/0004).
type dir struct {
	root string
	tmp  string        // names the temporary files of this process
	n    atomic.Uint64 // numbers them
}

const (
	dirMode  = 0o700
	fileMode = 0o600
	// tmpPrefix begins no blob's name, since a name begins with a letter or digit.
	tmpPrefix = ".tmp-"
)

func openDir(root string) (*dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	for _, d := range []string{root, filepath.Join(root, "keys"), filepath.Join(root, "objects")} {
		if err := os.MkdirAll(d, dirMode); err != nil {
			return nil, diskError(root, err)
		}
	}
	var random [8]byte
	rand.Read(random[:]) // never fails
	return &dir{root: root, tmp: tmpPrefix + hex.EncodeToString(random[:]) + "-"}, nil
}

func (d *dir) path(key string) string { return d.root + "/" + key }

func (d *dir) read(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	f, err := os.Open(d.path(key))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, 0, errNotFound
		}
		return nil, 0, diskError(d.root, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func (d *dir) write(ctx context.Context, key string, mode writeMode) (blobWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path := d.path(key)
	tmp := fmt.Sprintf("%s%s%d", path[:strings.LastIndexByte(path, '/')+1], d.tmp, d.n.Add(1))
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if errors.Is(err, fs.ErrNotExist) { // the first object of a request
		if err = os.MkdirAll(filepath.Dir(path), dirMode); err == nil {
			f, err = os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		}
	}
	if err != nil {
		return nil, diskError(d.root, err)
	}
	return &dirWriter{dir: d, ctx: ctx, file: f, path: path, mode: mode}, nil
}

func (d *dir) remove(ctx context.Context, prefix string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if strings.HasSuffix(prefix, "/") { // all of a request's
		return diskError(d.root, os.RemoveAll(d.path(strings.TrimSuffix(prefix, "/"))))
	}
	path := d.path(prefix)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return diskError(d.root, err)
	}
	base := filepath.Base(path)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base) {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(path), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return diskError(d.root, err)
		}
	}
	return nil
}

// dirWriter writes a temporary file beside the blob's place. One that a dead
// process left behind is sealed like everything, is no object, and goes with
// its request.
type dirWriter struct {
	dir  *dir
	ctx  context.Context
	file *os.File
	path string
	mode writeMode
}

func (w *dirWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	return n, diskError(w.dir.root, err)
}

func (w *dirWriter) commit() error {
	err := w.ctx.Err()
	if err == nil && w.mode != object {
		err = w.file.Sync()
	}
	if cerr := w.file.Close(); err == nil {
		err = cerr
	}
	tmp := w.file.Name()
	if err == nil && w.mode != create {
		if err = os.Rename(tmp, w.path); err == nil && w.mode == replace {
			err = syncDir(filepath.Dir(w.path))
		}
	} else if err == nil {
		// A link, unlike a rename, fails where the name is taken.
		if err = os.Link(tmp, w.path); err == nil {
			err = syncDir(filepath.Dir(w.path))
		} else if errors.Is(err, fs.ErrExist) {
			err = errExists
		}
		os.Remove(tmp)
		return diskError(w.dir.root, err)
	}
	if err != nil {
		os.Remove(tmp)
	}
	return diskError(w.dir.root, err)
}

func (w *dirWriter) abort() {
	w.file.Close()
	os.Remove(w.file.Name())
}

// syncDir makes a name in the directory survive a power cut.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
