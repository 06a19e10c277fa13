package marketo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/fault"
	sandbox "habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
)

func TestManifest(t *testing.T) {
	t.Parallel()
	m, err := Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range people.Generate(people.Config{Seed: 1}).Rows(people.Marketo) {
		d := m.Dataset(r.Dataset)
		if d == nil {
			t.Fatalf("no dataset %s", r.Dataset)
		}
		for c := range r.Values {
			if d.Column(c) == nil {
				t.Fatalf("no column %s in %s", c, r.Dataset)
			}
		}
		if len(d.Columns) != len(r.Values) {
			t.Fatalf("%s has %d columns, the seeds have %d", r.Dataset, len(d.Columns), len(r.Values))
		}
	}
}

// Everyone gets every record that is seeded of them, and none of another's, in
// one batch, with pages of many sizes.
func TestGatherEveryone(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 7, 100} {
		t.Run(fmt.Sprint("page ", size), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 120, func(s *sandbox.Config, _ *Config) { s.PageSize = size })
			emails := append(w.emails(), people.NobodyEmail)
			out, errs := w.gather(emails...)
			for i := range emails {
				if errs[i] != nil {
					t.Fatalf("person %d: %v", i+1, errs[i])
				}
				want := map[string][]string{}
				if i < len(w.people.People) {
					want = w.seeded(i + 1)
				}
				if !sameRows(out[i].rows, want) {
					t.Errorf("person %d: got %v, seeded are %v", i+1, sizes(out[i].rows), sizes(want))
				}
			}
		})
	}
}

// The same person twice in a batch is told twice; one whose records can't be
// written fails alone.
func TestOneFailsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20, nil)
	e := w.emails()
	subjects := []*subject{subjectOf(task(dsar.Gather, e[0])), subjectOf(task(dsar.Gather, e[0])), subjectOf(task(dsar.Gather, e[1]))}
	full := errors.New("the disk is full")
	mem := []*memory{{}, {err: full}, {}}
	w.gatherFor(subjects, mem)
	if subjects[0].err != nil || !errors.Is(subjects[1].err, full) || subjects[2].err != nil {
		t.Fatalf("%v, %v, %v", subjects[0].err, subjects[1].err, subjects[2].err)
	}
	if !sameRows(mem[0].rows, w.seeded(1)) || !sameRows(mem[2].rows, w.seeded(2)) {
		t.Fatal("the others' records aren't whole")
	}
}

// With everything going wrong, everyone's answer is whole, or is an error that
// lets the task come again; an erasure is never said to be done when it isn't.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault.Config{
		"5xx":          {ServerError: 0.2},
		"lost answers": {ErrorAfter: 0.2},
		"cut":          {Cut: 0.2},
		"half JSON":    {Half: 0.2},
		"429":          {Throttle: 0.2},
		"locked":       {Lock: 0.3},
		"all":          {ServerError: 0.05, ErrorAfter: 0.05, Cut: 0.05, Half: 0.05, Throttle: 0.05, Lock: 0.1},
	} {
		for seed := range int64(5) {
			t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) {
				t.Parallel()
				f := f // each seed draws its own
				f.Seed = seed
				w := newWorld(t, 40, func(s *sandbox.Config, _ *Config) { s.Faults, s.PageSize = f, 50 })
				e := w.emails()
				open := map[int]bool{}
				for i := range e {
					open[i] = true
				}
				for range 40 {
					if len(open) == 0 {
						break
					}
					var ask []string
					var who []int
					for i := range open {
						ask, who = append(ask, e[i]), append(who, i)
					}
					out, errs := w.gather(ask...)
					for k, i := range who {
						if errs[k] != nil {
							mustComeAgain(t, errs[k])
						} else if delete(open, i); !sameRows(out[k].rows, w.seeded(i+1)) {
							t.Fatalf("person %d: %v", i+1, sizes(out[k].rows))
						}
					}
				}
				if len(open) > 0 {
					t.Fatalf("%d subjects were never gathered", len(open))
				}
				for i := range e {
					open[i] = true
				}
				for range 40 {
					if len(open) == 0 {
						break
					}
					var ask []string
					var who []int
					for i := range open {
						ask, who = append(ask, e[i]), append(who, i)
					}
					for k, j := range w.count(dsar.Erase, ask...) {
						if j.Err != nil {
							mustComeAgain(t, j.Err)
						} else {
							delete(open, who[k])
						}
					}
					w.server.SetFaults(fault.Config{})
					for i := range e {
						if open[i] {
							continue
						}
						if j := w.count(dsar.Prove, e[i])[0]; j.Err != nil || len(j.Counts) > 0 {
							t.Fatalf("person %d was said to be erased, and has %v (%v)", i+1, j.Counts, j.Err)
						}
					}
					f.Seed++
					w.server.SetFaults(f)
				}
				if len(open) > 0 {
					t.Fatalf("%d subjects were never erased", len(open))
				}
				// No record was deleted twice: Marketo says so of each.
				if n := w.server.Repeated(); n > 0 {
					t.Errorf("%d destructive calls were for records that were gone", n)
				}
			})
		}
	}
}

