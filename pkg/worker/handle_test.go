package worker_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

func writeTwo(_ context.Context, t worker.Task, out *worker.Records) error {
	if err := out.Write("profile", record.Record{"email": email(t), "city": "Lyon"}); err != nil {
		return err
	}
	return out.Write("scores", record.Record{"score": 7})
}

func TestGather(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: writeTwo}, worker.WithNames(func() string { return "abcdefgh" }))
	r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]
	if r.Kind != dsar.ReportEnded || r.Outcome != dsar.Gathered || r.Attempt != 1 || r.System != "shop" {
		t.Errorf("report %+v", r)
	}
	want := []dsar.Counts{{Dataset: "profile", Found: 1, Gathered: 1}, {Dataset: "scores", Found: 1, Gathered: 1}}
	if !reflect.DeepEqual(r.Counts, want) {
		t.Errorf("counts %+v", r.Counts)
	}
	if r.Objects[0].Name != "shop/gather/1-abcdefgh" || r.Objects[0].Records != 2 {
		t.Errorf("objects %+v", r.Objects)
	}
	if err := contains(object(t, v, r), address(anna), "Lyon", "7"); err != nil {
		t.Error(err)
	}
}

// TestAboutOthers: records that may tell of other people are gathered and wait for
// a person; the person's own, and those that portability leaves out, don't.
func TestAboutOthers(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := gatherOnly()
	m.Datasets[0].Others = []manifest.Others{{Columns: []string{"city"}, Unless: map[dsar.IdentifierType]string{"email": "email"}, Then: manifest.OthersPerson}}
	for name, c := range map[string]struct {
		right dsar.Right
		email func(worker.Task) string
		city  any
		waits bool
	}{
		"one's own":         {dsar.Access, func(tk worker.Task) string { return strings.ToUpper(email(tk)) }, "Lyon", false},
		"somebody else's":   {dsar.Access, func(worker.Task) string { return "eve@example.com" }, "Lyon", true},
		"nobody's":          {dsar.Access, func(worker.Task) string { return "" }, "Lyon", true},
		"nothing about eve": {dsar.Access, func(worker.Task) string { return "eve@example.com" }, nil, false},
	} {
		w := newWorker(t, m, impl{gather: func(_ context.Context, tk worker.Task, out *worker.Records) error {
			return out.Write("profile", record.Record{"email": c.email(tk), "city": c.city})
		}})
		r := handle(t, w, v, task(t, v, anna, dsar.Gather, func(tk *dsar.Task) { tk.Right = c.right }))[0]
		if len(r.Objects) != 1 || len(r.Counts) != 1 {
			t.Fatalf("%s: %+v", name, r)
		}
		if waits := r.Kind == dsar.ReportFailed && r.Outcome == dsar.Manual && r.Code == dsar.CodeOthers && strings.Contains(r.Reason, "profile"); waits != c.waits {
			t.Errorf("%s: %+v", name, r)
		}
	}
	m.Datasets[0].LegalBasis = "legitimate-interest"
	w := newWorker(t, m, impl{gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
		return out.Write("profile", record.Record{"email": "eve@example.com", "city": "Lyon"})
	}})
	if r := handle(t, w, v, task(t, v, anna, dsar.Gather, func(tk *dsar.Task) { tk.Right = dsar.Portability }))[0]; r.Kind != dsar.ReportEnded {
		t.Errorf("what isn't answered waits for a person: %+v", r)
	}
}

func TestGatherNothing(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: func(context.Context, worker.Task, *worker.Records) error { return nil }})
	r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]
	if r.Outcome != dsar.NothingFound || r.Objects != nil || r.Counts != nil {
		t.Errorf("report %+v", r)
	}
}

