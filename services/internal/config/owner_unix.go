//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// ownFile reports whether a file is owned by who asks, who needs no group to read it.
func ownFile(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