func mustComeAgain(t *testing.T, err error) {
	t.Helper()
	var e *worker.Error
	if errors.As(err, &e) && e.Permanent() {
		t.Fatalf("a passing fault was taken for a lasting one: %v: %v", err, errors.Unwrap(e))
	}
}

// A token that is revoked in mid-run is renewed, once for all callers.
func TestTokenRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 30, nil)
	e := w.emails()
	for round := range 3 {
		if _, errs := w.gather(e...); errors.Join(errs...) != nil {
			t.Fatal(errors.Join(errs...))
		}
		if n := w.server.Calls()["token"]; n != int64(round+1) {
			t.Fatalf("%d tokens after %d revocations", n, round)
		}
		w.server.RevokeTokens()
	}
	for _, j := range w.count(dsar.Erase, e[:3]...) {
		if j.Err != nil {
			t.Fatal(j.Err)
		}
	}
}

// What was acknowledged outlives the stand-in's process, and so does nothing
// that wasn't.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, 12, func(s *sandbox.Config, _ *Config) { s.Dir = dir })
	e := w.emails()
	if j := w.count(dsar.Erase, e[0])[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
	// Not closed: as after kill -9.
	again := newWorld(t, 12, func(s *sandbox.Config, _ *Config) { s.Dir = dir })
	if j := again.count(dsar.Prove, e[0])[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if j := again.count(dsar.Count, e[1])[0]; j.Err != nil || !maps.Equal(found(j.Counts), leadsOnly(again.seeded(2))) {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
}

// The secret is read again with each token.
func TestSecretFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	os.WriteFile(file, []byte("old\n"), 0o600)
	w := newWorld(t, 12, func(_ *sandbox.Config, c *Config) { c.Secret = vendorapi.SecretFile(file) })
	if _, errs := w.gather(w.emails()[0]); errs[0] == nil {
		t.Fatal("a wrong secret was taken")
	}
	os.WriteFile(file, []byte(sandbox.DefaultClientSecret+"\n"), 0o600)
	if _, errs := w.gather(w.emails()[0]); errs[0] != nil {
		t.Fatal(errs[0])
	}
}

func BenchmarkGather(b *testing.B) {
	for _, size := range []int{1, 50, 300} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			t := &testing.T{}
			w := newWorld(t, 1000, nil)
			e := w.emails()
			n := 0
			for b.Loop() {
				subjects := make([]*subject, size)
				records := map[*subject]*worker.Records{}
				for i := range size {
					subjects[i] = subjectOf(task(dsar.Gather, e[n%len(e)]))
					records[subjects[i]] = worker.NewRecords(w.manifest, dsar.Access, nil, func(string, record.Record) error { return nil })
					n++
				}
				w.worker.gather(b.Context(), subjects, records)
				for _, s := range subjects {
					if s.err != nil {
						b.Fatal(s.err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/subject")
		})
	}
}

// leadsOnly returns the counts that an erasure has: activities go with their lead.
func leadsOnly(rows map[string][]string) map[string]int {
	n := sizes(rows)
	delete(n, ofActivities)
	return n
}

// After an erasure nothing is found, and nobody else has lost anything.
func TestEraseAndProve(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60, nil)
	e := w.emails()
	gone := []string{e[0], e[2], e[9], people.NobodyEmail}
	plan := w.count(dsar.Count, gone...)
	for i, j := range w.count(dsar.Erase, gone...) {
		if j.Err != nil {
			t.Fatal(j.Err)
		}
		if got, want := erased(j.Counts), found(plan[i].Counts); !maps.Equal(got, want) {
			t.Errorf("erased %v, planned were %v", got, want)
		}
	}
	if !maps.Equal(found(plan[0].Counts), leadsOnly(w.seeded(1))) || len(plan[3].Counts) != 0 {
		t.Errorf("planned %v", found(plan[0].Counts))
	}
	for _, j := range w.count(dsar.Prove, gone...) {
		if j.Err != nil || len(j.Counts) != 0 {
			t.Errorf("still found: %v, %v", j.Counts, j.Err)
		}
	}
	out, errs := w.gather(e...)
	for i := range e {
		want := w.seeded(i + 1)
		if i == 0 || i == 2 || i == 9 {
			want = nil
		}
		if errs[i] != nil || !sameRows(out[i].rows, want) {
			t.Errorf("person %d: %v, %v", i+1, sizes(out[i].rows), errs[i])
		}
	}
	// Again: a success that deletes nothing, and says that what was planned is gone.
	before := w.server.Calls()
	for _, j := range w.count(dsar.Erase, gone...) {
		if j.Err != nil || len(erased(j.Counts)) != 0 || len(j.Counts) > 0 && j.Counts[0].Gone == 0 {
			t.Errorf("the second erasure: %v, %v", j.Counts, j.Err)
		}
	}
	if d := since(w.server.Calls(), before); d["leads.delete"] != 0 || total(d) > 1 {
		t.Errorf("the second erasure called %v", d)
	}
}

// What comes between plan and erasure is late: found by asking anew where that is
// done, else by the proof, which has it planned again.
func TestLate(t *testing.T) {
	t.Parallel()
	for name, remembered := range map[string]bool{"in the same minutes": true, "later": false} {
		w := newWorld(t, 12, nil)
		e := w.emails()[0]
		was := leadsOnly(w.seeded(1))
		w.count(dsar.Count, e)
		w.plans[e] = nil // as if the leads had come later
		w.worker.recall.take(subjectOf(task(dsar.Erase, e)))
		if remembered {
			w.worker.recall.keep(subjectOf(task(dsar.Erase, e)), findings{})
			if j := w.count(dsar.Erase, e)[0]; j.Err != nil || len(j.Counts) != 0 {
				t.Fatalf("%s: %v, %v", name, j.Counts, j.Err)
			}
			if j := w.count(dsar.Prove, e)[0]; len(j.Counts) == 0 {
				t.Fatalf("%s: the proof finds nothing", name)
			}
		}
		j := w.count(dsar.Erase, e)[0]
		if j.Err != nil || !maps.Equal(erased(j.Counts), was) || j.Counts[0].Late != int64(was["leads"]) {
			t.Fatalf("%s: %v, %v", name, j.Counts, j.Err)
		}
	}
}

// TestPlannedLead: a lead that has another address since the plan is erased by its
// id, and one that somebody else deleted is gone.
func TestPlannedLead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, nil)
	e := w.emails()
	w.count(dsar.Count, e[0], e[2])
	planned := w.plans[e[0]].Counts()[0].Found
	// The first person's plan goes along with an address that has no leads.
	w.plans[people.NobodyEmail] = w.plans[e[0]]
	if j := w.count(dsar.Prove, people.NobodyEmail)[0]; j.Err != nil || len(j.Counts) != 1 || j.Counts[0].Found != planned {
		t.Fatalf("%v, %v: a planned lead isn't asked for by its id", j.Counts, j.Err)
	}
	j := w.count(dsar.Erase, people.NobodyEmail)[0]
	if j.Err != nil || len(j.Counts) != 1 || j.Counts[0].Erased+j.Counts[0].Gone != planned || w.server.Holds(e[0]) {
		t.Fatalf("%v, %v; held: %t", j.Counts, j.Err, w.server.Holds(e[0]))
	}
	if j := w.count(dsar.Prove, people.NobodyEmail)[0]; j.Err != nil || len(j.Counts) != 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	again := w.count(dsar.Erase, e[0])[0]
	if again.Err != nil || len(again.Counts) != 1 || again.Counts[0].Gone != planned || again.Counts[0].Erased != 0 {
		t.Errorf("%v, %v", again.Counts, again.Err)
	}
}

