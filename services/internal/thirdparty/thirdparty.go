// Package thirdparty runs other people's programs in tests: a format that only
// our own code reads proves little, and so does a stand-in that only our own
// client calls.
//
// A test keeps its program in a folder of its own, beside the pinned versions of
// what it uses (package-lock.json, requirements.txt). They are installed into a
// temporary folder, tried up to four times, since the network isn't ours.
//
// HABEAS_TEST_THIRDPARTY=1 runs these tests and skips those whose interpreter is
// missing; with HABEAS_TEST_THIRDPARTY=must, as in CI, a missing one fails.
package thirdparty

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// timeout bounds a program, its installation included.
const timeout = 10 * time.Minute

// Node installs what folder's package-lock.json names, copies the folder's files
// beside it, and runs program, which is one of them, with env added to the
// environment. It fails the test, with the program's output, where program exits
// with an error.
func Node(t *testing.T, folder, program string, env ...string) {
	t.Helper()
	run(t, Installed(t, folder), env, "node", program)
}

// Installed returns a temporary folder with the files of folder and what its
// package-lock.json names.
func Installed(t *testing.T, folder string) string {
	t.Helper()
	require(t, "node", "npm")
	dir := copied(t, folder)
	run(t, dir, nil, again(t), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	return dir
}

// Run runs a program in a folder, and fails the test with its output where it exits with
// an error.
func Run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	run(t, dir, nil, name, args...)
}

// Python does what [Node] does, with requirements.txt, in a virtual environment.
func Python(t *testing.T, folder, program string, env ...string) {
	t.Helper()
	require(t, "python3")
	dir := copied(t, folder)
	run(t, dir, nil, "python3", "-m", "venv", "venv")
	run(t, dir, nil, again(t), "venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt")
	run(t, dir, env, "venv/bin/python", program)
}

// require skips a test that nobody asked for, or that lacks a program.
func require(t *testing.T, programs ...string) {
	t.Helper()
	asked := os.Getenv("HABEAS_TEST_THIRDPARTY")
	if asked == "" {
		t.Skip("make test-clients and make test-formats run this")
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if asked == "must" {
			t.Fatalf("%s is missing", program)
		}
		t.Skipf("%s is missing", program)
	}
}

// run runs a command in dir with env added to the environment, and fails the
// test with its output where it exits with an error.
func run(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// again returns the path of .ci/again, which tries an installation anew.
func again(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, ".ci", "again")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no folder above this one has .ci/again")
		}
		dir = parent
	}
}

// copied returns a temporary folder with the files of folder.
func copied(t *testing.T, folder string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	return dir
}