func TestPortabilityKeepsWhatItReaches(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: func(ctx context.Context, tk worker.Task, out *worker.Records) error {
		if !out.Wants("profile") || out.Wants("scores") || out.Wants("unknown") {
			t.Error("Wants says otherwise")
		}
		return writeTwo(ctx, tk, out)
	}})
	r := handle(t, w, v, task(t, v, anna, dsar.Gather, func(tk *dsar.Task) { tk.Right = dsar.Portability }))[0]
	want := []dsar.Counts{{Dataset: "profile", Found: 1, Gathered: 1}, {Dataset: "scores", Found: 1}}
	if !reflect.DeepEqual(r.Counts, want) || r.Objects[0].Records != 1 {
		t.Errorf("report %+v", r)
	}
	if strings.Contains(object(t, v, r), "scores") {
		t.Error("a derived dataset went into a portable answer")
	}
}

func TestRecordsUndeclared(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dataset string
		rec     record.Record
		code    string
		names   string
	}{
		"column":       {"profile", record.Record{"email": "x", "shoe_size": 43}, "undeclared-column", "shoe_size"},
		"dataset":      {"shoes", record.Record{}, "undeclared-dataset", "shoes"},
		"odd column":   {"profile", record.Record{"anna@example.com": 1}, "undeclared-column", "of the name that was given"},
		"odd datasets": {"anna lives here", record.Record{}, "undeclared-dataset", "of the name that was given"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t)
			w := newWorker(t, gatherOnly(), impl{gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
				_ = out.Write("scores", record.Record{"score": 1})
				_ = out.Write(c.dataset, c.rec) // and the error is forgotten
				return nil
			}})
			r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]
			if r.Kind != dsar.ReportFailed || r.Outcome != dsar.Failed || r.Code != c.code || !strings.Contains(r.Reason, c.names) || r.Objects != nil {
				t.Errorf("report %+v", r)
			}
		})
	}
}

func TestRecordsOfADatasetComeTogether(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
		_ = out.Write("scores", record.Record{"score": 1})
		_ = out.Write("profile", record.Record{"city": "Lyon"})
		return out.Write("scores", record.Record{"score": 2})
	}})
	if r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]; r.Code != "dataset-twice" {
		t.Errorf("report %+v", r)
	}
}

// TestWriteAfterTheCall: a goroutine that was left behind can't add to what was
// reported.
func TestWriteAfterTheCall(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var kept *worker.Records
	w := newWorker(t, gatherOnly(), impl{gather: func(ctx context.Context, tk worker.Task, out *worker.Records) error {
		kept = out
		return writeTwo(ctx, tk, out)
	}})
	r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]
	if err := kept.Write("scores", record.Record{"score": 2}); err == nil {
		t.Error("a late record was taken")
	}
	if r.Objects[0].Records != 2 {
		t.Errorf("report %+v", r)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, shop(), impl{resolve: func(_ context.Context, tk worker.Task) ([]worker.Found, error) {
		from := tk.Identifiers[0]
		return []worker.Found{{Type: "account_id", Value: "A-1", From: from}, {Type: "account_id", Value: "A-1", From: from}, {Type: "account_id", Value: "A-2"}}, nil
	}})
	r := handle(t, w, v, task(t, v, anna, dsar.Resolve))[0]
	if r.Outcome != dsar.Found || len(r.Identifiers) != 2 {
		t.Fatalf("report %+v", r)
	}
	keys, _ := v.Keys(t.Context(), anna)
	for i, want := range []string{"A-1", "A-2"} {
		id := r.Identifiers[i]
		value, err := keys.Open(id.Sealed, "identifier")
		if err != nil || string(value) != want || id.Fingerprint != v.Fingerprint("account_id", want) || id.From != v.Fingerprint("email", address(anna)) {
			t.Errorf("identifier %d: %q %v %+v", i, value, err, id)
		}
	}
}

