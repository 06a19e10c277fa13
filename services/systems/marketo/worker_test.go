package marketo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/conform"
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
	conform.Declared(t, m, people.Marketo)
}

// Everyone gets every record that is seeded of them, and none of another's, in
// one batch, with pages of many sizes.
func TestGatherEveryone(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 7, 100} {
		t.Run(fmt.Sprint("page ", size), func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, 120, func(s *sandbox.Config, _ *Config) { s.PageSize = size })
			w.GathersEveryone()
		})
	}
}

// The same person twice in a batch is told twice; one whose records can't be
// written fails alone.
func TestOneFailsAlone(t *testing.T) {
	t.Parallel()
	newFixture(t, 20, nil).OneFailsAlone()
}

// With everything going wrong, everyone's answer is whole, or is an error that
// lets the task come again; an erasure is never said to be done when it isn't.
func TestManyUnderFaults(t *testing.T) {
	t.Parallel()
	conform.ManyUnderFaults(t, func(t *testing.T, f fault.Config) conform.Fixture {
		w := newFixture(t, 40, func(s *sandbox.Config, _ *Config) { s.Faults, s.PageSize = f, 50 })
		return conform.Fixture{Direct: w.Direct, Clock: w.clock, Set: w.server.SetFaults, Repeated: w.server.Repeated}
	})
}

// TestTokenRevoked: a token that is revoked in mid-run is renewed, once for all callers.
func TestTokenRevoked(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 30, nil)
	w.RenewsToken(func() int64 { return w.server.Calls()["token"] }, w.server.RevokeTokens)
}

func TestRestart(t *testing.T) {
	t.Parallel()
	conform.KeepsChanges(t, func(dir string) conform.Direct {
		return newFixture(t, 12, func(s *sandbox.Config, _ *Config) { s.Dir = dir }).Direct
	}, func(d conform.Direct, number int) map[string]int { return leadsOnly(d.Seeded(number)) })
}

func TestSecretFile(t *testing.T) {
	t.Parallel()
	conform.ReadsSecretAnew(t, func(secret vendorapi.Secret) conform.Direct {
		return newFixture(t, 12, func(_ *sandbox.Config, c *Config) { c.Secret = secret }).Direct
	}, sandbox.DefaultClientSecret)
}

