package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	lockName = "lock"
	// metaName is the file without which kfake opens a directory as if it were
	// empty, whatever is in it.
	metaName = "meta.json"
	// sessionName is the file with the group members that there were when the
	// broker closed. Here they are in the process that closed: they don't come
	// back, and would only be waited for.
	sessionName = "session_state.json"
)

// openDir makes, locks and checks the data directory.
func openDir(dir string) (*dirLock, error) {
	if dir == "" {
		return nil, errors.New("broker: no data directory configured")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, dirError(dir, "cannot be made", err)
	}
	if err := refuseForeign(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	if err := checkWritable(dir); err != nil {
		lock.release()
		return nil, err
	}
	if err := forgetUsers(dir); err != nil {
		lock.release()
		return nil, err
	}
	if err := os.Remove(filepath.Join(dir, sessionName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		lock.release()
		return nil, dirError(dir, "cannot be written", err)
	}
	return lock, nil
}

// refuseForeign returns an error for a directory that isn't empty and isn't a
// broker's: either the path is wrong, or the log has lost its first file.
func refuseForeign(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, metaName)); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return dirError(dir, "cannot be read", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return dirError(dir, "cannot be read", err)
	}
	for _, e := range entries {
		// What a start that was killed leaves behind.
		if e.Name() == lockName || e.Name() == probeName || strings.HasSuffix(e.Name(), ".tmp") {
			continue
		}
		return fmt.Errorf("broker: data directory %s is not empty and has no %s: give an empty directory, or bring the broker's files back", dir, metaName)
	}
	return nil
}

const (
	probeName = "probe"
	// probeBytes is what must fit on the disk at the start: the files of a new
	// broker.
	probeBytes = 64 << 10
)

// checkWritable finds a read-only or full disk at the start, where it is one
// clear error, and not at the first record.
func checkWritable(dir string) error {
	name := filepath.Join(dir, probeName)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return dirError(dir, "cannot be written", err)
	}
	_, err = f.Write(make([]byte, probeBytes))
	err = errors.Join(err, f.Close(), os.Remove(name))
	if err != nil {
		return dirError(dir, "cannot be written", err)
	}
	return nil
}

// dirError describes an error of the directory in one line, with the cure where the
// cause is a known one.
func dirError(dir, what string, err error) error {
	cure := ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		cure = " (the disk is full: free some space)"
	case errors.Is(err, syscall.EROFS):
		cure = " (the file system is read-only)"
	case errors.Is(err, fs.ErrPermission):
		cure = " (this user may not write there)"
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	return &pathError{text: fmt.Sprintf("broker: data directory %s %s%s: %s", dir, what, cure, text), err: err}
}

// pathError is an error of one line that keeps its cause.
type pathError struct {
	text string
	err  error
}

func (e *pathError) Error() string { return e.text }
func (e *pathError) Unwrap() error { return e.err }