func TestFoundIsChecked(t *testing.T) {
	t.Parallel()
	many := make([]worker.Found, worker.MaxFound+1)
	for i := range many {
		many[i] = worker.Found{Type: "account_id", Value: fmt.Sprint(i)}
	}
	for code, found := range map[string][]worker.Found{
		"undeclared-identifier": {{Type: "phone", Value: "1"}},
		"bad-identifier":        {{Type: "account_id"}},
		"too-many-identifiers":  many,
	} {
		v := newVault(t)
		w := newWorker(t, shop(), impl{resolve: func(context.Context, worker.Task) ([]worker.Found, error) { return found, nil }})
		if r := handle(t, w, v, task(t, v, anna, dsar.Resolve))[0]; r.Code != code || r.Kind != dsar.ReportFailed {
			t.Errorf("%s: report %+v", code, r)
		}
	}
}

// TestOutcomes is the table of what counts mean.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	until := time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	tax := []dsar.Retention{{Records: 2, Ground: "tax-records", Until: until}}
	for _, c := range []struct {
		action dsar.Action
		counts []dsar.Counts
		want   dsar.Outcome
	}{
		{dsar.Count, nil, dsar.NothingFound},
		{dsar.Count, []dsar.Counts{{Dataset: "profile"}}, dsar.NothingFound},
		{dsar.Count, []dsar.Counts{{Dataset: "profile", Found: 2, Retained: tax}}, dsar.Found},
		{dsar.Prove, nil, dsar.Proven},
		{dsar.Prove, []dsar.Counts{{Dataset: "profile", Found: 2, Retained: tax}}, dsar.Proven},
		{dsar.Prove, []dsar.Counts{{Dataset: "profile", Found: 3, Retained: tax}}, dsar.Found},
		{dsar.Erase, nil, dsar.NothingFound},
		{dsar.Erase, []dsar.Counts{{Dataset: "profile", Erased: 1}}, dsar.Erased},
		{dsar.Erase, []dsar.Counts{{Dataset: "profile", Erased: 1}, {Dataset: "scores", Anonymised: 1}}, dsar.Anonymised},
		{dsar.Erase, []dsar.Counts{{Dataset: "profile", Erased: 1, Retained: tax}}, dsar.Retained},
		{dsar.Rectify, []dsar.Counts{{Dataset: "profile", Rectified: 1}}, dsar.Rectified},
		{dsar.Rectify, nil, dsar.NothingFound},
		{dsar.Restrict, []dsar.Counts{{Dataset: "profile", Restricted: 1}}, dsar.Restricted},
		{dsar.Restrict, nil, dsar.NothingFound},
	} {
		v := newVault(t)
		give := func(context.Context, worker.Task) ([]dsar.Counts, error) { return c.counts, nil }
		w := newWorker(t, shop(), impl{count: give, erase: give, restrict: give,
			rectify: func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error) { return c.counts, nil }})
		e := task(t, v, anna, c.action, func(tk *dsar.Task) {
			tk.Details = details(t, v, anna, event.Details{Corrections: []event.Correction{{Column: "city", Value: "Nice"}}})
		})
		if r := handle(t, w, v, e)[0]; r.Outcome != c.want || r.Kind != dsar.ReportEnded {
			t.Errorf("%s %+v: outcome %s (%s %s), want %s", c.action, c.counts, r.Outcome, r.Code, r.Reason, c.want)
		}
	}
}

func TestCountsAreChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		counts []dsar.Counts
		code   string
	}{
		"undeclared":    {[]dsar.Counts{{Dataset: "shoes"}}, "undeclared-dataset"},
		"negative":      {[]dsar.Counts{{Dataset: "profile", Found: -1}}, "bad-counts"},
		"twice":         {[]dsar.Counts{{Dataset: "profile"}, {Dataset: "profile"}}, "bad-counts"},
		"more retained": {[]dsar.Counts{{Dataset: "profile", Found: 1, Retained: []dsar.Retention{{Records: 2, Ground: "tax-records"}}}}, "bad-counts"},
		"bad ground":    {[]dsar.Counts{{Dataset: "profile", Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "Anna asked"}}}}, "bad-ground"},
	} {
		v := newVault(t)
		w := newWorker(t, shop(), impl{count: func(context.Context, worker.Task) ([]dsar.Counts, error) { return c.counts, nil }})
		if r := handle(t, w, v, task(t, v, anna, dsar.Count))[0]; r.Code != c.code || r.Kind != dsar.ReportFailed {
			t.Errorf("%s: report %+v", name, r)
		}
	}
}

