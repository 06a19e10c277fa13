package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"
)

// lastRelease returns the tag of the last release before the checkout's commit, and
// "" where there was none.
func lastRelease(root string) (string, error) {
	tags, err := git(root, "tag", "--list", "v*", "--merged", "HEAD")
	if err != nil {
		return "", err
	}
	last := ""
	for _, tag := range strings.Fields(tags) {
		if semver.IsValid(tag) && semver.Compare(tag, last) > 0 {
			last = tag
		}
	}
	return last, nil
}

// checkOut writes a tag's tree into a new temporary folder, which the caller removes.
func checkOut(root, tag string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "released"); err != nil {
		return "", err
	}
	tree := filepath.Join(dir, "tree.tar")
	if _, err = git(root, "archive", "--output", tree, tag); err == nil {
		var out []byte
		if out, err = exec.CommandContext(context.Background(), "tar", "-xf", tree, "-C", dir).CombinedOutput(); err != nil {
			err = fmt.Errorf("tar: %w: %s", err, out)
		}
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("the tree of %s: %w", tag, err)
	}
	return dir, nil
}
