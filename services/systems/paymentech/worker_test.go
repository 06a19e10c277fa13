package paymentech

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/fault"
	sandbox "habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
)

// leaver returns the reference of somebody who has a profile.
func (w *fixture) leaver() string { return w.people.CustomerRef(people.Leaver) }

// TestEraseReadsDeletesReads: what was counted is deleted once, and is not there
// any more; what was settled stays, with ground and end.
func TestEraseReadsDeletesReads(t *testing.T) {
	t.Parallel()
	for _, nested := range []bool{false, true} { // both shapes of a refusal
		w := newFixture(t, func(s *sandbox.Config, _ *Config) { s.NestedErrors = nested })
		ref, ctx := w.leaver(), t.Context()
		plan, err := w.planOf(ctx, task(dsar.Plan, dsar.Erasure, ref))
		if want := []dsar.Counts{{Dataset: datasetProfiles, Found: 1}, w.settledUntil()}; err != nil || !reflect.DeepEqual(plan.Counts(), want) {
			t.Errorf("the plan is %+v (%v)", plan.Counts(), err)
		}
		done, err := w.worker.erase(ctx, erasing(task(dsar.Erase, dsar.Erasure, ref), plan))
		if want := []dsar.Counts{{Dataset: datasetProfiles, Found: 1, Erased: 1}, w.settledUntil()}; err != nil || !reflect.DeepEqual(done, want) {
			t.Errorf("the erasure is %+v (%v)", done, err)
		}
		proof, err := w.worker.prove(ctx, erasing(task(dsar.Prove, dsar.Erasure, ref), plan))
		if err != nil || !reflect.DeepEqual(proof, []dsar.Counts{w.settledUntil()}) {
			t.Errorf("the proof is %+v (%v)", proof, err)
		}
		if calls := w.server.Calls(); calls["read"] != 3 || calls["delete"] != 1 || w.server.Holds(ref) {
			t.Errorf("calls: %v; still there: %v", calls, w.server.Holds(ref))
		}
		again, err := w.worker.erase(ctx, erasing(task(dsar.Erase, dsar.Erasure, ref), plan))
		if want := []dsar.Counts{{Dataset: datasetProfiles, Gone: 1}, w.settledUntil()}; err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("the erasure again is %+v (%v)", again, err)
		}
	}
}

// TestPlannedAndLate: a profile whose reference isn't the person's by now is left, also by keys
// only, and one that wasn't planned is told apart.
func TestPlannedAndLate(t *testing.T) {
	t.Parallel()
	for _, byKeys := range []bool{false, true} {
		w := newFixture(t, nil)
		was, is := w.leaver(), w.people.CustomerRef(people.Camille)
		plan, err := w.planOf(t.Context(), task(dsar.Plan, dsar.Erasure, was))
		if err != nil {
			t.Fatal(err)
		}
		j := erasing(task(dsar.Erase, dsar.Erasure, is), plan)
		if byKeys {
			j.ByKeys, j.Owner, j.Identifiers = true, j.Identifiers, nil
		}
		proof, err := w.worker.prove(t.Context(), j)
		if n := int64(len(j.Identifiers)); err != nil || len(proof) != 2*int(n) || n > 0 && (proof[0].Found != n || proof[1].Found != n) {
			t.Errorf("by keys only: %t: the proof is %+v (%v)", byKeys, proof, err)
		}
		c, err := w.worker.erase(t.Context(), j)
		if err != nil || len(c) != 2 {
			t.Fatalf("%+v (%v)", c, err)
		}
		if byKeys {
			if c[0].Gone != 1 || c[1].Gone != 1 || c[0].Erased+c[1].Kept() != 0 {
				t.Errorf("%+v", c)
			}
		} else if c[0].Erased != 1 || c[0].Late != 1 || c[0].Uncovered == "" || c[1].Kept() != 1 || c[1].Late != 1 || c[1].Uncovered == "" {
			t.Errorf("%+v", c)
		}
		if !w.server.Holds(was) || w.server.Holds(is) == !byKeys {
			t.Errorf("by keys only: %t: there is %t of what was planned, %t of the person's", byKeys, w.server.Holds(was), w.server.Holds(is))
		}
	}
}

// TestUnknownReference: a reference has no profile, and payments may be settled under
// it.
func TestUnknownReference(t *testing.T) {
	t.Parallel()
	w := newFixture(t, nil)
	plan, err := w.planOf(t.Context(), task(dsar.Plan, dsar.Erasure, "nobody's"))
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []func() ([]dsar.Counts, error){
		func() ([]dsar.Counts, error) {
			return w.plan(t.Context(), task(dsar.Plan, dsar.Erasure, "nobody's"))
		},
		func() ([]dsar.Counts, error) {
			return w.worker.erase(t.Context(), erasing(task(dsar.Erase, dsar.Erasure, "nobody's"), plan))
		},
	} {
		if counts, err := do(); err != nil || !reflect.DeepEqual(counts, []dsar.Counts{w.settledUntil()}) {
			t.Errorf("%+v (%v)", counts, err)
		}
	}
	if n := w.server.Calls()["delete"]; n != 0 {
		t.Errorf("%d deletions of what isn't there", n)
	}
}

