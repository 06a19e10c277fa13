package workertest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// A worker that does everything right passes every check, and skips none.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, c := range checks() {
		if said, skipped := play(t, c, ""); len(said) > 0 || skipped {
			t.Errorf("%s: %v (skipped: %v)", c.name, said, skipped)
		}
	}
	Run(t, open(""))
}

// TestMutants: a worker that is wrong in one thing fails at least one check; and
// every check but the one of the seeds fails for some mistake, or proves nothing.
func TestMutants(t *testing.T) {
	t.Parallel()
	caught := map[string]bool{}
	for _, w := range mistakes {
		n := 0
		for _, c := range checks() {
			if said, _ := play(t, c, w); len(said) > 0 {
				caught[c.name] = true
				n++
			}
		}
		if n == 0 {
			t.Errorf("a worker that %s passes every check", w)
		}
	}
	for _, c := range checks() {
		if !caught[c.name] && c.name != "the seeds are of the manifest" && c.name != "stops twice" && c.name != "erases together" && c.name != "erases by its plan only" {
			t.Errorf("no mistake fails the check %q", c.name)
		}
	}
}

// play makes one check on a worker and returns what it says.
func play(t *testing.T, c check, w wrong) (said []string, skipped bool) {
	t.Helper()
	r := &recorder{TB: t}
	var done sync.WaitGroup
	done.Go(func() { c.on(r, open(w)) }) // Fatal ends a goroutine
	done.Wait()
	for _, f := range r.cleanups {
		f()
	}
	return r.said, r.skipped
}

// recorder is a testing.TB that remembers failures instead of failing.
type recorder struct {
	testing.TB
	said     []string
	skipped  bool
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any) {
	r.said = append(r.said, strings.TrimSpace(fmt.Sprintln(args...)))
}
func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatal(args ...any) { r.Error(args...); runtime.Goexit() }
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}
func (r *recorder) Skip(...any)          { r.skipped = true; runtime.Goexit() }
func (r *recorder) Skipf(string, ...any) { r.skipped = true; runtime.Goexit() }
