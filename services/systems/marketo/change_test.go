package marketo

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/conform"
	"habeas.dev/services/sandbox/fault"
	sandbox "habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
)

// leads returns what Marketo holds of an address, asked as any client asks.
func (w *fixture) leads(email string, columns ...string) []map[string]any {
	w.T.Helper()
	var out []map[string]any
	err := w.worker.leadsBy(w.T.Context(), "email", []string{email}, columns, func(f *fields) error {
		row := map[string]any{}
		for n, i := range f.at {
			var v any
			if err := json.Unmarshal(f.values[i], &v); err != nil {
				return err
			}
			row[n] = v
		}
		out = append(out, row)
		return nil
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return out
}

func (w *fixture) restrict(right dsar.Right, lift bool, emails ...string) []*worker.RestrictJob {
	w.T.Helper()
	jobs := make([]*worker.RestrictJob, len(emails))
	for i, e := range emails {
		jobs[i] = &worker.RestrictJob{Job: worker.Job{Task: conform.Task(dsar.Restrict, e)}}
		jobs[i].Right, jobs[i].Lift = right, lift
	}
	if err := w.worker.Restrict(w.T.Context(), jobs); err != nil {
		w.T.Fatal(err)
	}
	return jobs
}

// All leads of a person get what the person corrected, and those of nobody else;
// what the manifest doesn't let be corrected is named as unchanged.
func TestRectify(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 30, nil)
	e := w.Emails()
	one := &worker.RectifyJob{Job: worker.Job{Task: conform.Task(dsar.Rectify, e[0])}, Changes: []worker.Change{{Dataset: "leads", Column: "city", Value: "Brest"}, {Dataset: "leads", Column: "leadScore", Value: "1"}, {Dataset: "orders", Column: "city", Value: "x"}}}
	bad := &worker.RectifyJob{Job: worker.Job{Task: conform.Task(dsar.Rectify, e[1])}, Changes: []worker.Change{{Dataset: "leads", Column: "leadScore", Value: "1"}}}
	nobody := &worker.RectifyJob{Job: worker.Job{Task: conform.Task(dsar.Rectify, people.NobodyEmail)}, Changes: []worker.Change{{Dataset: "leads", Column: "city", Value: "x"}}}
	if err := w.worker.Rectify(t.Context(), []*worker.RectifyJob{one, bad, nobody}); err != nil {
		t.Fatal(err)
	}
	if one.Err != nil || nobody.Err != nil || len(nobody.Counts) != 0 || fmt.Sprint(one.Counts) != fmt.Sprint([]dsar.Counts{{Dataset: "leads", Found: 2, Rectified: 2, Changed: []string{"city"}, Unchanged: []string{"leadScore"}}}) {
		t.Fatalf("%v %+v, %v", one.Err, one.Counts, nobody.Err)
	}
	var we *worker.Error
	if !errors.As(bad.Err, &we) || we.Code != "not-rectifiable" {
		t.Fatalf("%v", bad.Err)
	}
	for i, email := range e {
		for _, l := range w.leads(email, "city") {
			if (l["city"] == "Brest") != (i == 0) {
				t.Errorf("person %d has %v", i+1, l["city"])
			}
		}
	}
}

var flags = []string{"unsubscribed", "doNotCall", "marketingSuspended"}

// A restriction sets the flags, once however often it is asked; lifting it gives
// back exactly what was.
func TestRestrictAndLift(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 60, nil)
	e := w.Emails()
	columns := append([]string{"unsubscribedReason"}, flags...)
	before := make([]string, len(e))
	for i, email := range e {
		before[i] = fmt.Sprint(w.leads(email, columns...))
	}
	for range 2 {
		for i, j := range w.restrict(dsar.Restriction, false, e...) {
			if len(w.leads(e[i])) == 0 && j.Err == nil && len(j.Counts) == 0 {
				continue
			}
			if j.Err != nil || len(j.Counts) != 1 || j.Counts[0].Restricted != j.Counts[0].Found || int(j.Counts[0].Found) != len(w.leads(e[i])) {
				t.Fatalf("%v %v", j.Err, j.Counts)
			}
		}
		for _, email := range e {
			for _, l := range w.leads(email, flags...) {
				for _, f := range flags {
					if l[f] != true {
						t.Fatalf("%s is %v", f, l[f])
					}
				}
			}
		}
	}
	// Another right holds some of them on.
	w.restrict(dsar.OptOut, false, e[:3]...)
	w.restrict(dsar.Restriction, true, e...)
	for _, email := range e[:3] {
		for _, l := range w.leads(email, flags...) {
			if l["unsubscribed"] != true {
				t.Error("what another right holds was lifted")
			}
		}
	}
	w.restrict(dsar.OptOut, true, e[:3]...)
	w.restrict(dsar.OptOut, true, e[:3]...)
	for i, email := range e {
		if got := fmt.Sprint(w.leads(email, columns...)); got != before[i] {
			t.Errorf("person %d: %s, was %s", i+1, got, before[i])
		}
	}
}

