package links

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"habeas.dev/pkg/link"
)

// Settles is how long a link key's file is left as it is once it was written: who rotates a
// second time before workers have the first one's file leaves them unable to open anything.
// That is what a rotation that was broken off and is run again would do, and two at once.
const Settles = time.Hour

// ErrRotating says that another process rotates the folder's keys.
var ErrRotating = errors.New("another rotation of these link keys is running: nothing was moved on by this one")

// Locked calls do while no other process does so on the folder; [ErrRotating] where one does.
// The kernel frees it when the process ends, however it does.
func (f *Folder) Locked(do func() error) error {
	d, err := os.Open(f.dir)
	if err != nil {
		return fmt.Errorf("link keys: %w", err)
	}
	defer d.Close()
	err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrRotating
	}
	if err != nil {
		return fmt.Errorf("link keys: %s can't be locked: %w", f.dir, err)
	}
	return do()
}

// Rotate moves a system's key on by one, where its file was written before a time, and
// reports whether it did. It MUST be called within [Folder.Locked].
func (f *Folder) Rotate(system string, before time.Time) (moved bool, err error) {
	path := f.Path(system)
	info, err := os.Stat(path)
	if err == nil && !info.ModTime().Before(before) {
		return false, nil
	}
	err = link.Rotate(path) // it says what is wrong with a file that isn't there
	return err == nil, err
}