func TestCountsAreInTheManifestsOrder(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	own := []dsar.Counts{{Dataset: "scores", Found: 1}, {Dataset: "profile", Found: 2}}
	w := newWorker(t, shop(), impl{count: func(context.Context, worker.Task) ([]dsar.Counts, error) { return own, nil }})
	r := handle(t, w, v, task(t, v, anna, dsar.Count))[0]
	if r.Counts[0].Dataset != "profile" || own[0].Dataset != "scores" {
		t.Errorf("report %+v; the worker's own %+v", r, own)
	}
}

func TestRectify(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var got []worker.Change
	w := newWorker(t, shop(), impl{rectify: func(_ context.Context, _ worker.Task, c []worker.Change) ([]dsar.Counts, error) {
		got = c
		return []dsar.Counts{{Dataset: "profile", Rectified: 1}}, nil
	}})
	with := func(cs ...event.Correction) dsar.Report {
		return handle(t, w, v, task(t, v, anna, dsar.Rectify, func(tk *dsar.Task) {
			if len(cs) > 0 {
				tk.Details = details(t, v, anna, event.Details{Corrections: cs})
			}
		}))[0]
	}
	if r := with(event.Correction{Column: "city", Value: "Nice"}, event.Correction{System: "other", Column: "email", Value: "x"}); r.Outcome != dsar.Rectified {
		t.Errorf("report %+v", r)
	}
	if want := []worker.Change{{"profile", "city", "Nice"}, {"scores", "city", "Nice"}}; !slices.Equal(got, want) {
		t.Errorf("changes %+v", got)
	}
	if r := with(event.Correction{Column: "iban", Value: "x"}); r.Outcome != dsar.NotApplicable || r.Code != "no-correction" {
		t.Errorf("report %+v", r)
	}
	if r := with(); r.Kind != dsar.ReportFailed || r.Code != "no-correction" {
		t.Errorf("report %+v", r)
	}
}

func TestOnlyNeededIdentifiersAreOpened(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: func(_ context.Context, tk worker.Task, _ *worker.Records) error {
		if len(tk.Identifiers) != 1 || tk.Identifiers[0] != (worker.Identifier{Type: "email", Value: address(anna), Verified: true}) {
			t.Errorf("identifiers %+v", tk.Identifiers)
		}
		return nil
	}})
	handle(t, w, v, task(t, v, anna, dsar.Gather))
	r := handle(t, w, v, task(t, v, anna, dsar.Gather, func(tk *dsar.Task) {
		tk.Identifiers = slices.DeleteFunc(tk.Identifiers, func(id dsar.Identifier) bool { return id.Type == "email" })
	}))[0]
	if r.Outcome != dsar.NotApplicable || r.Code != "no-identifier" {
		t.Errorf("report %+v", r)
	}
}

