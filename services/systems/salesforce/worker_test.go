package salesforce

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

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
	sandbox "habeas.dev/services/sandbox/salesforce"
	"habeas.dev/services/sandbox/soql"
)

func TestManifest(t *testing.T) {
	t.Parallel()
	m, err := Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range people.Generate(people.Config{Seed: 1}).Rows(people.Salesforce) {
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

// After an erasure nothing is found, in the recycle bin neither, and nobody
// else has lost anything.
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
	if !maps.Equal(found(plan[0].Counts), w.planned(1)) || len(plan[3].Counts) != 0 {
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
	for i, j := range w.count(dsar.Erase, gone...) {
		if j.Err != nil || len(erased(j.Counts)) != 0 || dsar.Unmet(w.plans[gone[i]].Counts(), j.Counts) != "" {
			t.Errorf("the second erasure: %v, %v", j.Counts, j.Err)
		}
	}
	if d := since(w.server.Calls(), before); d["soap.emptyRecycleBin"] != 0 || total(d) > 7 {
		t.Errorf("the second erasure called %v", d)
	}
}

// TestPlannedRecords: what was planned is erased by its ids, though nothing leads to
// it any more; what wasn't planned is told apart; and the proof goes by both.
func TestPlannedRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, nil)
	e := w.emails()
	was := w.planned(1)
	delete(was, "files") // whose are by their links
	w.count(dsar.Count, e[0])
	w.plans[people.NobodyEmail], w.plans[e[1]] = w.plans[e[0]], w.plans[e[0]]
	if j := w.count(dsar.Prove, people.NobodyEmail)[0]; j.Err != nil || !maps.Equal(found(j.Counts), was) {
		t.Fatalf("planned are %v, found by id %v, %v", was, found(j.Counts), j.Err)
	}
	// The first person's plan goes along with another's address.
	j := w.count(dsar.Erase, e[1])[0]
	both := w.planned(2)
	late := maps.Clone(both)
	for dataset, n := range was {
		both[dataset] += n
	}
	if j.Err != nil || dsar.Unmet(w.plans[e[0]].Counts(), j.Counts) != "" {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
	for _, c := range j.Counts {
		if c.Erased+c.Anonymised != int64(both[c.Dataset]) || c.Late != int64(late[c.Dataset]) || c.Gone != 0 && c.Dataset != "files" {
			t.Errorf("%+v; both hold %d, of which %d weren't planned", c, both[c.Dataset], late[c.Dataset])
		}
	}
	for _, email := range []string{people.NobodyEmail, e[1]} {
		if j := w.count(dsar.Prove, email)[0]; j.Err != nil || len(j.Counts) != 0 {
			t.Errorf("after the erasure %v, %v", j.Counts, j.Err)
		}
	}
}

// What someone deleted by hand lies in the recycle bin: it is found, and purged.
func TestRecycleBin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, nil)
	e := w.emails()[0]
	erasure, err := w.worker.list(context.Background(), groupOf([]*subject{subjectOf(task(dsar.Erase, e))}))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for n, records := range erasure.records {
		for _, r := range records {
			if w.worker.objects[n].rank == 0 {
				ids = append(ids, r.id)
			}
		}
	}
	if _, err := w.worker.deleteAll(context.Background(), ids); err != nil {
		t.Fatal(err)
	}
	j := w.count(dsar.Count, e)[0]
	if !maps.Equal(found(j.Counts), w.planned(1)) {
		t.Fatalf("found %v", found(j.Counts))
	}
	j = w.count(dsar.Erase, e)[0]
	if j.Err != nil || !maps.Equal(erased(j.Counts), w.planned(1)) {
		t.Fatalf("erased %v: %v", erased(j.Counts), j.Err)
	}
}

// With everything going wrong, everyone's answer is whole, or is an error that
// lets the task come again; an erasure is never said to be done when it isn't.
func TestManyUnderFaults(t *testing.T) {
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
					w.clock.pass(context.Background(), time.Minute)
				}
				if len(open) > 0 {
					t.Fatalf("%d subjects were never erased", len(open))
				}
				// No record was deleted twice: Salesforce says so of each.
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
	// The purge has its token in the message's body.
	for _, j := range w.count(dsar.Erase, e[:3]...) {
		if j.Err != nil {
			t.Fatal(j.Err)
		}
	}
}

// A day's calls that are used up park the task.
func TestQuota(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := newWorld(t, 12, func(s *sandbox.Config, wc *Config) {
		s.DailyCalls, s.Clock = 12, c.now
		wc.DailyShare, wc.Now, wc.Pause = 1, c.now, c.pass
	})
	e := w.emails()[0]
	w.gather(e)
	_, errs := w.gather(e)
	var we *worker.Error
	if !errors.As(errs[0], &we) || we.Code != "quota" {
		t.Fatalf("got %v", errs[0])
	}
	if until, ok := we.Parked(c.now()); !ok || !until.After(c.now()) {
		t.Fatalf("parked until %v, %v", until, ok)
	}
	// The day after, it goes on.
	c.pass(context.Background(), 25*time.Hour)
	if _, errs := w.gather(e); errs[0] != nil {
		t.Fatal(errs[0])
	}
}

// Our share of the day's calls leaves the rest to others.
func TestShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, func(s *sandbox.Config, wc *Config) { s.DailyCalls, wc.DailyShare = 10, 0.5 })
	e := w.emails()[0]
	for range 5 {
		w.gather(e)
	}
	if used := total(w.server.Calls()); used > 6 {
		t.Fatalf("%d of 10 calls were used", used)
	}
}

