package salesforce

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/conform"
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
	conform.Declared(t, m, people.Salesforce)
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

// After an erasure nothing is found, in the recycle bin neither, and nobody
// else has lost anything.
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
	if !maps.Equal(conform.Found(plan[0].Counts), w.planned(1)) || len(plan[3].Counts) != 0 {
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
	for i, j := range w.Do(dsar.Erase, gone...) {
		if j.Err != nil || len(conform.Erased(j.Counts)) != 0 || dsar.Unmet(w.Plans[gone[i]].Counts(), j.Counts) != "" {
			t.Errorf("the second erasure: %v, %v", j.Counts, j.Err)
		}
	}
	if d := conform.Since(w.server.Calls(), before); d["soap.emptyRecycleBin"] != 0 || conform.Total(d) > 7 {
		t.Errorf("the second erasure called %v", d)
	}
}

// TestOvertaken: a planned record that has somebody else's address by now is left, and one
// without an address is erased by its id.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	for dataset, column := range map[string]string{"leads": "Email", "contacts": "Email"} {
		t.Run(dataset, func(t *testing.T) {
			t.Parallel()
			conform.Overtaken(t, dataset, column, func(t *testing.T) *conform.Direct { return &newFixture(t, 12, nil).Direct })
		})
	}
}

// TestOvertakenTogether: a planned case that lies with somebody else's contact by now, on which
// the person's telephone is as well, is still theirs, also where that contact was found for whom
// it is in the same call.
func TestOvertakenTogether(t *testing.T) {
	t.Parallel()
	const telephone = "+33 1 99 00 12 34"
	for _, together := range []bool{false, true} {
		w := newFixture(t, 12, nil)
		owner, other := w.Emails()[0], w.Emails()[1]
		cases := w.planned(1)["cases"]
		w.Do(dsar.Plan, owner, other)
		recordsOf := func(dataset, email string) []*held {
			b, err := w.worker.list(t.Context(), groupOf([]*subject{subjectOf(conform.Task(dsar.Erase, email))}))
			if err != nil {
				t.Fatal(err)
			}
			return b.records[w.worker.number(dataset)]
		}
		contact := recordsOf("contacts", other)[0]
		write := func(records []*held, field, value string) {
			results, err := w.worker.updateAll(t.Context(), records, func(*held) map[string]any { return map[string]any{field: value} })
			for _, r := range results {
				err = errors.Join(err, w.worker.meaning(r))
			}
			if err != nil || len(records) == 0 {
				t.Fatalf("%d records: %v", len(records), err)
			}
		}
		write(recordsOf("cases", owner), "ContactId", contact.id)
		write([]*held{contact}, "Phone", telephone)
		later := conform.Task(dsar.Prove, owner)
		later.Owner = append(later.Identifiers, worker.Identifier{Type: "phone", Value: telephone})
		later.ByKeys, later.Identifiers = true, nil
		jobs := []*worker.EraseJob{{Job: worker.Job{Task: later}, Plan: w.Plans[owner]}}
		if together {
			jobs = append(jobs, &worker.EraseJob{Job: worker.Job{Task: conform.Task(dsar.Prove, other)}, Plan: w.Plans[other]})
		}
		if err := w.worker.Prove(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if n := conform.Found(jobs[0].Counts)["cases"]; n != cases || n == 0 {
			t.Errorf("together: %t: of %d cases are found %d", together, cases, n)
		}
	}
}

// TestPlannedWithAnothers: a plan that has two people's records is carried out for each by
// their own part, and the rest is left; what wasn't planned is told apart.
func TestPlannedWithAnothers(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, nil)
	e := w.Emails()
	first, second := w.planned(1), w.planned(2)
	w.Do(dsar.Plan, e[0])
	w.Plans[e[1]] = w.Plans[e[0]]
	if j := w.Do(dsar.Prove, e[1])[0]; j.Err != nil || !maps.Equal(conform.Found(j.Counts), second) {
		t.Fatalf("%v are the second person's, found %v, %v", second, conform.Found(j.Counts), j.Err)
	}
	j := w.Do(dsar.Erase, e[1])[0]
	if j.Err != nil {
		t.Fatal(j.Err)
	}
	for _, c := range j.Counts {
		if c.Erased+c.Anonymised != int64(second[c.Dataset]) || c.Late != int64(second[c.Dataset]) || (c.Uncovered != "") != (first[c.Dataset] > 0 && c.Dataset != "files") {
			t.Errorf("%+v; the second person has %d, of which none were planned, the first %d", c, second[c.Dataset], first[c.Dataset])
		}
	}
	if j := w.Do(dsar.Prove, e[0])[0]; j.Err != nil || !maps.Equal(conform.Found(j.Counts), first) {
		t.Errorf("of the first person's %v are left %v, %v", first, conform.Found(j.Counts), j.Err)
	}
}