func TestErrorsSteer(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	at := now.Add(3 * time.Hour)
	for name, c := range map[string]struct {
		err    error
		kind   dsar.ReportKind
		code   string
		reason string
		until  time.Time // zero: by the growing wait
		tries  int32
		detail string
	}{
		"permanent":   {worker.Permanent("no-permission", "the API user may not read contacts", errVendor), dsar.ReportFailed, "no-permission", "the API user may not read contacts", time.Time{}, 1, errVendor.Error()},
		"wrapped":     {fmt.Errorf("asking for canary: %w", worker.Permanent("no-permission", "", errVendor)), dsar.ReportFailed, "no-permission", "", time.Time{}, 1, "asking for canary: no-permission: " + errVendor.Error()},
		"retry at":    {worker.RetryAt(at, "quota-spent", "the day's quota is spent", nil), dsar.ReportParked, "quota-spent", "the day's quota is spent", at, 1, ""},
		"retry after": {worker.RetryAfter(time.Minute, "rate-limited", "the vendor asked to wait", errVendor), dsar.ReportParked, "rate-limited", "the vendor asked to wait", now.Add(time.Minute), 1, errVendor.Error()},
		"transient":   {worker.Transient("vendor-down", "the vendor answers 503", errVendor), dsar.ReportParked, "vendor-down", "the vendor answers 503", time.Time{}, 3, errVendor.Error()},
		"anything":    {errVendor, dsar.ReportParked, "transient", "the system could not be asked", time.Time{}, 3, errVendor.Error()},
		"timeout":     {fmt.Errorf("x: %w", context.DeadlineExceeded), dsar.ReportParked, "timeout", "the system did not answer in time", time.Time{}, 3, "x: context deadline exceeded"},
		"bad code":    {worker.Permanent("No Permission!", "line\nbreak", nil), dsar.ReportFailed, "unnamed", "line break", time.Time{}, 1, ""},
		"quotes":      {worker.Permanent("gone", "nobody called "+strings.ToUpper(address(anna)), nil), dsar.ReportFailed, "gone", "the worker's reason was withheld: it quoted the subject", time.Time{}, 1, ""},
		"long":        {worker.Permanent("long", strings.Repeat("é", 1000), errors.New(strings.Repeat("é", 5000))), dsar.ReportFailed, "long", strings.Repeat("é", 150), time.Time{}, 1, strings.Repeat("é", 2048)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t)
			var tries atomic.Int32
			w := newWorker(t, gatherOnly(), impl{gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
				tries.Add(1)
				_ = out.Write("profile", record.Record{"city": "Lyon"})
				return c.err
			}}, worker.WithClock(func() time.Time { return now }))
			r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]
			if r.Kind != c.kind || r.Code != c.code || r.Reason != c.reason || tries.Load() != c.tries {
				t.Errorf("after %d tries: report %+v", tries.Load(), r)
			}
			if r.Objects != nil || r.Counts != nil {
				t.Errorf("the report names what an aborted gather left: %+v", r)
			}
			if c.detail != "" && plain(t, v, r) != c.detail {
				t.Errorf("detail %q, want %q", plain(t, v, r), c.detail)
			}
			if c.detail == "" && r.Detail != nil {
				t.Errorf("a detail: %q", plain(t, v, r))
			}
			if c.kind == dsar.ReportParked {
				wait := r.Until.Sub(now)
				if !c.until.IsZero() && !r.Until.Equal(c.until) || c.until.IsZero() && (wait > worker.FirstPark || wait < worker.FirstPark*8/10) {
					t.Errorf("parked for %v", wait)
				}
			}
		})
	}
}

// TestWaitsGrow: each attempt waits about twice as long, a task always as long as
// itself, and after MaxAttempts a person is asked.
func TestWaitsGrow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: func(context.Context, worker.Task, *worker.Records) error { return errVendor }},
		worker.WithClock(func() time.Time { return now }))
	attempt := func(request string, n int) dsar.Report {
		return handle(t, w, v, task(t, v, request, dsar.Gather, func(tk *dsar.Task) { tk.Attempt, tk.Parked = n+3, n-1 }))[0]
	}
	for n := 1; n < worker.MaxAttempts; n++ {
		full := min(worker.FirstPark<<(n-1), worker.MaxPark)
		r := attempt(anna, n)
		if wait := r.Until.Sub(now); wait > full || wait < full*8/10 {
			t.Errorf("attempt %d is parked for %v, want about %v", n, wait, full)
		}
		if again := attempt(anna, n); !again.Until.Equal(r.Until) {
			t.Errorf("attempt %d is parked until %v and until %v", n, r.Until, again.Until)
		}
	}
	if attempt(anna, 5).Until.Equal(attempt(bob, 5).Until) {
		t.Error("two tasks come back at the same time")
	}
	r := attempt(anna, worker.MaxAttempts)
	if r.Kind != dsar.ReportFailed || r.Code != "transient" || !strings.HasPrefix(r.Reason, "given up after 10 attempts") {
		t.Errorf("report %+v", r)
	}
}