// A day's calls that are used up park the task until midnight in Chicago: the
// vendor's whole quota, and our share of it.
func TestQuota(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sandbox.Config, *Config){
		"the instance's": func(s *sandbox.Config, _ *Config) { s.Limits.Daily = 10 },
		"ours":           func(_ *sandbox.Config, c *Config) { c.Daily = 10 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			w := newWorld(t, 12, func(s *sandbox.Config, wc *Config) {
				s.Clock, wc.Now, wc.Pause = c.now, c.now, c.pass
				change(s, wc)
			})
			e := w.emails()[0]
			var errs []error
			for range 10 { // some calls each
				if _, errs = w.gather(e); errs[0] != nil {
					break
				}
			}
			var we *worker.Error
			if !errors.As(errs[0], &we) || we.Code != "quota" {
				t.Fatalf("got %v", errs[0])
			}
			until, ok := we.Parked(c.now())
			if want := time.Date(2026, 11, 21, 6, 1, 0, 0, time.UTC); !ok || !until.Equal(want) {
				t.Fatalf("parked until %v, want %v", until, want)
			}
			c.pass(context.Background(), until.Sub(c.now()))
			if _, errs := w.gather(e); errs[0] != nil {
				t.Fatal(errs[0])
			}
		})
	}
}

// What stands in the way is named, without a word of Marketo's own: it may quote
// the person.
func TestPermanent(t *testing.T) {
	t.Parallel()
	for code, change := range map[string]func(*sandbox.Config, *Config){
		"schema":      func(s *sandbox.Config, _ *Config) { s.Hidden = []string{"leadScore"} },
		"credentials": func(_ *sandbox.Config, c *Config) { c.Secret = vendorapi.SecretValue("wrong") },
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12, change)
			_, errs := w.gather(w.emails()[0])
			var e *worker.Error
			if !errors.As(errs[0], &e) || !e.Permanent() || e.Code != code {
				t.Fatalf("got %v", errs[0])
			}
			if strings.Contains(strings.ToLower(errs[0].Error()), "brien") {
				t.Fatalf("the error quotes the person: %v", errs[0])
			}
		})
	}
}

