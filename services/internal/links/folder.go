// Package links is the services' side of package link: the folder of link keys, and the
// sealing of tasks on their way out.
package links

import (
	"path/filepath"
	"sync"

	"habeas.dev/pkg/link"
)

// Folder has the keys of links as files: that of a system is SYSTEM.json. It is safe for
// many goroutines.
type Folder struct {
	dir    string
	create bool

	mu   sync.Mutex
	keys map[string]*link.Key
}

// NewFolder returns a folder's keys, which are read when they are first asked for. Where
// create is set, Make makes one that is missing.
func NewFolder(dir string, create bool) *Folder {
	return &Folder{dir: dir, create: create, keys: map[string]*link.Key{}}
}

// Path returns where the key of a system's link is.
func (f *Folder) Path(system string) string { return filepath.Join(f.dir, system+".json") }

// Make returns the key of a system of the configuration, and makes it where it is missing
// and this folder may have it made.
func (f *Folder) Make(system string) (*link.Key, error) {
	if f.create {
		if _, err := link.Create(f.Path(system)); err != nil {
			return nil, err
		}
	}
	return f.Key(system)
}

// Key returns the key of a system's link; link.ErrNoKey where there is none. It makes
// none: a system's name may be what a stranger wrote on a topic (TestKeysAreOnlyRead).
func (f *Folder) Key(system string) (*link.Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.keys[system]; k != nil {
		return k, nil
	}
	k, err := link.Open(f.Path(system))
	if err != nil {
		return nil, err
	}
	f.keys[system] = k
	return k, nil
}