// TestUnknownStatusIsNoAbsence: a status that isn't known to say "no profile"
// leaves it open, is named, and is taken where the configuration says so.
func TestUnknownStatusIsNoAbsence(t *testing.T) {
	t.Parallel()
	other := func(notFound []string) *fixture {
		return newFixture(t, func(s *sandbox.Config, c *Config) { s.NoProfile, c.NotFound = "9777", notFound })
	}
	w := other(nil)
	if _, err := w.worker.prove(t.Context(), erasing(task(dsar.Prove, dsar.Erasure, "nobody's"), nil)); !isCode(err, vendorapi.CodeUnknown) || !strings.Contains(err.Error(), "9777") {
		t.Errorf("the error is %v", err)
	}
	if _, err := other([]string{"9777"}).worker.prove(t.Context(), erasing(task(dsar.Prove, dsar.Erasure, "nobody's"), nil)); err != nil {
		t.Error(err)
	}
}

// TestBilledProfile: a deletion that the gateway refuses, in words that aren't
// known, is no erasure.
func TestBilledProfile(t *testing.T) {
	t.Parallel()
	w := newFixture(t, func(s *sandbox.Config, _ *Config) { s.Billed = []string{s.Population.CustomerRef(people.Leaver)} })
	if _, err := w.worker.erase(t.Context(), erasing(task(dsar.Erase, dsar.Erasure, w.leaver()), nil)); !isCode(err, vendorapi.CodeUnknown) || !strings.Contains(err.Error(), "9579") {
		t.Errorf("the error is %v", err)
	}
	if !w.server.Holds(w.leaver()) {
		t.Error("it is gone")
	}
}

