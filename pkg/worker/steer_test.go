package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

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
		if a := v.Handle(ctx, w, []event.Event{e})[0]; a.Type != "" {
			t.Errorf("%s: answer %s", name, a.Data)
		}
		if a := v.Handle(ctx, w, []event.Event{e})[0]; a.Type != "" {
			t.Errorf("%s: answer %s", name, a.Data)
		}
	}
}

func TestCallIsBounded(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	hangs := impl{gather: func(ctx context.Context, _ worker.Task, _ *worker.Records) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	for name, w := range map[string]*worker.Worker{
		"by an option":                newWorker(t, gatherOnly(), hangs, worker.WithTimeout(time.Millisecond)),
		"by the implementation":       newWorker(t, gatherOnly(), bounded{hangs, time.Millisecond}),
		"by an option that overrides": newWorker(t, gatherOnly(), bounded{hangs, time.Hour}, worker.WithTimeout(time.Millisecond)),
	} {
		if r := handle(t, w, v, task(t, v, anna, dsar.Gather))[0]; r.Kind != dsar.ReportParked || r.Code != "timeout" {
			t.Errorf("%s: report %+v", name, r)
		}
	}
}

// bounded is an implementation that says how long a call may take.
type bounded struct {
	impl
	most time.Duration
}

func (b bounded) CallTimeout() time.Duration { return b.most }

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
	if r := handle(t, w, v, e)[0]; r.Kind != dsar.ReportFailed || r.Code != "no-keys" {
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
		"not-sealed":   {ID: "1", Type: event.TypeTask, Data: []byte(`{"canary`)},
		"unknown-type": {ID: "2", Type: "canary@example.com", Data: []byte(`{}`)},
		"wrong-system": task(t, v, anna, dsar.Gather, func(tk *dsar.Task) { tk.System = "canary" }),
		"invalid":      task(t, v, anna, "canary"),
	}
	check, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	for code, e := range bad {
		answers := v.Handle(t.Context(), w, []event.Event{e, good})
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
		gather: writeTwo, plan: counts, erase: counts,
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
	for _, a := range []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Plan, dsar.Erase, dsar.Prove, dsar.Rectify, dsar.Restrict} {
		tasks = append(tasks, task(t, v, anna, a))
	}
	again := v.Handle(t.Context(), w, tasks)
	for i, a := range v.Handle(t.Context(), w, tasks) {
		if err := check.ValidateData(a.Type, a.Data); err != nil {
			t.Errorf("%s: %v", a.Data, err)
		}
		if a.Subject != anna || a.Source != "habeas/worker/shop" || a.ID != again[i].ID && !parse(t, a).Action.Destructive() || a.TraceParent != tasks[i].TraceParent || a.Time.IsZero() {
			t.Errorf("event %+v", a)
		}
		if r := parse(t, a); r.Action != parse(t, tasks[i]).Action {
			t.Errorf("answer %d is about %s", i, r.Action)
		}
	}
}
