package worker_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
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
