// Package secretfile writes the files of keys.
package secretfile

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Write writes a file that its owner alone can read, whole or not at all, and so that it
// survives a power cut. Its folder MUST be there. place gives it its name: [os.Rename] in the
// place of what is there, [os.Link] where nothing may be ([io/fs.ErrExist]). What a process
// that was killed in the middle left there is removed by the next one.
func Write(path string, text []byte, place func(from, to string) error) error {
	folder := filepath.Dir(path)
	removeLeft(folder)
	f, err := os.CreateTemp(folder, unfinished+"*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // once it is renamed, there is none
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = place(f.Name(), path)
	}
	if err != nil {
		return err
	}
	return syncFolder(folder)
}

const (
	// unfinished is what names of files that are being written begin with: of no others.
	unfinished = ".habeas-secret-"
	// abandoned is how old such a file is that nobody writes any more.
	abandoned = time.Hour
)

// removeLeft removes what killed processes left unfinished: it may hold a whole secret, of
// which nobody knows. Where that can't be, writing goes on.
func removeLeft(folder string) {
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(folder, e.Name()))
		}
	}
}

// syncFolder makes a name in a folder survive a power cut, on any file system.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
