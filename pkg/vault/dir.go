package vault

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"habeas.dev/pkg/vault/internal/store"
)

// dir is a bucket in a directory of a local file system. It stands in the place
// of gocloud's fileblob because a key set must be created by one of many
// processes only, nobody else may read what is just being written, and files
// must be few (docs/adr/0004).
type dir struct {
	root    string
	tmp     string        // names the temporary files of this process
	n       atomic.Uint64 // numbers them
	buffers sync.Pool     // of *[]byte: frames and packs
	packs   *packFiles
	// looked says that somebody has looked, or does, for roots that lie in files of their
	// own, and noOwnFiles that there was none.
	looked, noOwnFiles atomic.Bool
	// names is held while names are made and removed. The kernel lets one at a
	// time change a folder, and has the others spin; here they sleep.
	names sync.Mutex
	// apart gives each system a pack of its own, in its own part of the folder.
	apart bool
}

const (
	dirMode  = 0o700
	fileMode = 0o600
	// tmpPrefix begins no blob's name, since a name begins with a letter or digit.
	tmpPrefix = ".tmp-"
)

func openDir(root string, apart bool) (*dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(root, dirMode); err != nil {
		return nil, diskError(root, err)
	}
	var random [8]byte
	rand.Read(random[:]) // never fails
	return &dir{root: root, tmp: tmpPrefix + hex.EncodeToString(random[:]) + "-", packs: newPackFiles(), apart: apart}, nil
}

// Close closes what is held open.
func (d *dir) Close() error {
	d.packs.close()
	return nil
}

func (d *dir) path(key string) string { return d.root + "/" + key }

// Read looks for short objects in the request's pack, and for everything else in a
// file of its own.
func (d *dir) Read(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	packs, name := d.packsOf(key)
	for _, pack := range packs {
		content, err := d.readPack(pack, name)
		if err == nil {
			return io.NopCloser(bytes.NewReader(content)), int64(len(content)), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, 0, diskError(d.root, err)
		}
	}
	if file, root, ok := keyFileOf(key); ok {
		content, err := d.readRoot(file, root)
		if err == nil {
			return io.NopCloser(bytes.NewReader(content)), int64(len(content)), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, 0, diskError(d.root, err)
		}
	}
	f, err := os.Open(d.path(key))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, 0, store.ErrNotFound
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

func (d *dir) Put(ctx context.Context, key string, data []byte, mode store.Mode) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	pack, name, ok := d.frameOf(key)
	if ok && mode == store.Object && len(data) <= maxPacked {
		packed, err := d.appendPack(pack, framePut, name, data, true)
		if packed || err != nil {
			return diskError(d.root, err)
		}
	}
	if mode == store.Mark {
		return diskError(d.root, d.mark(key))
	}
	if file, root, ok := keyFileOf(key); ok {
		return diskError(d.root, d.putRoot(key, file, root, data, mode))
	}
	err := d.putFile(key, data, mode)
	if err == nil && mode == store.Object {
		err = d.shadow(key)
	}
	return diskError(d.root, err)
}

// putFile writes a blob as a file of its own.
func (d *dir) putFile(key string, data []byte, mode store.Mode) error {
	f, err := d.temp(key)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return d.settle(f, key, mode, err)
}

// mark leaves a mark in the request's pack: to make a file for it takes as long as what a
// worker does for its task. Until v0.1.0 it was a file.
func (d *dir) mark(key string) error {
	pack, name, ok := d.frameOf(key)
	if !ok {
		return errors.New("only a request can be marked")
	}
	if _, err := os.Lstat(d.path(key)); !errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(err, store.ErrExists)
	}
	if packs, _ := d.packsOf(key); len(packs) > 1 {
		if err := d.marked(packs[1], name); err != nil {
			return err
		}
	}
	return d.markPack(pack, name)
}

// shadow hides a packed object behind a new one that has its own file: readers
// look into the pack first. It is rare, since every attempt has its own names.
func (d *dir) shadow(key string) error {
	packs, name := d.packsOf(key)
	for _, pack := range packs {
		if _, err := d.readPack(pack, name); errors.Is(err, store.ErrNotFound) {
			continue
		}
		if _, err := d.appendPack(pack, frameMoved, name, nil, false); err != nil {
			return err
		}
	}
	return nil
}

// temp makes a temporary file beside a blob's place. One that a dead process
// left behind is sealed like everything, is no blob, and goes with its request.
func (d *dir) temp(key string) (*os.File, error) {
	path := d.path(key)
	tmp := path[:strings.LastIndexByte(path, '/')+1] + d.tmp + strconv.FormatUint(d.n.Add(1), 10)
	d.names.Lock()
	defer d.names.Unlock()
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if errors.Is(err, fs.ErrNotExist) { // the first of its folder
		if err = os.MkdirAll(filepath.Dir(path), dirMode); err == nil {
			f, err = os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		}
	}
	return f, err
}

