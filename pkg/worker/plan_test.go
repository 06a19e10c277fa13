package worker_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// planner plans and erases as its functions say.
type planner struct {
	plan  func(*worker.PlanJob) error
	erase func(context.Context, *worker.EraseJob) error
}

func (p planner) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	return worker.Each(ctx, jobs, func(_ context.Context, j *worker.PlanJob) error { return p.plan(j) })
}

func (p planner) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, p.erase)
}

func (p planner) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, p.erase)
}

func erasesOnly() *manifest.Manifest {
	m := shop()
	m.Abilities = []dsar.Action{dsar.Erase}
	return m
}

func erasure(t *dsar.Task) { t.Right = dsar.Erasure }

func under(plan dsar.Object) func(*dsar.Task) {
	return func(t *dsar.Task) { t.Right, t.Plan = dsar.Erasure, &plan }
}

var until = time.Date(2034, 12, 31, 0, 0, 0, 0, time.UTC)

// twoPlanned plans a record to erase and one to keep.
func twoPlanned(j *worker.PlanJob) error {
	if err := j.Plan.Erase("profile", "canary-key"); err != nil {
		return err
	}
	return j.Plan.Keep("profile", worker.Key("F", "2"), dsar.Retention{Ground: "tax-records", Until: until})
}

// TestPlanIsSealed: a plan is counted, its hash is that of what lies in the vault, and
// the erasure is given the same entries.
func TestPlanIsSealed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var got []worker.Entry
	w := newWorker(t, erasesOnly(), planner{twoPlanned, func(ctx context.Context, j *worker.EraseJob) error {
		for e, err := range j.Plan.Entries(ctx) {
			if err != nil {
				return err
			}
			got = append(got, e)
		}
		j.Counts = []dsar.Counts{{Dataset: "profile", Erased: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax-records"}}}}
		return nil
	}})
	r := handle(t, w, v, task(t, v, anna, dsar.Plan, erasure))[0]
	if r.Outcome != dsar.Found || len(r.Objects) != 1 || r.Objects[0].Records != 2 || r.Counts[0].Found != 2 || r.Counts[0].Kept() != 1 || !r.Counts[0].Retained[0].Until.Equal(until) {
		t.Fatalf("%+v", r)
	}
	text := object(t, v, r)
	sum := sha256.Sum256([]byte(text))
	if hex.EncodeToString(sum[:]) != r.Objects[0].SHA256 || int64(len(text)) != r.Objects[0].Bytes {
		t.Errorf("%+v is not of %q", r.Objects[0], text)
	}
	if e := handle(t, w, v, task(t, v, anna, dsar.Erase, under(r.Objects[0])))[0]; e.Outcome != dsar.Retained || e.Code != "" {
		t.Errorf("%+v", e)
	}
	want := []worker.Entry{{Dataset: "profile", Key: "canary-key"}, {Dataset: "profile", Key: `["F","2"]`, Keep: true, Ground: "tax-records", Until: until}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	if columns, err := worker.KeyColumns(got[1].Key, 2); err != nil || !slices.Equal(columns, []string{"F", "2"}) {
		t.Errorf("%v, %v", columns, err)
	}
}

// TestCategoriesAreCounted: the right to know the categories wants the counts, and
// nothing is kept.
func TestCategoriesAreCounted(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, erasesOnly(), planner{plan: twoPlanned})
	r := handle(t, w, v, task(t, v, anna, dsar.Plan, func(t *dsar.Task) { t.Right = dsar.KnowCategories }))[0]
	if r.Counts[0].Found != 2 || len(r.Objects) != 0 {
		t.Errorf("%+v", r)
	}
}

// TestAnotherPlanIsRefused: the worker isn't called by a plan of another hash, of
// another system, or by none that is there.
func TestAnotherPlanIsRefused(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	called := false
	w := newWorker(t, erasesOnly(), planner{twoPlanned, func(context.Context, *worker.EraseJob) error { called = true; return nil }})
	good := handle(t, w, v, task(t, v, anna, dsar.Plan, erasure))[0].Objects[0]
	gathered := handle(t, newWorker(t, gatherOnly(), impl{gather: writeTwo}), v, task(t, v, anna, dsar.Gather))[0].Objects[0]
	for name, c := range map[string]struct {
		change func(*dsar.Object)
		code   string
	}{
		"another hash":   {func(o *dsar.Object) { o.SHA256 = strings.Repeat("0", 64) }, dsar.CodePlanMismatch},
		"no hash":        {func(o *dsar.Object) { o.SHA256 = "" }, dsar.CodePlanMismatch},
		"another system": {func(o *dsar.Object) { o.Name = strings.Replace(o.Name, "shop/", "forum/", 1) }, dsar.CodePlanMismatch},
		"no plan at all": {func(o *dsar.Object) { o.Name = gathered.Name }, dsar.CodePlanMismatch},
		"not there":      {func(o *dsar.Object) { o.Name += "x" }, dsar.CodePlanMissing},
		"of bob":         {func(o *dsar.Object) { *o = handle(t, w, v, task(t, v, bob, dsar.Plan, erasure))[0].Objects[0] }, dsar.CodePlanMissing},
	} {
		o := good
		c.change(&o)
		for _, action := range []dsar.Action{dsar.Erase, dsar.Prove} {
			if r := handle(t, w, v, task(t, v, anna, action, under(o)))[0]; r.Kind != dsar.ReportFailed || r.Code != c.code {
				t.Errorf("%s, %s: %+v", name, action, r)
			}
		}
	}
	if called {
		t.Error("the worker was called")
	}
	// By a plan of when it had another name it is called.
	old := good
	old.Name = strings.Replace(old.Name, "shop/", "store/", 1)
	copied(t, v, anna, good.Name, old.Name)
	renamed := func(task *dsar.Task) { task.Formerly = []string{"kiosk", "store"} }
	if r := handle(t, w, v, task(t, v, anna, dsar.Erase, under(old), renamed))[0]; r.Code == dsar.CodePlanMismatch || !called {
		t.Errorf("%+v", r)
	}
}

// TestNothingIsErasedWithoutAPlan: a task that names no plan erases nothing, whatever else
// it says, and neither does a proof by keys that has none pass for one. It leaves no mark,
// so that the attempt can still be made.
func TestNothingIsErasedWithoutAPlan(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	called := 0
	w := newWorker(t, erasesOnly(), planner{twoPlanned, func(_ context.Context, j *worker.EraseJob) error {
		called++
		j.Counts = j.Plan.Counts()
		return nil
	}})
	plan := handle(t, w, v, task(t, v, anna, dsar.Plan, erasure))[0].Objects[0]
	none := func(t *dsar.Task) { t.Plan = nil }
	byKeys := func(t *dsar.Task) { t.ByKeys = true }
	earlier := func(t *dsar.Task) { t.Earlier = []dsar.Object{plan} }
	held := func(t *dsar.Task) { t.Holds = []string{"profile"} }
	for name, e := range map[string]event.Event{
		"an erasure":                  task(t, v, anna, dsar.Erase, erasure, none),
		"of another right":            task(t, v, anna, dsar.Erase, none),
		"by keys":                     task(t, v, anna, dsar.Erase, erasure, none, byKeys),
		"by what was planned earlier": task(t, v, anna, dsar.Erase, erasure, none, byKeys, earlier),
		"with a hold":                 task(t, v, anna, dsar.Erase, erasure, none, held),
		"a proof by keys":             task(t, v, anna, dsar.Prove, erasure, none, byKeys),
	} {
		if r := handle(t, w, v, e)[0]; r.Kind != dsar.ReportFailed || r.Code != dsar.CodeNoPlan || called != 0 {
			t.Errorf("%s: %d calls, %+v", name, called, r)
		}
	}
	for name, e := range map[string]event.Event{
		"the same attempt, by its plan":        task(t, v, anna, dsar.Erase, erasure, under(plan)),
		"a proof by identifiers":               task(t, v, anna, dsar.Prove, erasure, none),
		"a proof by the keys of earlier plans": task(t, v, anna, dsar.Prove, erasure, none, byKeys, earlier),
	} {
		before := called
		if r := handle(t, w, v, e)[0]; r.Code == dsar.CodeNoPlan || called != before+1 {
			t.Errorf("%s: %d calls, %+v", name, called-before, r)
		}
	}
}

// TestAPlanOfGaps: where nothing could be looked at there is a plan all the same, an empty
// one, by which the erasure says what it can't reach.
func TestAPlanOfGaps(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	gap := func(j *worker.PlanJob) error {
		j.Plan.Uncovered("profile", "it is locked", dsar.Cause{Code: "locked"})
		return nil
	}
	called := false
	w := newWorker(t, erasesOnly(), planner{gap, func(ctx context.Context, j *worker.EraseJob) error {
		called = true
		for range j.Plan.Entries(ctx) {
			t.Error("the plan has an entry")
		}
		return nil
	}})
	planned := handle(t, w, v, task(t, v, anna, dsar.Plan, erasure))[0]
	if len(planned.Objects) != 1 || planned.Objects[0].Records != 0 || planned.Outcome != dsar.Incomplete {
		t.Fatalf("%+v", planned)
	}
	if r := handle(t, w, v, task(t, v, anna, dsar.Erase, erasure, under(planned.Objects[0])))[0]; r.Kind != dsar.ReportEnded || !called {
		t.Errorf("%+v", r)
	}
	nothing := func(*worker.PlanJob) error { return nil }
	if r := handle(t, newWorker(t, erasesOnly(), planner{plan: nothing}), v, task(t, v, bob, dsar.Plan, erasure))[0]; len(r.Objects) != 0 {
		t.Errorf("a plan of nothing is kept: %+v", r)
	}
}

// copied copies an object of the vault to another name.
func copied(t *testing.T, v *workertest.Desk, request, from, to string) {
	t.Helper()
	keys, err := v.Keys(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	old, err := keys.ObjectKey(from)
	if err != nil {
		t.Fatal(err)
	}
	in, err := v.Open(t.Context(), old, from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := v.Create(t.Context(), request, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestErasureKeepsToThePlan: what an erasure doesn't account for is named by number,
// and is never said to be done.
func TestErasureKeepsToThePlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		counts []dsar.Counts
		want   dsar.Outcome
	}{
		"all":       {[]dsar.Counts{{Dataset: "profile", Erased: 1, Anonymised: 1}}, dsar.Anonymised},
		"one gone":  {[]dsar.Counts{{Dataset: "profile", Erased: 1, Gone: 1}}, dsar.Erased},
		"all gone":  {[]dsar.Counts{{Dataset: "profile", Gone: 2}}, dsar.NothingFound},
		"one late":  {[]dsar.Counts{{Dataset: "profile", Erased: 3, Late: 1}, {Dataset: "scores", Erased: 1, Late: 1}}, dsar.Erased},
		"short":     {[]dsar.Counts{{Dataset: "profile", Erased: 1}}, dsar.Incomplete},
		"nothing":   {nil, dsar.Incomplete},
		"too many":  {[]dsar.Counts{{Dataset: "profile", Erased: 3}}, dsar.Incomplete},
		"unplanned": {[]dsar.Counts{{Dataset: "profile", Erased: 2}, {Dataset: "scores", Erased: 1}}, dsar.Incomplete},
	} {
		v := newVault(t)
		w := newWorker(t, erasesOnly(), planner{twoPlanned, func(_ context.Context, j *worker.EraseJob) error { j.Counts = c.counts; return nil }})
		plan := handle(t, w, v, task(t, v, anna, dsar.Plan, erasure))[0].Objects[0]
		r := handle(t, w, v, task(t, v, anna, dsar.Erase, under(plan)))[0]
		if r.Outcome != c.want || (r.Code == dsar.CodePlanUnmet) != (c.want == dsar.Incomplete) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestPlanWriter: what can't be planned fails the task, whatever the call returns.
func TestPlanWriter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		write func(*worker.PlanWriter) error
		code  string
	}{
		"undeclared":   {func(p *worker.PlanWriter) error { return p.Erase("shoes", "1") }, "undeclared-dataset"},
		"no key":       {func(p *worker.PlanWriter) error { return p.Erase("profile", "") }, "bad-key"},
		"long key":     {func(p *worker.PlanWriter) error { return p.Erase("profile", strings.Repeat("x", worker.MaxKey+1)) }, "bad-key"},
		"bytes":        {func(p *worker.PlanWriter) error { return p.Erase("profile", "\xff") }, "bad-key"},
		"a bad ground": {func(p *worker.PlanWriter) error { return p.Keep("profile", "1", dsar.Retention{Ground: "Anna"}) }, "bad-ground"},
	} {
		v := newVault(t)
		w := newWorker(t, erasesOnly(), planner{plan: func(j *worker.PlanJob) error {
			if err := errors.Join(j.Plan.Erase("profile", "ok"), c.write(j.Plan)); err == nil {
				t.Errorf("%s: no error", name)
			}
			if err := j.Plan.Erase("profile", "later"); err == nil {
				t.Errorf("%s: the error isn't final", name)
			}
			return nil
		}})
		if r := handle(t, w, v, task(t, v, anna, dsar.Plan, erasure))[0]; r.Kind != dsar.ReportFailed || r.Code != c.code || len(r.Objects) > 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestPlanReadsBack: whatever is written is read again, in its order; what is cut
// short or changed is not taken for a plan.
func TestPlanReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		entry := rapid.Custom(func(t *rapid.T) worker.Entry {
			e := worker.Entry{Dataset: rapid.SampledFrom([]string{"profile", "scores"}).Draw(t, "dataset"), Key: rapid.StringN(1, 20, 200).Draw(t, "key")}
			if e.Keep = rapid.Bool().Draw(t, "keep"); e.Keep {
				if e.Ground = "tax-records"; rapid.Bool().Draw(t, "dated") {
					e.Until = until.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "days")) * 24 * time.Hour)
				}
			}
			e.Ways = rapid.SampledFrom([]string{"", "1f0c9a2e", "1f0c9a2e 77aa00c1"}).Draw(t, "ways")
			e.Due = rapid.Bool().Draw(t, "due")
			return e
		})
		entries := rapid.SliceOf(entry).Draw(t, "entries")
		var text bytes.Buffer
		if err := worker.WritePlan(&text, entries); err != nil {
			t.Fatal(err)
		}
		read := func(b []byte) (got []worker.Entry, err error) {
			for e, err := range worker.ReadPlan(bytes.NewReader(b)) {
				if err != nil {
					return got, err
				}
				got = append(got, e)
			}
			return got, nil
		}
		if got, err := read(text.Bytes()); err != nil || !slices.Equal(got, entries) {
			t.Fatalf("%+v (%v), want %+v", got, err, entries)
		}
		cut := rapid.IntRange(0, text.Len()-2).Draw(t, "cut")
		if _, err := read(text.Bytes()[:cut]); err == nil {
			t.Fatalf("%q was taken for a plan", text.Bytes()[:cut])
		}
	})
}

