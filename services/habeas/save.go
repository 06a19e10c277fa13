package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// save writes a file that is whole or not there.
func save(path string, replace bool, r io.Reader) (n int64, err error) {
	if _, err := os.Stat(path); err == nil && !replace {
		return 0, fmt.Errorf("%s exists; choose another name, or replace it with --force", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".habeas-*") // readable by its owner only
	if err != nil {
		return 0, err
	}
	defer func() {
		f.Close()
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if n, err = io.Copy(f, r); err != nil {
		return n, err
	}
	if err = f.Close(); err != nil {
		return n, err
	}
	return n, os.Rename(f.Name(), path)
}