func BenchmarkGather(b *testing.B) {
	for _, size := range []int{1, 50, 300} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			t := &testing.T{}
			w := newFixture(t, 1000, nil)
			e := w.Emails()
			n := 0
			for b.Loop() {
				subjects := make([]*subject, size)
				records := map[*subject]*worker.Records{}
				for i := range size {
					subjects[i] = subjectOf(conform.Task(dsar.Gather, e[n%len(e)]))
					records[subjects[i]] = worker.NewRecords(w.Manifest, dsar.Access, nil, func(string, record.Record) error { return nil })
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
	n := conform.Sizes(rows)
	delete(n, ofActivities)
	return n
}

// After an erasure nothing is found, and nobody else has lost anything.
func TestEraseAndProve(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 60, nil)
	e := w.Emails()
	gone := []string{e[0], e[2], e[9], people.NobodyEmail}
	plan := w.Do(dsar.Plan, gone...)
	for i, j := range w.Do(dsar.Erase, gone...) {
		if j.Err != nil {
			t.Fatal(j.Err)
		}
		if got, want := conform.Erased(j.Counts), conform.Found(plan[i].Counts); !maps.Equal(got, want) {
			t.Errorf("erased %v, planned were %v", got, want)
		}
	}
	if !maps.Equal(conform.Found(plan[0].Counts), leadsOnly(w.Seeded(1))) || len(plan[3].Counts) != 0 {
		t.Errorf("planned %v", conform.Found(plan[0].Counts))
	}
	for _, j := range w.Do(dsar.Prove, gone...) {
		if j.Err != nil || len(j.Counts) != 0 {
			t.Errorf("still found: %v, %v", j.Counts, j.Err)
		}
	}
	out, errs := w.Gather(e...)
	for i := range e {
		want := w.Seeded(i + 1)
		if i == 0 || i == 2 || i == 9 {
			want = nil
		}
		if errs[i] != nil || !conform.SameRows(out[i].Rows, want) {
			t.Errorf("person %d: %v, %v", i+1, conform.Sizes(out[i].Rows), errs[i])
		}
	}
	// Again: a success that deletes nothing, and says that what was planned is gone.
	before := w.server.Calls()
	for _, j := range w.Do(dsar.Erase, gone...) {
		if j.Err != nil || len(conform.Erased(j.Counts)) != 0 || len(j.Counts) > 0 && j.Counts[0].Gone == 0 {
			t.Errorf("the second erasure: %v, %v", j.Counts, j.Err)
		}
	}
	if d := conform.Since(w.server.Calls(), before); d["leads.delete"] != 0 || conform.Total(d) > 1 {
		t.Errorf("the second erasure called %v", d)
	}
}

// What comes between plan and erasure is late: it is found by asking anew.
func TestLate(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, nil)
	e := w.Emails()[0]
	was := leadsOnly(w.Seeded(1))
	w.Do(dsar.Plan, e)
	w.Plans[e] = nil // as if the leads had come later
	j := w.Do(dsar.Erase, e)[0]
	if j.Err != nil || !maps.Equal(conform.Erased(j.Counts), was) || j.Counts[0].Late != int64(was["leads"]) {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
}

// TestOvertaken: a planned lead that has somebody else's address by now is left, and one
// without an address is erased by its id.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	conform.Overtaken(t, "leads", "email", func(t *testing.T) *conform.Direct { return &newFixture(t, 12, nil).Direct })
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
			c := conform.NewClock()
			w := newFixture(t, 12, func(s *sandbox.Config, wc *Config) {
				s.Clock, wc.Now, wc.Pause = c.Now, c.Now, c.Pass
				change(s, wc)
			})
			e := w.Emails()[0]
			var errs []error
			for range 10 { // some calls each
				if _, errs = w.Gather(e); errs[0] != nil {
					break
				}
			}
			var we *worker.Error
			if !errors.As(errs[0], &we) || we.Code != "quota" {
				t.Fatalf("got %v", errs[0])
			}
			until, ok := we.Parked(c.Now())
			if want := time.Date(2026, 11, 21, 6, 1, 0, 0, time.UTC); !ok || !until.Equal(want) {
				t.Fatalf("parked until %v, want %v", until, want)
			}
			c.Pass(context.Background(), until.Sub(c.Now()))
			if _, errs := w.Gather(e); errs[0] != nil {
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
			w := newFixture(t, 12, change)
			_, errs := w.Gather(w.Emails()[0])
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
	w := newFixture(t, 12, func(s *sandbox.Config, _ *Config) { s.PageSize = 5 })
	e := w.Emails()[0]
	if _, errs := w.Gather(e); errs[0] != nil {
		t.Fatal(errs[0])
	}
	w.server.ExpirePages()
	_, errs := w.Gather(e)
	var we *worker.Error
	if !errors.As(errs[0], &we) || we.Permanent() || we.Code != "page-expired" {
		t.Fatalf("got %v", errs[0])
	}
	if out, errs := w.Gather(e); errs[0] != nil || !conform.SameRows(out[0].Rows, w.Seeded(1)) {
		t.Fatalf("%v", errs[0])
	}
}

// A lead that is gone and still shown is not deleted again, and is no proof.
func TestSettling(t *testing.T) {
	t.Parallel()
	c := conform.NewClock()
	w := newFixture(t, 12, func(s *sandbox.Config, wc *Config) {
		s.Settle, s.Clock = time.Minute, c.Now
		wc.Now, wc.Pause = c.Now, c.Pass
	})
	e := w.Emails()[0]
	if j := w.Do(dsar.Erase, e)[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
	j := w.Do(dsar.Prove, e)[0]
	var we *worker.Error
	if !errors.As(j.Err, &we) || we.Code != "settling" {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	if j := w.Do(dsar.Erase, e)[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
	if n := w.server.Repeated(); n > 0 {
		t.Fatalf("%d leads were deleted again", n)
	}
	c.Pass(context.Background(), 2*time.Minute)
	if j := w.Do(dsar.Prove, e)[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
}

// Where an answer is lost and the leads are still shown, the list of deletions
// tells that they are gone.
func TestLostAndSettling(t *testing.T) {
	t.Parallel()
	c := conform.NewClock()
	w := newFixture(t, 12, func(s *sandbox.Config, wc *Config) {
		s.Settle, s.Clock = time.Minute, c.Now
		wc.Now, wc.Pause = c.Now, c.Pass
	})
	e := w.Emails()
	w.Do(dsar.Plan, e...)
	w.server.SetFaults(fault.Config{ErrorAfter: 0.5, Seed: 3})
	for i := range 20 {
		done := true
		for _, j := range w.Do(dsar.Erase, e...) {
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
	w := newFixture(t, 12, nil)
	bad := []string{`a,b@example.com`, `x&filterType=id`, `%00`, `"`, "a\nb", `%`, `*`, strings.Repeat("x", 5000) + "@example.com", `camille.o'brien@example.com`, " CAMILLE.O'BRIEN@EXAMPLE.COM "}
	out, errs := w.Gather(bad...)
	for i, e := range bad {
		var want map[string][]string
		if i >= len(bad)-2 {
			want = w.Seeded(1)
		}
		if i == 0 {
			var we *worker.Error
			if !errors.As(errs[i], &we) || we.Code != "unaskable-address" {
				t.Errorf("an address with a comma: %v", errs[i])
			}
			continue
		}
		if errs[i] != nil || !conform.SameRows(out[i].Rows, want) {
			t.Errorf("%.40q: %v, %v", e, conform.Sizes(out[i].Rows), errs[i])
		}
	}
}

// A thousand subjects take few calls.
func TestCallsForAThousand(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 1000, nil)
	e := w.Emails()
	_, errs := w.Gather(e...)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	gather := w.server.Calls()
	if n := conform.Total(gather); n > 230 {
		t.Errorf("%d calls to gather", n)
	}
	for _, a := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
		for _, j := range w.Do(a, e...) {
			if j.Err != nil {
				t.Fatal(j.Err)
			}
		}
	}
	erase := conform.Since(w.server.Calls(), gather)
	if n := conform.Total(erase); n > 20 {
		t.Errorf("%d calls to erase with plan and proof", n)
	}
	t.Logf("gather %d %v; plan, erase and prove %d %v", conform.Total(gather), gather, conform.Total(erase), erase)
}

// The rate that Adobe advises is kept: under it, nothing is refused by
// Marketo's own limits.
func TestRate(t *testing.T) {
	t.Parallel()
	c := conform.NewClock()
	w := newFixture(t, 12, func(s *sandbox.Config, wc *Config) {
		s.Limits, s.Clock = sandbox.RealLimits(), c.Now
		wc.Rate, wc.Now, wc.Pause = 0, c.Now, c.Pass
	})
	e := w.Emails()[0]
	for range 100 {
		if _, errs := w.Gather(e); errs[0] != nil {
			t.Fatal(errs[0])
		}
	}
}
