// Package clients runs other people's clients against the stand-ins: what the
// vendors' users write their programs with must work here too.
//
// A folder for each vendor holds the programs and the pinned versions of what
// they use, which is installed into a temporary folder.
package clients

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience bounds a program, its installation included.
const patience = 10 * time.Minute

// wanted skips a test that isn't asked for, or that lacks a program. With
// HABEAS_TEST_CLIENTS=must, as in CI, a program that is missing fails it.
func wanted(t *testing.T, program string) {
	t.Helper()
	how := os.Getenv("HABEAS_TEST_CLIENTS")
	if how == "" {
		t.Skip("make test-clients runs this")
	}
	if _, err := exec.LookPath(program); err != nil {
		if how == "must" {
			t.Fatalf("%s is missing", program)
		}
		t.Skipf("%s is missing", program)
	}
}

// run runs a command in a folder with further environment, and shows what it
// said where it fails.
func run(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// again is the program that runs another once more where the network failed it.
func again(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../../.ci/again")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// node installs what a folder's package-lock.json names into a temporary folder,
// and runs one of its programs there.
func node(t *testing.T, folder, program string, env ...string) {
	t.Helper()
	wanted(t, "npm")
	dir, again := t.TempDir(), again(t)
	for _, name := range []string{"package.json", "package-lock.json", program} {
		copyTo(t, dir, filepath.Join(folder, name))
	}
	run(t, dir, nil, again, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	run(t, dir, env, "node", program)
}

// python installs what a folder's requirements.txt names into a temporary
// folder, and runs one of its programs there.
func python(t *testing.T, folder, program string, env ...string) {
	t.Helper()
	wanted(t, "python3")
	dir, again := t.TempDir(), again(t)
	copyTo(t, dir, filepath.Join(folder, "requirements.txt"))
	copyTo(t, dir, filepath.Join(folder, program))
	run(t, dir, nil, "python3", "-m", "venv", "venv")
	run(t, dir, nil, again, "venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt")
	run(t, dir, env, "venv/bin/python", program)
}

func copyTo(t *testing.T, dir, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
