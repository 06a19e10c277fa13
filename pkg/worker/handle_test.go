package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

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
		value, err := keys.Open(id.Sealed, vault.Identifier)
		print, _ := keys.Fingerprint("account_id", want)
		from, _ := keys.Fingerprint("email", address(anna))
		if err != nil || string(value) != want || id.Fingerprint != print || id.From != from {
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
		action  dsar.Action
		counts  []dsar.Counts
		want    dsar.Outcome
		planned []worker.Entry
	}{
		{dsar.Plan, nil, dsar.NothingFound, nil},
		{dsar.Plan, []dsar.Counts{{Dataset: "profile"}}, dsar.NothingFound, nil},
		{dsar.Plan, []dsar.Counts{{Dataset: "profile", Found: 2, Retained: tax}}, dsar.Found, nil},
		{dsar.Prove, nil, dsar.Proven, nil},
		{dsar.Prove, []dsar.Counts{{Dataset: "profile", Found: 2, Retained: tax}}, dsar.Proven, nil},
		{dsar.Prove, []dsar.Counts{{Dataset: "profile", Found: 3, Retained: tax}}, dsar.Found, nil},
		{dsar.Erase, nil, dsar.NothingFound, nil},
		{dsar.Erase, []dsar.Counts{{Dataset: "profile", Erased: 1}}, dsar.Erased, []worker.Entry{{Dataset: "profile", Key: "1"}}},
		{dsar.Erase, []dsar.Counts{{Dataset: "profile", Erased: 1}, {Dataset: "scores", Anonymised: 1}}, dsar.Anonymised, []worker.Entry{{Dataset: "profile", Key: "1"}, {Dataset: "scores", Key: "1"}}},
		{dsar.Erase, []dsar.Counts{{Dataset: "profile", Erased: 1, Retained: tax}}, dsar.Retained, []worker.Entry{{Dataset: "profile", Key: "1"}, {Dataset: "profile", Key: "2"}, {Dataset: "profile", Key: "3"}}},
		{dsar.Rectify, []dsar.Counts{{Dataset: "profile", Rectified: 1}}, dsar.Rectified, nil},
		{dsar.Rectify, nil, dsar.NothingFound, nil},
		{dsar.Restrict, []dsar.Counts{{Dataset: "profile", Restricted: 1}}, dsar.Restricted, nil},
		{dsar.Restrict, nil, dsar.NothingFound, nil},
	} {
		v := newVault(t)
		give := func(context.Context, worker.Task) ([]dsar.Counts, error) { return c.counts, nil }
		w := newWorker(t, shop(), impl{plan: give, erase: give, restrict: give,
			rectify: func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error) { return c.counts, nil }})
		e := task(t, v, anna, c.action, func(tk *dsar.Task) {
			tk.Right = dsar.Restriction
			tk.Details = details(t, v, anna, event.Details{Corrections: []event.Correction{{Column: "city", Value: "Nice"}}})
			if c.action == dsar.Erase {
				tk.Plan = workertest.LeavePlan(t, v, "shop", anna, c.planned...)
			}
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
		"gone":          {[]dsar.Counts{{Dataset: "profile", Gone: 1}}, "bad-counts"},
		"negative":      {[]dsar.Counts{{Dataset: "profile", Found: -1}}, "bad-counts"},
		"twice":         {[]dsar.Counts{{Dataset: "profile"}, {Dataset: "profile"}}, "bad-counts"},
		"more retained": {[]dsar.Counts{{Dataset: "profile", Found: 1, Retained: []dsar.Retention{{Records: 2, Ground: "tax-records"}}}}, "bad-counts"},
		"bad ground":    {[]dsar.Counts{{Dataset: "profile", Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "Anna asked"}}}}, "bad-ground"},
	} {
		v := newVault(t)
		w := newWorker(t, shop(), impl{plan: func(context.Context, worker.Task) ([]dsar.Counts, error) { return c.counts, nil }})
		if r := handle(t, w, v, task(t, v, anna, dsar.Prove))[0]; r.Code != c.code || r.Kind != dsar.ReportFailed {
			t.Errorf("%s: report %+v", name, r)
		}
	}
}

func TestCountsAreInTheManifestsOrder(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	own := []dsar.Counts{{Dataset: "scores", Found: 1}, {Dataset: "profile", Found: 2}}
	w := newWorker(t, shop(), impl{plan: func(context.Context, worker.Task) ([]dsar.Counts, error) { return own, nil }})
	r := handle(t, w, v, task(t, v, anna, dsar.Prove))[0]
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
	if r := with(); r.Kind != dsar.ReportFailed || r.Code != "nothing-to-correct" {
		t.Errorf("report %+v", r)
	}
}

// TestFormerValues: what stood in the fields is in the vault before they are corrected, each
// value once; where it can't be read, the correction is made all the same, and where reading
// it fails for now, nothing is changed.
func TestFormerValues(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var broken error
	corrected := 0
	w := newWorker(t, shop(), impl{
		gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
			if out.Wants("scores") || !out.Wants("profile") {
				t.Error("what isn't corrected is gathered")
			}
			for _, city := range []string{"Paris", "PARIS", "Paris"} {
				if err := out.Write("profile", record.Record{"city": city, "email": address(anna)}); err != nil {
					return err
				}
			}
			return broken
		},
		rectify: func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error) {
			corrected++
			return []dsar.Counts{{Dataset: "profile", Found: 3, Rectified: 3}}, nil
		},
	})
	for i, c := range []struct {
		broken  error
		want    string
		changed bool
	}{
		{nil, `["city","Paris","Lyon",2]["city","PARIS","Lyon",1]`, true},
		{worker.Permanent("no-permission", "it may not be read", nil), "", true},
		{worker.RetryAfter(time.Hour, "down", "it is down", nil), "", false},
	} {
		broken, corrected = c.broken, 0
		r := handle(t, w, v, task(t, v, anna, dsar.Rectify, func(tk *dsar.Task) {
			tk.Attempt = i + 1
			tk.Details = details(t, v, anna, event.Details{Corrections: []event.Correction{{Dataset: "profile", Column: "city", Value: "Lyon"}}})
		}))[0]
		got := ""
		for _, o := range r.Objects {
			got += rowsOf(t, v, o)
		}
		if got != c.want || (corrected == 1) != c.changed || (r.Outcome == dsar.Rectified) != c.changed {
			t.Errorf("%v: %q, corrected %d times, %s %s", c.broken, got, corrected, r.Kind, r.Outcome)
		}
	}
}

// rowsOf returns the rows of an object that a worker left.
func rowsOf(t *testing.T, v *workertest.Desk, o dsar.Object) string {
	t.Helper()
	keys, err := v.Keys(t.Context(), anna)
	if err != nil {
		t.Fatal(err)
	}
	key, err := keys.ObjectKey(vault.ScopeOf(o.Name))
	if err != nil {
		t.Fatal(err)
	}
	in, err := v.Open(t.Context(), key, o.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	rows := ""
	rd := record.NewReader(in)
	for {
		if _, err := rd.Next(); err != nil {
			return rows
		}
		for {
			row, err := rd.Row()
			if err != nil {
				break
			}
			line, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			rows += string(line)
		}
	}
}

func TestOnlyNeededIdentifiersAreOpened(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	w := newWorker(t, gatherOnly(), impl{gather: func(_ context.Context, tk worker.Task, _ *worker.Records) error {
		if len(tk.Identifiers) != 1 || tk.Identifiers[0] != (worker.Identifier{Type: "email", Value: address(anna), Assurance: dsar.AssuranceVerified}) {
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
