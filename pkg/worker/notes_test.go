package worker_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/worker"
)

const drifted = "the table people has columns that the manifest doesn't declare: shoe_size"

// noter is an implementation that has something to note.
type noter struct {
	impl
	notes []string
}

func (n noter) Notes() (notes []worker.Note) {
	for _, text := range n.notes {
		notes = append(notes, worker.Note{Text: text, Cause: dsar.Cause{Code: dsar.CodeUndeclaredColumn, Table: "people", Columns: []string{"shoe_size"}}})
	}
	return notes
}

// TestNotesWhateverBecomesOfATask: what a worker notes of its system stands in
// every report of a task that isn't at it any more.
func TestNotesWhateverBecomesOfATask(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	check, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		gather func(*worker.Records) error
		kind   dsar.ReportKind
	}{
		"ended":      {func(*worker.Records) error { return nil }, dsar.ReportEnded},
		"incomplete": {func(out *worker.Records) error { out.Uncovered("scores", forbidden, dsar.Cause{}); return nil }, dsar.ReportEnded},
		"failed":     {func(*worker.Records) error { return worker.Permanent("no-permission", "grant it", nil) }, dsar.ReportFailed},
		"parked": {func(*worker.Records) error { return worker.RetryAfter(time.Hour, "quota", "it is spent", nil) },
			dsar.ReportParked},
		"down":     {func(*worker.Records) error { return errVendor }, dsar.ReportParked},
		"panicked": {func(*worker.Records) error { panic("oops") }, dsar.ReportParked},
	} {
		i := impl{gather: func(_ context.Context, _ worker.Task, out *worker.Records) error { return c.gather(out) }}
		w := newWorker(t, gatherOnly(), noter{i, []string{drifted}})
		e := v.Handle(t.Context(), w, []event.Event{task(t, v, anna, dsar.Gather)})[0]
		if err := check.ValidateData(e.Type, e.Data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r := parse(t, e); r.Kind != c.kind || !slices.Equal(r.Notes, []string{drifted}) || len(r.Findings) != 1 || r.Findings[0].Columns[0] != "shoe_size" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// A task that no call is made for.
	w := newWorker(t, gatherOnly(), noter{impl{}, []string{drifted}})
	r := handle(t, w, v, task(t, v, anna, dsar.Gather, func(tk *dsar.Task) { tk.Identifiers = tk.Identifiers[:0] }))[0]
	if r.Outcome != dsar.NotApplicable || !slices.Equal(r.Notes, []string{drifted}) {
		t.Errorf("not applicable: %+v", r)
	}
}

// TestNotesSayNothingOfThePerson: they travel in the open, in one line each, no
// more of them than a report takes.
func TestNotesSayNothingOfThePerson(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	notes := []string{"a column holds " + strings.ToUpper(address(anna)), "two\nlines", strings.Repeat("long ", 100)}
	for range worker.MaxNotes {
		notes = append(notes, "more")
	}
	w := newWorker(t, gatherOnly(), noter{impl{gather: func(context.Context, worker.Task, *worker.Records) error { return nil }}, notes})
	got := handle(t, w, v, task(t, v, anna, dsar.Gather))[0].Notes
	if len(got) != worker.MaxNotes || strings.Contains(strings.ToLower(got[0]), address(anna)) || got[1] != "two lines" || len(got[2]) > worker.MaxReason || got[3] != "more" {
		t.Errorf("%q", got)
	}
}