// TestPlanNeedsNoMemory: 300,000 keys are written and read as a stream.
func TestPlanNeedsNoMemory(t *testing.T) {
	const keys = 300_000 // not parallel: it looks at the heap
	v := newVault(t)
	var held uint64
	measure := func() {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		held = max(held, m.HeapAlloc)
	}
	w := newWorker(t, erasesOnly(), planner{func(j *worker.PlanJob) error {
		for i := range keys {
			if err := j.Plan.Erase("profile", fmt.Sprintf("a-key-of-some-length-%d", i)); err != nil {
				return err
			}
		}
		return nil
	}, func(ctx context.Context, j *worker.EraseJob) error {
		var n int64
		for _, err := range j.Plan.Entries(ctx) {
			if err != nil {
				return err
			}
			if n++; n == keys/2 {
				measure()
			}
		}
		j.Counts = []dsar.Counts{{Dataset: "profile", Erased: n}}
		return nil
	}})
	plan := handle(t, w, v, task(t, v, anna, dsar.Plan, erasure))[0].Objects[0]
	measure()
	before := held // what the vault in memory holds of it, too
	held = 0
	if r := handle(t, w, v, task(t, v, anna, dsar.Erase, under(plan)))[0]; r.Counts[0].Erased != keys || r.Code != "" {
		t.Errorf("%+v", r)
	}
	if plan.Bytes < 5<<20 || held > before+uint64(plan.Bytes)/2 {
		t.Errorf("a plan of %d bytes: %d bytes are held while it is read, %d before", plan.Bytes, held, before)
	}
}

