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
// create is set, one that is missing is made.
func NewFolder(dir string, create bool) *Folder {
	return &Folder{dir: dir, create: create, keys: map[string]*link.Key{}}
}

// Path returns where the key of a system's link is.
func (f *Folder) Path(system string) string { return filepath.Join(f.dir, system+".json") }

// Key returns the key of a system's link; link.ErrNoKey where there is none.
func (f *Folder) Key(system string) (*link.Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.keys[system]; k != nil {
		return k, nil
	}
	if f.create {
		if _, err := link.Create(f.Path(system)); err != nil {
			return nil, err
		}
	}
	k, err := link.Open(f.Path(system))
	if err != nil {
		return nil, err
	}
	f.keys[system] = k
	return k, nil
}