// A flag that leads lack is left out where the manifest says that it may be
// missing, and stands in the way where it doesn't.
func TestFlagsThatAreMissing(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, func(s *sandbox.Config, _ *Config) { s.Hidden = []string{"marketingSuspended"} })
	if j := w.restrict(dsar.Restriction, false, w.Emails()[0])[0]; j.Err != nil || j.Counts[0].Restricted != 2 {
		t.Fatalf("%v %v", j.Err, j.Counts)
	}
	w = newFixture(t, 12, func(s *sandbox.Config, _ *Config) { s.Hidden = []string{"doNotCall"} })
	var we *worker.Error
	if j := w.restrict(dsar.Restriction, false, w.Emails()[0])[0]; !errors.As(j.Err, &we) || we.Code != "schema" || !strings.Contains(we.Reason, "doNotCall") {
		t.Fatalf("%v", j.Err)
	}
}

// What no flag that leads have ends is named, once the others are set: a flag that may
// be missing, and is, ends nothing.
func TestWhatNoFlagEnds(t *testing.T) {
	t.Parallel()
	hidden := func(s *sandbox.Config) { s.Hidden = []string{"marketingSuspended"} }
	m := conform.Edited(t, manifestYAML,
		"{field: unsubscribed, stops: [marketing, measure-marketing]}", "{field: unsubscribed, stops: [marketing]}",
		"{field: doNotCall, stops: [marketing, measure-marketing]}", "{field: doNotCall, stops: [marketing]}")
	w := newFixture(t, 12, func(s *sandbox.Config, c *Config) { hidden(s); c.Manifest = m })
	e := w.Emails()[0]
	for _, lift := range []bool{false, true} {
		j := w.restrict(dsar.Restriction, lift, e)[0]
		var we *worker.Error
		if !errors.As(j.Err, &we) || we.Code != "not-restrictable" || !strings.Contains(we.Reason, " measure-marketing:") {
			t.Fatalf("lift %v: %v", lift, j.Err)
		}
		if len(j.Counts) != 1 || j.Counts[0].Restricted != 2 {
			t.Errorf("lift %v: %v", lift, j.Counts)
		}
		for _, l := range w.leads(e, "doNotCall", "unsubscribed") {
			if !lift && (l["doNotCall"] != true || l["unsubscribed"] != true) {
				t.Errorf("what can be stopped wasn't: %v", l)
			}
		}
	}
	m = conform.Edited(t, manifestYAML,
		"        - {field: unsubscribed, stops: [marketing, measure-marketing]}\n", "",
		"        - {field: doNotCall, stops: [marketing, measure-marketing]}\n", "")
	w = newFixture(t, 12, func(s *sandbox.Config, c *Config) { hidden(s); c.Manifest = m })
	var we *worker.Error
	if j := w.restrict(dsar.Restriction, false, e)[0]; !errors.As(j.Err, &we) || we.Code != "not-restrictable" || len(j.Counts) != 0 {
		t.Errorf("with no flag at all: %v, %v", j.Err, j.Counts)
	}
}