// TestEndsThatCannotBeWritten: a record that must stay until a year which no message can hold
// is planned to stay without a known end, and the plan can be read again.
func TestEndsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, until := range []time.Time{time.Date(10009, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(-4000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		v := newVault(t)
		w := newWorker(t, erasesOnly(), planner{func(j *worker.PlanJob) error {
			return j.Plan.Keep("profile", "1", dsar.Retention{Ground: "tax-records", Until: until})
		}, func(_ context.Context, j *worker.EraseJob) error {
			j.Counts = []dsar.Counts{{Dataset: "profile", Retained: []dsar.Retention{{Records: 1, Ground: "tax-records", Until: until, Next: until}}}}
			return nil
		}})
		r := handle(t, w, v, task(t, v, anna, dsar.Plan, erasure))[0]
		if r.Outcome != dsar.Found || len(r.Objects) != 1 || r.Counts[0].Kept() != 1 || !r.Counts[0].Retained[0].Until.IsZero() {
			t.Fatalf("%s: %+v", until, r)
		}
		if e := handle(t, w, v, task(t, v, anna, dsar.Erase, under(r.Objects[0])))[0]; e.Outcome != dsar.Retained || e.Code != "" || !e.Counts[0].Retained[0].Until.IsZero() {
			t.Errorf("%s: %+v", until, e)
		}
	}
}

// TestReportThatCannotBeWritten: whatever no message can hold of a report fails its task,
// rather than have the request wait for a report for ever.
func TestReportThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, erasesOnly(), planner{plan: func(*worker.PlanJob) error {
		return worker.RetryAt(time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), "quota-spent", "the quota is spent", nil)
	}})
	if r := handle(t, w, v, task(t, v, anna, dsar.Plan, erasure))[0]; r.Kind != dsar.ReportFailed || r.Code != "bad-report" || r.Reason == "" {
		t.Errorf("%+v", r)
	}
}

// TestMentions: records of others are counted by dataset, however many calls tell them, beside
// what is planned; of a dataset that there isn't, and less than none, there are none.
func TestMentions(t *testing.T) {
	t.Parallel()
	m := erasesOnly()
	p := worker.NewPlanWriter(m)
	for range 3 {
		p.Mentions("profile", 2)
	}
	if err := p.Erase("profile", "1"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // asking changes nothing
		if n := p.Counts(); len(n) != 1 || n[0].Found != 1 || n[0].Mentions != 6 {
			t.Errorf("%+v", n)
		}
	}
	for dataset, records := range map[string]int64{"profile": -1, "elsewhere": 1} {
		p := worker.NewPlanWriter(m)
		p.Mentions(dataset, records)
		if _, err := p.Plan(); err == nil {
			t.Errorf("%d of %s are taken", records, dataset)
		}
	}
}
