//go:build unix

package vault

import (
	"io/fs"
	"syscall"
)

// isRemoved reports whether an open file has no name any more.
func isRemoved(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Nlink == 0
}