// A page token that is no longer known has the task come again, from the start.
func TestPageExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, func(s *sandbox.Config, _ *Config) { s.PageSize = 5 })
	e := w.emails()[0]
	if _, errs := w.gather(e); errs[0] != nil {
		t.Fatal(errs[0])
	}
	w.server.ExpirePages()
	_, errs := w.gather(e)
	var we *worker.Error
	if !errors.As(errs[0], &we) || we.Permanent() || we.Code != "page-expired" {
		t.Fatalf("got %v", errs[0])
	}
	if out, errs := w.gather(e); errs[0] != nil || !sameRows(out[0].rows, w.seeded(1)) {
		t.Fatalf("%v", errs[0])
	}
}

// A lead that is gone and still shown is not deleted again, and is no proof.
func TestSettling(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWorld(t, 12, func(s *sandbox.Config, wc *Config) {
		s.Settle, s.Clock = time.Minute, c.now
		wc.Now, wc.Pause = c.now, c.pass
	})
	e := w.emails()[0]
	if j := w.count(dsar.Erase, e)[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
	j := w.count(dsar.Prove, e)[0]
	var we *worker.Error
	if !errors.As(j.Err, &we) || we.Code != "settling" {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if j := w.count(dsar.Erase, e)[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
	if n := w.server.Repeated(); n > 0 {
		t.Fatalf("%d leads were deleted again", n)
	}
	c.pass(context.Background(), 2*time.Minute)
	if j := w.count(dsar.Prove, e)[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
}

// Where an answer is lost and the leads are still shown, the list of deletions
// tells that they are gone.
func TestLostAndSettling(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWorld(t, 12, func(s *sandbox.Config, wc *Config) {
		s.Settle, s.Clock = time.Minute, c.now
		wc.Now, wc.Pause = c.now, c.pass
	})
	e := w.emails()
	w.count(dsar.Count, e...)
	w.server.SetFaults(fault.Config{ErrorAfter: 0.5, Seed: 3})
	for i := range 20 {
		done := true
		for _, j := range w.count(dsar.Erase, e...) {
			done = done && j.Err == nil
		}
		if done {
			break
		}
		w.server.SetFaults(fault.Config{ErrorAfter: 0.5, Seed: int64(i)})
	}
	if n := w.server.Repeated(); n > 0 {
		t.Errorf("%d leads were deleted again", n)
	}
}

// Addresses with metacharacters find nobody, or whom they are of; one that can't
// be asked for is named, and fails alone.
func TestMetacharacters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, nil)
	bad := []string{`a,b@example.com`, `x&filterType=id`, `%00`, `"`, "a\nb", `%`, `*`, strings.Repeat("x", 5000) + "@example.com", `camille.o'brien@example.com`, " CAMILLE.O'BRIEN@EXAMPLE.COM "}
	out, errs := w.gather(bad...)
	for i, e := range bad {
		var want map[string][]string
		if i >= len(bad)-2 {
			want = w.seeded(1)
		}
		if i == 0 {
			var we *worker.Error
			if !errors.As(errs[i], &we) || we.Code != "unaskable-address" {
				t.Errorf("an address with a comma: %v", errs[i])
			}
			continue
		}
		if errs[i] != nil || !sameRows(out[i].rows, want) {
			t.Errorf("%.40q: %v, %v", e, sizes(out[i].rows), errs[i])
		}
	}
}

// A thousand subjects take few calls.
func TestCallsForAThousand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000, nil)
	e := w.emails()
	_, errs := w.gather(e...)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	gather := w.server.Calls()
	if n := total(gather); n > 230 {
		t.Errorf("%d calls to gather", n)
	}
	for _, a := range []dsar.Action{dsar.Count, dsar.Erase, dsar.Prove} {
		for _, j := range w.count(a, e...) {
			if j.Err != nil {
				t.Fatal(j.Err)
			}
		}
	}
	erase := since(w.server.Calls(), gather)
	if n := total(erase); n > 15 {
		t.Errorf("%d calls to erase with plan and proof", n)
	}
	t.Logf("gather %d %v; plan, erase and prove %d %v", total(gather), gather, total(erase), erase)
}

// The rate that Adobe advises is kept: under it, nothing is refused by
// Marketo's own limits.
func TestRate(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWorld(t, 12, func(s *sandbox.Config, wc *Config) {
		s.Limits, s.Clock = sandbox.RealLimits(), c.now
		wc.Rate, wc.Now, wc.Pause = 0, c.now, c.pass
	})
	e := w.emails()[0]
	for range 100 {
		if _, errs := w.gather(e); errs[0] != nil {
			t.Fatal(errs[0])
		}
	}
}