func TestTransientIsMendedInPlace(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var tries int
	var waits []time.Duration
	w := newWorker(t, gatherOnly(), impl{gather: func(ctx context.Context, tk worker.Task, out *worker.Records) error {
		tries++
		err := writeTwo(ctx, tk, out)
		if tries < 3 {
			return errVendor
		}
		return err
	}}, worker.WithPause(func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		return nil
	}))
	r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]
	if r.Outcome != dsar.Gathered || r.Objects[0].Records != 2 || r.Counts[0].Gathered != 1 {
		t.Errorf("report %+v", r)
	}
	if !slices.Equal(waits, []time.Duration{100 * time.Millisecond, 400 * time.Millisecond}) {
		t.Errorf("waits %v", waits)
	}
}

// TestSlowFailureIsNotRepeatedHere: tries in place end when their time is up.
func TestSlowFailureIsNotRepeatedHere(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	tries := 0
	w := newWorker(t, gatherOnly(), impl{gather: func(context.Context, worker.Task, *worker.Records) error {
		tries++
		now = now.Add(worker.RetryWithin)
		return errVendor
	}}, worker.WithClock(func() time.Time { return now }))
	if r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]; r.Kind != dsar.ReportParked || tries != 1 {
		t.Errorf("after %d tries: report %+v", tries, r)
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: func(_ context.Context, tk worker.Task, _ *worker.Records) error { panic("oops " + email(tk)) }})
	r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]
	if r.Kind != dsar.ReportParked || r.Code != "panic" || strings.Contains(r.Reason, "canary") || !strings.Contains(plain(t, v, r), address(anna)) {
		t.Errorf("report %+v", r)
	}
}

// TestCancelledGivesNoReport: what a stop cuts off is handed in again, whatever
// error came out of it.
func TestCancelledGivesNoReport(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"its error": context.Canceled, "another": errVendor, "permanent": worker.Permanent("x", "", nil)} {
		v := newVault(t)
		ctx, cancel := context.WithCancel(t.Context())
		w := newWorker(t, gatherOnly(), impl{gather: func(context.Context, worker.Task, *worker.Records) error {
			cancel()
			return err
		}})
		e := task(t, v, anna, dsar.Gather)
		if a := w.Handle(ctx, v, []event.Event{e})[0]; a.Type != "" {
			t.Errorf("%s: answer %s", name, a.Data)
		}
		if a := w.Handle(ctx, v, []event.Event{e})[0]; a.Type != "" {
			t.Errorf("%s: answer %s", name, a.Data)
		}
	}
}

func TestCallIsBounded(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: func(ctx context.Context, _ worker.Task, _ *worker.Records) error {
		<-ctx.Done()
		return ctx.Err()
	}}, worker.WithTimeout(time.Millisecond))
	if r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]; r.Kind != dsar.ReportParked || r.Code != "timeout" {
		t.Errorf("report %+v", r)
	}
}

func TestShreddedAndUnknownKeys(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: writeTwo})
	e := task(t, v, anna, dsar.Gather)
	if err := v.Shred(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	if r := handle(t, w, v, e)[0]; r.Kind != dsar.ReportFailed || r.Code != "shredded" {
		t.Errorf("report %+v", r)
	}
	e = task(t, v, bob, dsar.Gather, func(tk *dsar.Task) { tk.RequestID = "00000000-0000-4000-8000-000000000001" })
	if r := handle(t, w, v, e)[0]; r.Kind != dsar.ReportParked || r.Code != "vault" {
		t.Errorf("report %+v", r)
	}
	e = task(t, v, bob, dsar.Gather, func(tk *dsar.Task) { tk.RequestID = charlie })
	if r := handle(t, w, v, e)[0]; r.Kind != dsar.ReportFailed || r.Code != "unreadable-identifier" {
		t.Errorf("report %+v", r)
	}
}