// An object or a field that Salesforce doesn't show is named, and the rest is
// copied; of who has nothing that leads to it, nothing can be there.
func TestHidden(t *testing.T) {
	t.Parallel()
	for what, datasets := range map[string][]string{"Task": {"tasks"}, "Case.SuppliedPhone": {"cases", "case_comments", "email_messages"}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12, func(s *sandbox.Config, _ *Config) { s.Hidden = []string{what} })
			out, errs := w.gather(w.emails()[0], "nobody@example.net")
			if errs[0] != nil || errs[1] != nil {
				t.Fatal(errs)
			}
			want := w.seeded(1)
			for dataset, why := range out[0].uncovered {
				if !strings.Contains(why, what) && !strings.Contains(why, "SuppliedPhone of object Case") || strings.Contains(strings.ToLower(why), "brien") {
					t.Errorf("%s: %s", dataset, why)
				}
				delete(want, dataset)
				delete(out[0].rows, dataset)
			}
			for _, dataset := range datasets {
				if out[0].uncovered[dataset] == "" {
					t.Errorf("%s isn't named: %v", dataset, out[0].uncovered)
				}
			}
			if len(want) < 5 || !sameRows(out[0].rows, want) {
				t.Errorf("the rest is %v, want %v", sizes(out[0].rows), sizes(want))
			}
			if _, told := out[1].uncovered["tasks"]; told {
				t.Errorf("nobody's: %v", out[1].uncovered)
			}
		})
	}
}

// What stands in the way is named, without a word of Salesforce's own: it may
// quote the person.
func TestPermanent(t *testing.T) {
	t.Parallel()
	for code, change := range map[string]func(*sandbox.Config, *Config){
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

// A contact whose cases the worker may not see can't be deleted: that fails its
// subject, in Salesforce's code and not its words (which name the person), and
// nobody else.
func TestRefusedDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, nil)
	// Keep the cases out of the worker's sight only.
	for i := range w.worker.objects {
		if w.worker.objects[i].Object == "Case" {
			w.worker.objects[i].of = nil
			w.worker.objects[i].Unless = "Id" // never null
		}
	}
	e := w.emails()
	jobs := w.count(dsar.Erase, e[0], people.NobodyEmail)
	var we *worker.Error
	if !errors.As(jobs[0].Err, &we) || !we.Permanent() || we.Code != "delete-refused" || jobs[1].Err != nil {
		t.Fatalf("got %v, %v", jobs[0].Err, jobs[1].Err)
	}
	if strings.Contains(we.Error(), "Brien") || errors.Unwrap(we) == nil {
		t.Fatalf("got %v (%v)", we, errors.Unwrap(we))
	}
}

// A record that is gone and still shown is not deleted again, and is no proof.
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
	for _, a := range []dsar.Action{dsar.Prove, dsar.Erase} {
		j := w.count(a, e)[0]
		var we *worker.Error
		if !errors.As(j.Err, &we) || we.Code != "settling" {
			t.Fatalf("%s: %v, %v", a, j.Counts, j.Err)
		}
	}
	if n := w.server.Repeated(); n > 0 {
		t.Fatalf("%d records were deleted again", n)
	}
	c.pass(context.Background(), 2*time.Minute)
	if j := w.count(dsar.Prove, e)[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
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
	if j := again.count(dsar.Count, e[1])[0]; j.Err != nil || !maps.Equal(found(j.Counts), again.planned(2)) {
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

// Whatever is in a text, SOQL reads it back as it was.
func TestQuoteRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.RuneFrom([]rune(`'"\%_`+"\n\r\t\b\f")))).Draw(t, "s")
		q, err := soql.Parse(queriesOf("Contact", []string{"Id"}, []term{{field: "Email", values: []string{"a@example.com", s}}})[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Where.(*soql.In).Values[1].Text; got != s {
			t.Fatalf("%q came back as %q", s, got)
		}
	})
}

// Addresses that are SOQL find nobody, or whom they are of.
func TestMetacharacters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, nil)
	bad := []string{`') OR (Email != '`, `x' OR Email LIKE '%`, `\`, `\'`, `"`, "a\nb", `%`, `_`, strings.Repeat("x", 5000) + "@example.com", `x'or'1'='1@example.com`, `camille.o'brien@example.com`, "CAMILLE.O'BRIEN@EXAMPLE.COM"}
	out, errs := w.gather(bad...)
	for i, e := range bad {
		var want map[string][]string
		switch i {
		case len(bad) - 3:
			want = w.seeded(10)
		case len(bad) - 2, len(bad) - 1:
			want = w.seeded(1)
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
	var files int64
	for i := range e {
		rows := w.seeded(i + 1)
		files += int64(len(rows["files"]) + len(rows["attachments"]))
	}
	// The bytes of a file take a call of their own: Salesforce has none for two.
	if n := total(gather) - gather["sobjects"]; n > 30 || gather["sobjects"] != files {
		t.Errorf("%d calls to gather, and %d for %d files", n, gather["sobjects"], files)
	}
	for _, a := range []dsar.Action{dsar.Count, dsar.Erase, dsar.Prove} {
		for _, j := range w.count(a, e...) {
			if j.Err != nil {
				t.Fatal(j.Err)
			}
		}
	}
	erase := since(w.server.Calls(), gather)
	if n := total(erase); n > 160 {
		t.Errorf("%d calls to erase with plan and proof", n)
	}
	t.Logf("gather %d %v; plan, erase and prove %d %v", total(gather), gather, total(erase), erase)
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
