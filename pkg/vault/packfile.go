package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// maxOpenPacks bounds the packs that are held open: about what a process has in flight.
	maxOpenPacks = 256
	// packIdle is how long a pack is held open that nobody uses: one that another process
	// removes takes room on the disk until then.
	packIdle = 30 * time.Second
	// maxPackTries bounds how often a pack is opened anew because it was removed, or closed
	// for others, at that moment.
	maxPackTries = 100
)

// packFiles are the packs that were used last, open: to open and close a file takes several
// times what it takes to append a frame to it, and a request has about a hundred.
type packFiles struct {
	mu   sync.Mutex
	open *simplelru.LRU[string, *packFile]
	idle *time.Timer // nil while none is open
}

// packFile is an open pack. It may be closed while it is used, by whoever opens others;
// its methods then return os.ErrClosed, and have done nothing.
type packFile struct {
	*os.File
	used  time.Time // guarded by packFiles.mu
	index packIndex

	asked   atomic.Int64 // syncs that were asked for
	syncing sync.Mutex
	synced  int64 // of those that were asked for, how many are done
	failed  error // why one wasn't: what it should have saved may be lost for good
}

func newPackFiles() *packFiles {
	p := &packFiles{}
	open, err := simplelru.NewLRU(maxOpenPacks, func(_ string, f *packFile) { _ = f.Close() }) // it is synced where that matters
	if err != nil {
		panic(fmt.Sprintf("vault: %v", err)) // its size is a constant above zero
	}
	p.open = open
	return p
}

// get returns an open pack; nil where it isn't open.
func (p *packFiles) get(name string) *packFile {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok := p.open.Get(name)
	if !ok {
		return nil
	}
	f.used = time.Now()
	return f
}

// put takes an open file in, and returns the pack to be used: another goroutine may have
// opened the same already.
func (p *packFiles) put(name string, file *os.File) *packFile {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f, ok := p.open.Get(name); ok {
		_ = file.Close() // nothing was written to it
		return f
	}
	f := &packFile{File: file, used: time.Now()}
	p.open.Add(name, f)
	if p.idle == nil {
		p.idle = time.AfterFunc(packIdle, p.closeIdle)
	}
	return f
}

// drop closes a pack, unless another file has taken its place.
func (p *packFiles) drop(name string, f *packFile) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now, ok := p.open.Peek(name); ok && (f == nil || now == f) {
		p.open.Remove(name)
	}
}

// closeIdle closes the packs that nobody uses, and looks again later where others are left.
func (p *packFiles) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		name, f, ok := p.open.GetOldest()
		if !ok {
			p.idle = nil
			return
		}
		if rest := packIdle - time.Since(f.used); rest > 0 {
			p.idle = time.AfterFunc(rest, p.closeIdle)
			return
		}
		p.open.Remove(name)
	}
}

// close closes all of them.
func (p *packFiles) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open.Purge()
	if p.idle != nil {
		p.idle.Stop()
		p.idle = nil
	}
}

// sync has what was written before survive a power cut. Those who ask for it while another
// sync is on share the next one.
func (f *packFile) sync() error {
	mine := f.asked.Add(1)
	f.syncing.Lock()
	defer f.syncing.Unlock()
	if f.failed != nil || f.synced >= mine {
		return f.failed
	}
	all := f.asked.Load()
	if err := f.Sync(); err != nil {
		if !errors.Is(err, os.ErrClosed) {
			f.failed = err
		}
		return err
	}
	f.synced = all
	return nil
}

// usePack calls f with a pack, and with its length. Where there is no pack it is made, if
// create says so, and fs.ErrNotExist is returned otherwise. f is called again where the
// pack was closed meanwhile.
func (d *dir) usePack(name string, create bool, f func(p *packFile, size int64) error) error {
	for range maxPackTries {
		p, err := d.openPack(name, create)
		if err != nil {
			return err
		}
		info, err := p.Stat()
		switch {
		case err == nil && isRemoved(info):
			d.packs.drop(name, p)
			continue
		case err == nil:
			err = f(p, info.Size())
		}
		if !errors.Is(err, os.ErrClosed) {
			return err
		}
	}
	return fmt.Errorf("a pack of objects was removed %d times while it was used", maxPackTries)
}

// openPack returns an open pack, which it makes where it may.
func (d *dir) openPack(name string, create bool) (*packFile, error) {
	if p := d.packs.get(name); p != nil {
		return p, nil
	}
	if !create {
		file, err := os.OpenFile(d.path(name), packFlags, 0)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) { // a folder that may be read only
			file, err = os.Open(d.path(name))
		}
		if err != nil {
			return nil, err
		}
		return d.packs.put(name, file), nil
	}
	// Of many that look for a new one, one asks the kernel, and once.
	d.names.Lock()
	defer d.names.Unlock()
	if p := d.packs.get(name); p != nil {
		return p, nil
	}
	file, err := d.openOrCreate(name)
	if err != nil {
		return nil, err
	}
	return d.packs.put(name, file), nil
}

const packFlags = os.O_RDWR | os.O_APPEND

// openOrCreate opens a file to append to it, and makes it where it is missing; another
// process may do so at the same time. The caller holds d.names.
func (d *dir) openOrCreate(name string) (*os.File, error) {
	f, err := os.OpenFile(d.path(name), packFlags|os.O_CREATE, fileMode)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(d.path(name)), dirMode); err == nil {
			f, err = os.OpenFile(d.path(name), packFlags|os.O_CREATE, fileMode)
		}
	}
	return f, err
}