func TestRejected(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: writeTwo})
	good := task(t, v, anna, dsar.Gather)
	bad := map[string]event.Event{
		"not-json":     {ID: "1", Type: event.TypeTask, Data: []byte(`{"canary`)},
		"unknown-type": {ID: "2", Type: "canary@example.com", Data: []byte(`{}`)},
		"wrong-system": task(t, v, anna, dsar.Gather, func(tk *dsar.Task) { tk.System = "canary" }),
		"invalid":      task(t, v, anna, "canary"),
	}
	check, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	for code, e := range bad {
		answers := w.Handle(t.Context(), v, []event.Event{e, good})
		a := answers[0]
		if a.Type != event.TypeRejected || !strings.Contains(string(a.Data), `"code":"`+code+`"`) || strings.Contains(string(a.Data), "canary") {
			t.Errorf("%s: answer %s %s", code, a.Type, a.Data)
		}
		if err := check.ValidateData(a.Type, a.Data); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if answers[1].Type != event.TypeReport {
			t.Errorf("%s: the good task beside it got %q", code, answers[1].Type)
		}
	}
	m := gatherOnly()
	m.Abilities = nil
	if r := handle(t, newWorker(t, m, impl{}), v, good)[0]; r.Kind != dsar.ReportFailed || r.Code != "no-ability" {
		t.Errorf("report %+v", r)
	}
}

// TestAnswersAreWellFormed holds reports to the schema, and their ids to the
// task: the same task gives the same id.
func TestAnswersAreWellFormed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	check, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(time.Hour)
	counts := func(context.Context, worker.Task) ([]dsar.Counts, error) {
		return []dsar.Counts{{Dataset: "profile", Found: 2, Retained: []dsar.Retention{{Records: 1, Ground: "tax-records", Until: until}}}}, nil
	}
	w := newWorker(t, shop(), impl{
		gather: writeTwo, count: counts, erase: counts,
		resolve: func(context.Context, worker.Task) ([]worker.Found, error) {
			return []worker.Found{{Type: "account_id", Value: "A-1"}}, nil
		},
		restrict: func(context.Context, worker.Task) ([]dsar.Counts, error) {
			return nil, worker.RetryAfter(time.Minute, "wait", "wait", errVendor)
		},
		rectify: func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error) {
			return nil, worker.Permanent("no", "no", errVendor)
		},
	})
	var tasks []event.Event
	for _, a := range []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Count, dsar.Erase, dsar.Prove, dsar.Rectify, dsar.Restrict} {
		tasks = append(tasks, task(t, v, anna, a))
	}
	again := w.Handle(t.Context(), v, tasks)
	for i, a := range w.Handle(t.Context(), v, tasks) {
		if err := check.ValidateData(a.Type, a.Data); err != nil {
			t.Errorf("%s: %v", a.Data, err)
		}
		if a.Subject != anna || a.Source != "habeas/worker/shop" || a.ID != again[i].ID || a.TraceParent != tasks[i].TraceParent || a.Time.IsZero() {
			t.Errorf("event %+v", a)
		}
		if r := parse(t, a); r.Action != parse(t, tasks[i]).Action {
			t.Errorf("answer %d is about %s", i, r.Action)
		}
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var sizes []int
	w := newWorker(t, gatherOnly(), batch(func(_ context.Context, jobs []*worker.GatherJob) error {
		sizes = append(sizes, len(jobs))
		for _, j := range jobs {
			if j.RequestID == bob {
				j.Err = worker.Permanent("locked", "", nil)
				continue
			}
			if err := j.Out.Write("profile", record.Record{"email": email(j.Task)}); err != nil {
				return err
			}
		}
		return nil
	}))
	rs := handle(t, w, v, task(t, v, anna, dsar.Gather), task(t, v, bob, dsar.Gather), task(t, v, charlie, dsar.Gather))
	if !slices.Equal(sizes, []int{3}) {
		t.Errorf("batches of %v", sizes)
	}
	if rs[0].Outcome != dsar.Gathered || rs[1].Code != "locked" || rs[2].Outcome != dsar.Gathered {
		t.Errorf("reports %+v", rs)
	}
	if err := errors.Join(contains(object(t, v, rs[0]), address(anna)), contains(object(t, v, rs[2]), address(charlie))); err != nil {
		t.Error(err)
	}
}