// Whatever is lost on the way, a restriction is whole in the end, and so is its
// lifting.
func TestRestrictUnderFaults(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 40, nil)
	e := w.Emails()
	columns := append([]string{"unsubscribedReason"}, flags...)
	before := fmt.Sprint(w.leads(e[0], columns...), w.leads(e[7], columns...))
	for _, lift := range []bool{false, true} {
		w.worker.described.fields = nil
		open := e
		for seed := int64(0); len(open) > 0; seed++ {
			if seed == 50 {
				t.Fatalf("%d are left", len(open))
			}
			w.server.SetFaults(fault.Config{Seed: seed, ServerError: 0.1, ErrorAfter: 0.1, Cut: 0.1, Half: 0.1, Throttle: 0.1})
			jobs := make([]*worker.RestrictJob, len(open))
			for i, email := range open {
				jobs[i] = &worker.RestrictJob{Job: worker.Job{Task: conform.Task(dsar.Restrict, email)}}
				jobs[i].Right, jobs[i].Lift = dsar.Restriction, lift
			}
			if err := w.worker.Restrict(t.Context(), jobs); err != nil {
				conform.MustPass(t, err)
				continue
			}
			var left []string
			for i, j := range jobs {
				if j.Err != nil {
					conform.MustPass(t, j.Err)
					left = append(left, open[i])
				}
			}
			open = left
		}
		w.server.SetFaults(fault.Config{})
		if !lift {
			for _, email := range e {
				for _, l := range w.leads(email, flags...) {
					if l["unsubscribed"] != true || l["doNotCall"] != true || l["marketingSuspended"] != true {
						t.Fatal("said to be restricted, and isn't")
					}
				}
			}
		}
	}
	if after := fmt.Sprint(w.leads(e[0], columns...), w.leads(e[7], columns...)); after != before {
		t.Errorf("%s, was %s", after, before)
	}
}

// A thousand restrictions take few calls.
func TestCallsToRestrictAThousand(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 1000, nil)
	for _, j := range w.restrict(dsar.Restriction, false, w.Emails()...) {
		if j.Err != nil {
			t.Fatal(j.Err)
		}
	}
	if n := conform.Total(w.server.Calls()); n > 10 {
		t.Errorf("%d calls: %v", n, w.server.Calls())
	}
	t.Logf("%v", w.server.Calls())
}

// TestLock: in whatever order rights set and lift, a flag is set while one holds
// it, and is what it was when none does; the marker's own text stays.
func TestLock(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lead := map[string]any{"reason": rapid.SampledFrom([]any{nil, "asked by phone", "a [b] c", "\ttab first", "ends so "}).Draw(t, "reason")}
		was := map[string]bool{}
		for _, f := range flags {
			was[f] = rapid.Bool().Draw(t, f)
			lead[f] = was[f]
		}
		begun := fmt.Sprint(lead)
		rights := []dsar.Right{dsar.Restriction, dsar.Objection, dsar.OptOut}
		holds := map[dsar.Right][]string{}
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			right := rapid.SampledFrom(rights).Draw(t, "right")
			f := newFields(append([]string{"reason"}, flags...))
			for n, i := range f.at {
				f.values[i], _ = json.Marshal(lead[n])
			}
			l := readFlags(f, "reason")
			if rapid.Bool().Draw(t, "lift") {
				l.lift(right)
				delete(holds, right)
			} else {
				some := rapid.SampledFrom([][]string{flags, flags[:1], flags[1:]}).Draw(t, "flags")
				l.restrict(right, some)
				holds[right] = append(holds[right], some...)
			}
			for n, v := range l.changes("reason") {
				lead[n] = v
			}
			for _, flag := range flags {
				want := was[flag]
				for _, held := range holds {
					for _, h := range held {
						want = want || h == flag
					}
				}
				if lead[flag] != want {
					t.Fatalf("%s is %v, want %v", flag, lead[flag], want)
				}
			}
		}
		for _, right := range rights {
			f := newFields(append([]string{"reason"}, flags...))
			for n, i := range f.at {
				f.values[i], _ = json.Marshal(lead[n])
			}
			l := readFlags(f, "reason")
			l.lift(right)
			for n, v := range l.changes("reason") {
				lead[n] = v
			}
		}
		if got := fmt.Sprint(lead); got != begun {
			t.Fatalf("%s, was %s", got, begun)
		}
	})
}
