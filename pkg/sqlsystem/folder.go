package sqlsystem

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Folder returns the files of a folder of this machine, which must be there. Nothing
// outside of it is read or removed, whatever a row names, and no link is followed to a
// file: what is left of it would stay.
func Folder(dir string) (Files, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the folder %s can't be opened: %w", dir, err)
	}
	return folder{root}, nil
}

type folder struct{ root *os.Root }

func (f folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	if err := f.plain(name); err != nil {
		return nil, err
	}
	return f.root.Open(filepath.FromSlash(name))
}

func (f folder) Remove(_ context.Context, name string) error {
	if err := f.plain(name); err != nil {
		return err
	}
	return f.root.Remove(filepath.FromSlash(name))
}

// plain fails for what is no plain file.
func (f folder) plain(name string) error {
	info, err := f.root.Lstat(filepath.FromSlash(name))
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("sqlsystem: a file beside a row is a folder or a link: %w", fs.ErrPermission)
	}
	return err
}
