//go:build !unix

package vault

import "io/fs"

// isRemoved reports whether an open file has no name any more; elsewhere than on Unix an
// open file isn't removed.
func isRemoved(fs.FileInfo) bool { return false }
