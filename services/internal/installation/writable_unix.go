//go:build darwin || linux

package installation

import "syscall"

// What access(2) asks for: to write, and to look up names.
const (
	mayWrite  = 2
	mayLookUp = 1
)

// writable reports whether this user may put files into a folder.
func writable(folder string) bool { return syscall.Access(folder, mayWrite|mayLookUp) == nil }