// TestBatchRetriesOnlyWhatFailed: jobs that have succeeded aren't done again
// because another one failed.
func TestBatchRetriesOnlyWhatFailed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var calls [][]string
	w := newWorker(t, gatherOnly(), batch(func(_ context.Context, jobs []*worker.GatherJob) error {
		var ids []string
		for _, j := range jobs {
			ids = append(ids, j.RequestID)
			if j.RequestID == bob {
				j.Err = errVendor
			} else if len(calls) == 1 && j.RequestID == charlie {
				j.Err = errVendor
			}
		}
		calls = append(calls, ids)
		return nil
	}))
	rs := handle(t, w, v, task(t, v, anna, dsar.Gather), task(t, v, bob, dsar.Gather), task(t, v, charlie, dsar.Gather))
	if want := [][]string{{anna, bob, charlie}, {bob}, {bob}}; !reflect.DeepEqual(calls, want) {
		t.Errorf("calls %v", calls)
	}
	if rs[1].Kind != dsar.ReportParked || rs[0].Kind != dsar.ReportEnded || rs[2].Kind != dsar.ReportEnded {
		t.Errorf("reports %+v", rs)
	}
}

// TestBatchPanicHitsOneJob: after a panic each job gets its own call.
func TestBatchPanicHitsOneJob(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), batch(func(_ context.Context, jobs []*worker.GatherJob) error {
		for _, j := range jobs {
			if j.RequestID == bob {
				panic("bob")
			}
			_ = j.Out.Write("scores", record.Record{"score": 1})
		}
		return nil
	}))
	rs := handle(t, w, v, task(t, v, anna, dsar.Gather), task(t, v, bob, dsar.Gather), task(t, v, charlie, dsar.Gather))
	if rs[0].Outcome != dsar.Gathered || rs[1].Code != "panic" || rs[2].Outcome != dsar.Gathered || rs[2].Objects[0].Records != 1 {
		t.Errorf("reports %+v", rs)
	}
}

func TestBatchErrorHitsAll(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), batch(func(_ context.Context, jobs []*worker.GatherJob) error {
		jobs[0].Err = worker.Permanent("own", "", nil)
		return worker.RetryAfter(time.Hour, "all", "", nil)
	}))
	rs := handle(t, w, v, task(t, v, anna, dsar.Gather), task(t, v, bob, dsar.Gather))
	if rs[0].Code != "own" || rs[1].Code != "all" || rs[1].Kind != dsar.ReportParked {
		t.Errorf("reports %+v", rs)
	}
}

func TestOneAtATimeIsBounded(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var mu sync.Mutex
	running, most := 0, 0
	full := make(chan struct{})
	w := newWorker(t, gatherOnly(), impl{gather: func(context.Context, worker.Task, *worker.Records) error {
		mu.Lock()
		running++
		most = max(most, running)
		if running == 3 {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-full
		mu.Lock()
		running--
		mu.Unlock()
		return nil
	}}, worker.WithConcurrency(3))
	var tasks []event.Event
	for n := range 20 {
		tasks = append(tasks, task(t, v, anna, dsar.Gather, func(tk *dsar.Task) { tk.Attempt = n + 1 }))
	}
	handle(t, w, v, tasks...)
	if most != 3 {
		t.Errorf("%d calls at once", most)
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := worker.New(shop(), struct{ worker.Gatherer }{}); err == nil || !strings.Contains(err.Error(), "resolve") || !strings.Contains(err.Error(), "Resolver or BatchResolver") {
		t.Errorf("error %v", err)
	}
	if _, err := worker.New(nil, impl{}); err == nil {
		t.Error("no error without a manifest")
	}
	if _, err := worker.New(gatherOnly(), struct{ worker.Gatherer }{}); err != nil {
		t.Error(err)
	}
}
