//go:build unix

package broker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// dirLock is this process's lock on the data directory. The kernel frees it when
// the process ends, however it does.
type dirLock struct {
	dir  string
	file *os.File
}

// LockedError says that another process uses the data directory.
type LockedError struct {
	Dir string
	PID int // 0 where it can't be told
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("broker: data directory %s is in use by another process: stop it, or give another directory", e.Dir)
	}
	return fmt.Sprintf("broker: data directory %s is in use by process %d: stop it, or give another directory", e.Dir, e.PID)
}

func lockDir(dir string) (*dirLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, dirError(dir, "cannot be locked", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &LockedError{Dir: dir, PID: readPID(f)}
		}
		return nil, dirError(dir, "cannot be locked", err)
	}
	// The pid is for the message of whoever comes second; the lock holds
	// without it.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &dirLock{dir: dir, file: f}, nil
}

func readPID(r io.Reader) int {
	const enough = 32
	b, _ := io.ReadAll(io.LimitReader(r, enough))
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

// release unlocks the directory. The file stays: removing it would let two
// processes lock two files of the same name. To close it isn't enough: a process that was
// being started just then has it as well, until it runs its own program.
func (l *dirLock) release() {
	_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN) // closing it unlocks it, too
	_ = l.file.Close()
}