// TestStillShown: a profile that is deleted and still shown isn't deleted a
// second time, and the proof waits until it is shown no more.
func TestStillShown(t *testing.T) {
	t.Parallel()
	w := newFixture(t, func(s *sandbox.Config, _ *Config) { s.Settle = 90 * time.Second })
	ref := w.leaver()
	plan, err := w.planOf(t.Context(), task(dsar.Plan, dsar.Erasure, ref))
	if err != nil {
		t.Fatal(err)
	}
	for gone := range int64(2) {
		if c, err := w.worker.erase(t.Context(), erasing(task(dsar.Erase, dsar.Erasure, ref), plan)); err != nil || c[0].Erased != 1-gone || c[0].Gone != gone {
			t.Fatalf("%+v (%v)", c, err)
		}
	}
	_, err = w.worker.prove(t.Context(), erasing(task(dsar.Prove, dsar.Erasure, ref), nil))
	var e *worker.Error
	if !errors.As(err, &e) || e.Code != "settling" {
		t.Fatalf("the error is %v", err)
	}
	until, ok := e.Parked(w.clock.Now())
	if !ok {
		t.Fatal("it isn't parked")
	}
	for w.clock.Now().Before(until.Add(time.Minute)) {
		if err := w.clock.Pass(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := w.worker.prove(t.Context(), erasing(task(dsar.Prove, dsar.Erasure, ref), nil)); err != nil || len(c) != 1 {
		t.Errorf("%+v (%v)", c, err)
	}
	if calls := w.server.Calls(); calls["delete"] != 1 || w.server.Repeated() != 0 {
		t.Errorf("calls: %v", calls)
	}
}

// TestSecondary: where the first host fails, by the network, by HTTP or by a
// status, the second is called, with the same trace number; after a while it is
// the first one's turn again.
func TestSecondary(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]http.HandlerFunc{
		"cut":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"HTTP": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusServiceUnavailable) },
		"status": func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(`{"order":{"status":{"procStatus":"9992"}}}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			traces := map[string][]string{}
			down := true
			see := func(host string, r *http.Request) (fails bool) {
				mu.Lock()
				defer mu.Unlock()
				traces[host] = append(traces[host], r.Header.Get("Trace-number"))
				return down && host == "first"
			}
			var server http.Handler
			host := func(name string) string {
				ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if see(name, r) {
						fail(w, r)
						return
					}
					server.ServeHTTP(w, r)
				}))
				t.Cleanup(ts.Close)
				return ts.URL
			}
			w := newFixture(t, func(_ *sandbox.Config, c *Config) { c.BaseURL, c.SecondaryURL = host("first"), host("second") })
			server = w.server
			change := []worker.Change{{Dataset: datasetProfiles, Column: "customerCity", Value: "Lyon"}}
			rectify := func() {
				t.Helper()
				if c, err := w.worker.rectify(t.Context(), task(dsar.Rectify, dsar.Rectification, w.leaver()), change); err != nil || c[0].Rectified != 1 {
					t.Fatalf("%+v (%v)", c, err)
				}
			}
			rectify()
			if len(traces["first"]) != 1 || len(traces["second"]) != 2 {
				t.Errorf("calls: %v", traces)
			}
			if err := w.clock.Pass(t.Context(), secondaryFor); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			down = false
			mu.Unlock()
			rectify()
			if len(traces["first"]) != 3 || len(traces["second"]) != 2 {
				t.Errorf("calls: %v", traces)
			}
			if first, second := traces["first"][2], traces["second"][1]; first == "" || first != second {
				t.Errorf("the same change has trace numbers %q and %q", first, second)
			}
		})
	}
}

// TestLostAnswers: however many answers are lost, a profile is deleted once, and
// nothing is said to be erased that isn't.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	w := newFixture(t, nil)
	w.server.SetFaults(fault.Config{Seed: 3, ErrorAfter: 0.3, Cut: 0.1, Half: 0.1, ServerError: 0.1, Lock: 0.2})
	for n := 1; n <= len(w.people.People); n++ {
		ref := w.people.CustomerRef(n)
		for attempt := 1; ; attempt++ {
			tk := task(dsar.Erase, dsar.Erasure, ref)
			tk.Attempt = attempt
			if _, err := w.worker.erase(t.Context(), erasing(tk, nil)); err == nil {
				break
			}
			if err := w.clock.Pass(t.Context(), time.Minute); err != nil {
				t.Fatal(err)
			}
			if attempt > 50 {
				t.Fatal("it doesn't end")
			}
		}
		if w.server.Holds(ref) {
			t.Errorf("person %d's profile is still there", n)
		}
	}
	if n := w.server.Repeated(); n != 0 {
		t.Errorf("%d deletions of what was gone", n)
	}
}

func TestRectifyAndRestrict(t *testing.T) {
	t.Parallel()
	w := newFixture(t, nil)
	ref := w.leaver()
	counts, err := w.worker.rectify(t.Context(), task(dsar.Rectify, dsar.Rectification, ref), []worker.Change{
		{Dataset: datasetProfiles, Column: "customerCity", Value: "Lyon"}, {Dataset: datasetProfiles, Column: "ccAccountNum", Value: "1"},
	})
	if want := []dsar.Counts{{Dataset: datasetProfiles, Found: 1, Rectified: 1, Changed: []string{"customerCity"}, Unchanged: []string{"ccAccountNum"}}}; err != nil || !reflect.DeepEqual(counts, want) {
		t.Errorf("%+v (%v)", counts, err)
	}
	counts, err = w.worker.restrict(t.Context(), task(dsar.Restrict, dsar.Restriction, ref))
	if err != nil || counts[0].Restricted != 1 {
		t.Errorf("%+v (%v)", counts, err)
	}
	p, err := w.worker.read(t.Context(), ref)
	if err != nil || p.value("customerCity") != "Lyon" || p.value("status") != "I" || p.value("ccAccountNum") == "1" {
		t.Errorf("the profile is %v (%v)", p.value("customerCity"), err)
	}
	if _, err := w.worker.rectify(t.Context(), task(dsar.Rectify, dsar.Rectification, ref), []worker.Change{{Dataset: datasetProfiles, Column: "ccAccountNum", Value: "1"}}); !isCode(err, "not-rectifiable") {
		t.Errorf("the error is %v", err)
	}
	if _, err := w.worker.restrict(t.Context(), task(dsar.Restrict, dsar.OptOut, ref)); !isCode(err, "not-restrictable") {
		t.Errorf("the error is %v", err)
	}
	if c, err := w.worker.restrict(t.Context(), task(dsar.Restrict, dsar.Restriction, "nobody's")); err != nil || c != nil {
		t.Errorf("%+v (%v)", c, err)
	}
}

// TestPasswordChanges: the password is read at each call.
func TestPasswordChanges(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "password")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wrong\n")
	w := newFixture(t, func(_ *sandbox.Config, c *Config) { c.Password = vendorapi.SecretFile(file) })
	ask := func() error {
		_, err := w.plan(t.Context(), task(dsar.Plan, dsar.Erasure, w.leaver()))
		return err
	}
	if err := ask(); !isCode(err, "credentials") {
		t.Errorf("the error is %v", err)
	}
	write(sandbox.DefaultPassword + "\n")
	if err := ask(); err != nil {
		t.Error(err)
	}
}

func TestTraceNumber(t *testing.T) {
	t.Parallel()
	a := task(dsar.Erase, dsar.Erasure, "A")
	again, later := a, a
	later.Attempt = 2
	numbers := []string{traceNumber(a, "A"), traceNumber(later, "A"), traceNumber(a, "B"), traceNumber(task(dsar.Restrict, dsar.Restriction, "A"), "A")}
	if traceNumber(again, "A") != numbers[0] {
		t.Error("the same change has two numbers")
	}
	for i, n := range numbers {
		if slices.Contains(numbers[:i], n) || len(n) > 16 || n[0] == '0' {
			t.Errorf("%v", numbers)
		}
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	if got := references(task(dsar.Plan, dsar.Erasure, "A", " A ", "..", "", "b/c")); !slices.Equal(got, []string{"A", "b/c"}) {
		t.Errorf("%q", got)
	}
}

func isCode(err error, code string) bool {
	var e *worker.Error
	return errors.As(err, &e) && e.Code == code
}
