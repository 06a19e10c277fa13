package conform

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/fault"
)

// Fixture is a worker and the stand-in that it calls, for many people.
type Fixture struct {
	Direct
	Clock    *Clock // of both
	Set      func(fault.Config)
	Repeated func() int64
}

// maxTries is how often somebody is taken up who isn't done.
const maxTries = 40

// ManyUnderFaults asks many people's worker directly while much goes wrong, without
// the SDK's tries around it. Everyone's answer is whole, or is an error that lets the
// task come again; an erasure is never said to be done when it isn't; and nothing is
// deleted twice.
func ManyUnderFaults(t *testing.T, open func(t *testing.T, f fault.Config) Fixture) {
	t.Helper()
	for name, f := range map[string]fault.Config{
		"5xx":          {ServerError: 0.2},
		"lost answers": {ErrorAfter: 0.2},
		"cut":          {Cut: 0.2},
		"half JSON":    {Half: 0.2},
		"429":          {Throttle: 0.2},
		"locked":       {Lock: 0.3},
		"spoilt":       {Spoilt: 0.2},
		"all":          {ServerError: 0.05, ErrorAfter: 0.05, Cut: 0.05, Half: 0.05, Throttle: 0.05, Spoilt: 0.05, Lock: 0.1},
	} {
		for seed := range int64(5) {
			t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) {
				t.Parallel()
				f := f // each seed draws its own
				f.Seed = seed
				w := open(t, f)
				w.untilDone("gathered", func(emails []string, who []int) []error {
					copies, errs := w.Gather(emails...)
					for k, i := range who {
						if errs[k] == nil && !SameRows(copies[k].Rows, w.Seeded(i+1)) {
							t.Fatalf("person %d: %v", i+1, Sizes(copies[k].Rows))
						}
					}
					return errs
				})
				erased := map[int]bool{}
				w.untilDone("erased", func(emails []string, who []int) []error {
					errs := make([]error, len(who))
					for k, j := range w.Do(dsar.Erase, emails...) {
						if errs[k] = j.Err; j.Err == nil {
							erased[who[k]] = true
						}
					}
					w.Set(fault.Config{})
					for i := range erased {
						if j := w.Do(dsar.Prove, w.Emails()[i])[0]; j.Err != nil || len(j.Counts) > 0 {
							t.Fatalf("person %d was said to be erased, and has %v (%v)", i+1, j.Counts, j.Err)
						}
					}
					f.Seed++
					w.Set(f)
					if err := w.Clock.Pass(context.Background(), time.Minute); err != nil {
						t.Fatal(err)
					}
					return errs
				})
				if n := w.Repeated(); n > 0 {
					t.Errorf("%d destructive calls were for records that were gone", n)
				}
			})
		}
	}
}

// untilDone asks for everyone, and again for those who have an error, which must be
// one that passes.
func (w *Fixture) untilDone(what string, ask func(emails []string, who []int) []error) {
	w.T.Helper()
	emails := w.Emails()
	open := map[int]bool{}
	for i := range emails {
		open[i] = true
	}
	for try := 0; len(open) > 0; try++ {
		if try == maxTries {
			w.T.Fatalf("%d subjects were never %s", len(open), what)
		}
		var some []string
		var who []int
		for i := range open {
			some, who = append(some, emails[i]), append(who, i)
		}
		for k, err := range ask(some, who) {
			if err == nil {
				delete(open, who[k])
			}
			MustPass(w.T, err)
		}
	}
}

// MustPass checks that an error, where there is one, doesn't call for a person.
func MustPass(t testing.TB, err error) {
	t.Helper()
	var e *worker.Error
	if errors.As(err, &e) && e.Permanent() {
		t.Fatalf("a passing fault was taken for a lasting one: %v: %v", err, errors.Unwrap(e))
	}
}