// settle gives a temporary file its place, unless an error came before, and
// leaves no temporary file.
//
// Where the blob must survive a power cut, the file is synced once it has its
// name: ext4, XFS and Btrfs then keep the name as well.
func (d *dir) settle(f *os.File, key string, mode store.Mode, err error) error {
	tmp, path := f.Name(), d.path(key)
	placed := false
	switch {
	case err != nil:
	case mode == store.Create:
		// A link, unlike a rename, fails where the name is taken.
		if err = os.Link(tmp, path); errors.Is(err, fs.ErrExist) {
			err = store.ErrExists
		}
	default:
		err = os.Rename(tmp, path)
		placed = err == nil
	}
	if err == nil && mode != store.Object {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if !placed {
		os.Remove(tmp)
	}
	return err
}

func (d *dir) Write(ctx context.Context, key string) (store.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := d.temp(key)
	if err != nil {
		return nil, diskError(d.root, err)
	}
	return &dirWriter{dir: d, ctx: ctx, file: f, key: key}, nil
}

func (d *dir) Remove(ctx context.Context, prefix string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if strings.HasPrefix(prefix, packsPrefix) {
		d.packs.drop(prefix, nil)
		if err := os.Remove(d.path(prefix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return diskError(d.root, err)
		}
		return nil
	}
	pack, name, ok := d.frameOf(prefix)
	if !ok {
		return errors.New("only objects can be removed")
	}
	packs, _ := d.packsOf(prefix)
	for _, pack := range packs {
		if _, err := d.appendPack(pack, frameGone, name, nil, false); err != nil {
			return diskError(d.root, err)
		}
	}
	if strings.HasSuffix(prefix, "/") { // all of a system's
		if d.apart {
			d.packs.drop(pack, nil)
			if err := os.Remove(d.path(pack)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return diskError(d.root, err)
			}
		}
		return diskError(d.root, os.RemoveAll(d.path(strings.TrimSuffix(prefix, "/"))))
	}
	path := d.path(prefix)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return diskError(d.root, err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filepath.Base(path)) {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(path), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return diskError(d.root, err)
		}
	}
	return nil
}

func (d *dir) Folders(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(d.path(strings.TrimSuffix(prefix, "/")))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, diskError(d.root, err)
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		}
	}
	return folders, nil
}

// dirWriter writes a long object.
type dirWriter struct {
	dir  *dir
	ctx  context.Context
	file *os.File
	key  string
}

func (w *dirWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	return n, diskError(w.dir.root, err)
}

func (w *dirWriter) Commit() error {
	err := w.dir.settle(w.file, w.key, store.Object, w.ctx.Err())
	if err == nil {
		err = w.dir.shadow(w.key)
	}
	return diskError(w.dir.root, err)
}

func (w *dirWriter) Abort() {
	w.file.Close()
	os.Remove(w.file.Name())
}

// namesAtOnce is how many names of a folder are read at once.
const namesAtOnce = 1000

// Names implements store.Lister, for the files of one folder.
func (d *dir) Names(ctx context.Context, prefix string, f func(key string) error) error {
	return d.eachFile(ctx, prefix, func(file fs.DirEntry) error {
		for _, key := range namesInKeyFile(file.Name()) {
			if err := f(prefix + key); err != nil {
				return err
			}
		}
		return nil
	})
}

// Written implements store.Dated: roots of a request that share a file share its time.
func (d *dir) Written(ctx context.Context, prefix string, f func(key string, at time.Time) error) error {
	return d.eachFile(ctx, prefix, func(file fs.DirEntry) error {
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was deleted meanwhile
		}
		if err != nil {
			return diskError(d.root, err)
		}
		for _, key := range namesInKeyFile(file.Name()) {
			if err := f(prefix+key, info.ModTime()); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachFile calls f with each blob's file in a folder.
func (d *dir) eachFile(ctx context.Context, prefix string, f func(file fs.DirEntry) error) error {
	folder, err := os.Open(d.path(strings.TrimSuffix(prefix, "/")))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return diskError(d.root, err)
	}
	defer folder.Close()
	for {
		entries, err := folder.ReadDir(namesAtOnce)
		for _, e := range entries {
			if e.IsDir() || strings.HasPrefix(e.Name(), tmpPrefix) {
				continue
			}
			if err := errors.Join(ctx.Err(), f(e)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return diskError(d.root, err)
		}
	}
}
