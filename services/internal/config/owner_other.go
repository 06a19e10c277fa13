//go:build !unix

package config

import "io/fs"

// ownFile returns false: files have no owner of that kind here.
func ownFile(fs.FileInfo) bool { return false }
