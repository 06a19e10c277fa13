// Package secretfile writes the files of keys.
package secretfile

import (
	"os"
	"path/filepath"
)

// Write writes a file that its owner alone can read, whole or not at all, and so that it
// survives a power cut. Its folder MUST be there. place gives it its name: [os.Rename] in the
// place of what is there, [os.Link] where nothing may be ([io/fs.ErrExist]).
func Write(path string, text []byte, place func(from, to string) error) error {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, ".tmp-") // mode 0600
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

// syncFolder makes a name in a folder survive a power cut, on any file system.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