// What someone deleted by hand lies in the recycle bin: it is found, and purged.
func TestRecycleBin(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, nil)
	e := w.Emails()[0]
	erasure, err := w.worker.list(context.Background(), groupOf([]*subject{subjectOf(conform.Task(dsar.Erase, e))}))
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
	j := w.Do(dsar.Plan, e)[0]
	if !maps.Equal(conform.Found(j.Counts), w.planned(1)) {
		t.Fatalf("found %v", conform.Found(j.Counts))
	}
	j = w.Do(dsar.Erase, e)[0]
	if j.Err != nil || !maps.Equal(conform.Erased(j.Counts), w.planned(1)) {
		t.Fatalf("erased %v: %v", conform.Erased(j.Counts), j.Err)
	}
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

// TestTokenRevoked: a token that is revoked in mid-run is renewed, once for all callers; a purge has its
// token in the message's body.
func TestTokenRevoked(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 30, nil)
	w.RenewsToken(func() int64 { return w.server.Calls()["token"] }, w.server.RevokeTokens)
}

// A day's calls that are used up park the task.
func TestQuota(t *testing.T) {
	t.Parallel()
	c := conform.NewClock()
	w := newFixture(t, 12, func(s *sandbox.Config, wc *Config) {
		s.DailyCalls, s.Clock = 12, c.Now
		wc.DailyShare, wc.Now, wc.Pause = 1, c.Now, c.Pass
	})
	e := w.Emails()[0]
	w.Gather(e)
	_, errs := w.Gather(e)
	var we *worker.Error
	if !errors.As(errs[0], &we) || we.Code != "quota" {
		t.Fatalf("got %v", errs[0])
	}
	if until, ok := we.Parked(c.Now()); !ok || !until.After(c.Now()) {
		t.Fatalf("parked until %v, %v", until, ok)
	}
	// The day after, it goes on.
	c.Pass(context.Background(), 25*time.Hour)
	if _, errs := w.Gather(e); errs[0] != nil {
		t.Fatal(errs[0])
	}
}

// Our share of the day's calls leaves the rest to others.
func TestShare(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, func(s *sandbox.Config, wc *Config) { s.DailyCalls, wc.DailyShare = 10, 0.5 })
	e := w.Emails()[0]
	for range 5 {
		w.Gather(e)
	}
	if used := conform.Total(w.server.Calls()); used > 6 {
		t.Fatalf("%d of 10 calls were used", used)
	}
}

