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

// baseline is a version that others build on, and the commit that it is.
type baseline struct{ version, commit string }

// lastRelease returns the last release before the checkout's commit, and the zero
// value where there was none. A release is known by the subject of its commit, as
// make release writes it, so that a clone without tags holds to it as well.
func lastRelease(root string) (baseline, error) {
	log, err := git(root, "log", "--format=%H %s", "--extended-regexp", "--grep=^Release v[0-9]")
	if err != nil {
		return baseline{}, err
	}
	var last baseline
	for line := range strings.Lines(log) {
		commit, subject, _ := strings.Cut(strings.TrimSpace(line), " ")
		version, ok := strings.CutPrefix(subject, "Release ")
		if ok && semver.IsValid(version) && semver.Compare(version, last.version) > 0 {
			last = baseline{version, commit}
		}
	}
	return last, nil
}

// checkOut writes a release's tree into a new temporary folder, which the caller removes.
func checkOut(root string, r baseline) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "released"); err != nil {
		return "", err
	}
	tree := filepath.Join(dir, "tree.tar")
	if _, err = git(root, "archive", "--output", tree, r.commit); err == nil {
		var out []byte
		if out, err = exec.CommandContext(context.Background(), "tar", "-xf", tree, "-C", dir).CombinedOutput(); err != nil {
			err = fmt.Errorf("tar: %w: %s", err, out)
		}
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("the tree of %s: %w", r.version, err)
	}
	return dir, nil
}
