//go:build unix

package config

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSecretsAreReadWithinBounds: files with the same secret are told from others by what they hold;
// a pipe isn't opened, which would wait for ever, and of a file that is too large nothing is read.
func TestSecretsAreReadWithinBounds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string, size int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, bytes.Repeat([]byte("s"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, dir, at("empty", 0), at("large", maxSecret+1), filepath.Join(dir, "none")} {
		if content(path) != path {
			t.Errorf("%s is read", path)
		}
	}
	if one := at("one", maxSecret); content(one) == one || content(one) != content(at("same", maxSecret)) || content(one) == content(at("other", 1)) {
		t.Error("what is the same isn't, or what is another is")
	}
}