// An object or a field that Salesforce doesn't show is named, and the rest is
// copied; of whoever has nothing that leads to it, nothing can be there.
func TestHidden(t *testing.T) {
	t.Parallel()
	for what, datasets := range map[string][]string{"Task": {"tasks"}, "Case.SuppliedPhone": {"cases", "case_comments", "email_messages"}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, 12, func(s *sandbox.Config, _ *Config) { s.Hidden = []string{what} })
			out, errs := w.Gather(w.Emails()[0], "nobody@example.net")
			if errs[0] != nil || errs[1] != nil {
				t.Fatal(errs)
			}
			want := w.Seeded(1)
			for dataset, why := range out[0].Uncovered {
				if !strings.Contains(why, what) && !strings.Contains(why, "SuppliedPhone of object Case") || strings.Contains(strings.ToLower(why), "brien") {
					t.Errorf("%s: %s", dataset, why)
				}
				delete(want, dataset)
				delete(out[0].Rows, dataset)
			}
			for _, dataset := range datasets {
				if out[0].Uncovered[dataset] == "" {
					t.Errorf("%s isn't named: %v", dataset, out[0].Uncovered)
				}
			}
			if len(want) < 5 || !conform.SameRows(out[0].Rows, want) {
				t.Errorf("the rest is %v, want %v", conform.Sizes(out[0].Rows), conform.Sizes(want))
			}
			if _, told := out[1].Uncovered["tasks"]; told {
				t.Errorf("nobody's: %v", out[1].Uncovered)
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

// A contact whose cases the worker may not see can't be deleted: that fails its
// subject, in Salesforce's code and not its words (which name the person), and
// nobody else.
func TestRefusedDeletion(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, nil)
	// Keep the cases out of the worker's sight only.
	for i := range w.worker.objects {
		if w.worker.objects[i].Object == "Case" {
			w.worker.objects[i].of = nil
			w.worker.objects[i].Unless = "Id" // never null
		}
	}
	e := w.Emails()
	jobs := w.Do(dsar.Erase, e[0], people.NobodyEmail)
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
	c := conform.NewClock()
	w := newFixture(t, 12, func(s *sandbox.Config, wc *Config) {
		s.Settle, s.Clock = time.Minute, c.Now
		wc.Now, wc.Pause = c.Now, c.Pass
	})
	e := w.Emails()[0]
	if j := w.Do(dsar.Erase, e)[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
	for _, a := range []dsar.Action{dsar.Prove, dsar.Erase} {
		j := w.Do(a, e)[0]
		var we *worker.Error
		if !errors.As(j.Err, &we) || we.Code != "settling" {
			t.Fatalf("%s: %v, %v", a, j.Counts, j.Err)
		}
	}
	if n := w.server.Repeated(); n > 0 {
		t.Fatalf("%d records were deleted again", n)
	}
	c.Pass(context.Background(), 2*time.Minute)
	if j := w.Do(dsar.Prove, e)[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Counts, j.Err)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	conform.KeepsChanges(t, func(dir string) conform.Direct {
		return newFixture(t, 12, func(s *sandbox.Config, _ *Config) { s.Dir = dir }).Direct
	}, func(d conform.Direct, number int) map[string]int { return countedRows(d.Seeded(number)) })
}

func TestSecretFile(t *testing.T) {
	t.Parallel()
	conform.ReadsSecretAnew(t, func(secret vendorapi.Secret) conform.Direct {
		return newFixture(t, 12, func(_ *sandbox.Config, c *Config) { c.Secret = secret }).Direct
	}, sandbox.DefaultClientSecret)
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
	w := newFixture(t, 12, nil)
	bad := []string{`') OR (Email != '`, `x' OR Email LIKE '%`, `\`, `\'`, `"`, "a\nb", `%`, `_`, strings.Repeat("x", 5000) + "@example.com", `x'or'1'='1@example.com`, `camille.o'brien@example.com`, "CAMILLE.O'BRIEN@EXAMPLE.COM"}
	out, errs := w.Gather(bad...)
	for i, e := range bad {
		var want map[string][]string
		switch i {
		case len(bad) - 3:
			want = w.Seeded(10)
		case len(bad) - 2, len(bad) - 1:
			want = w.Seeded(1)
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
	var files int64
	for i := range e {
		rows := w.Seeded(i + 1)
		files += int64(len(rows["files"]) + len(rows["attachments"]))
	}
	// The bytes of a file take a call of their own: Salesforce has none for two.
	if n := conform.Total(gather) - gather["sobjects"]; n > 30 || gather["sobjects"] != files {
		t.Errorf("%d calls to gather, and %d for %d files", n, gather["sobjects"], files)
	}
	for _, a := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
		for _, j := range w.Do(a, e...) {
			if j.Err != nil {
				t.Fatal(j.Err)
			}
		}
	}
	erase := conform.Since(w.server.Calls(), gather)
	if n := conform.Total(erase); n > 160 {
		t.Errorf("%d calls to erase with plan and proof", n)
	}
	t.Logf("gather %d %v; plan, erase and prove %d %v", conform.Total(gather), gather, conform.Total(erase), erase)
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
				w.worker.gather(b.Context(), subjects, records, nil)
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

// TestOverdue: what is older than the manifest's storage period is counted by Salesforce
// itself, whatever is closed later, or never, is not.
func TestOverdue(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 40, nil)
	counted := func(before time.Time) (n int64) {
		for _, row := range w.people.Rows(people.Salesforce) {
			closed, _ := row.Values["ClosedDate"].(string)
			if at, err := time.Parse("2006-01-02T15:04:05.000-0700", closed); err == nil && at.Before(before) {
				n++
			}
		}
		return n
	}
	got, err := w.worker.Overdue(t.Context())
	if err != nil || len(got) != 1 || got[0].Dataset != "cases" {
		t.Fatalf("%+v, %v", got, err)
	}
	want, all := counted(got[0].Before), counted(got[0].Before.AddDate(9, 0, 0))
	if want == 0 || want == all {
		t.Fatalf("%d of %d are too old: the test shows nothing", want, all)
	}
	if got[0].Records != want {
		t.Errorf("%d cases before %s, want %d", got[0].Records, got[0].Before, want)
	}
}
