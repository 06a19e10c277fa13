package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/reconcile"
)

// TestMarks: a journal that was marked fewer times than the mirror says comes from a backup, and
// that stays so until it was reconciled, whoever looks; the newest one doesn't, however many
// coordinators mark it. A mark that nobody of ours has written stops nothing.
func TestMarks(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	v, err := vault.InMemory(ctx)
	if err != nil {
		t.Fatal(err)
	}
	mirror := memblob.OpenBucket(nil)
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	on := func(j journal.Store, m *blob.Bucket) reconcile.Marks {
		return reconcile.Marks{Journal: j, Mirror: m, Vault: v, Now: func() time.Time { return now }}
	}
	copied := func(j journal.Store) journal.Store {
		c := memjournal.New(memjournal.Config{})
		text, _, err := j.Note(ctx, "mark")
		if err == nil {
			err = c.SetNote(ctx, "mark", text, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	newest := memjournal.New(memjournal.Config{})
	look := func(j journal.Store) {
		t.Helper()
		if err := on(j, mirror).Look(ctx); err != nil {
			t.Fatal(err)
		}
	}
	look(newest)
	backup := copied(newest)
	if err := on(copied(newest), mirror).Compare(ctx); err != nil { // of the moment of the last mark
		t.Errorf("nothing says that it is older: %v", err)
	}
	for range 3 {
		now = now.Add(reconcile.MarkEvery)
		look(newest)
	}
	var due *reconcile.DueError
	if err := on(backup, mirror).Compare(ctx); !errors.As(err, &due) || reconcile.Due(ctx, backup) != nil {
		t.Errorf("compared: %v", err)
	}
	for range 2 {
		if err := on(backup, mirror).Look(ctx); !errors.As(err, &due) || !due.Since.Equal(time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)) {
			t.Errorf("looked at: %v", err)
		}
	}
	if err := reconcile.Due(ctx, backup); !errors.As(err, &due) {
		t.Errorf("it isn't kept: %v", err)
	}
	if err := on(backup, mirror).Done(ctx); err != nil {
		t.Fatal(err)
	}
	done := now
	now = now.Add(reconcile.MarkEvery)
	look(backup)
	for j, want := range map[journal.Store]time.Time{backup: done, newest: {}} { // marks don't lose it
		if at, err := reconcile.LastDone(ctx, j); err != nil || !at.Equal(want) {
			t.Errorf("it was reconciled at %s, want %s: %v", at, want, err)
		}
	}
	look(backup)
	if err := on(newest, mirror).Look(ctx); !errors.As(err, &due) {
		t.Errorf("the one that it was restored from goes on beside it: %v", err)
	}

	forged := memblob.OpenBucket(nil)
	if err := forged.WriteAll(ctx, "journal/mark", []byte(`{"n":1000,"at":"2026-11-20T09:30:00Z","mac":"00"}`), nil); err != nil {
		t.Fatal(err)
	}
	if err := on(memjournal.New(memjournal.Config{}), forged).Look(ctx); err != nil {
		t.Errorf("a stranger's mark: %v", err)
	}
}

// TestReplay: what is told again is what was told, from the time on, with all that is behind it.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	again := topic{}
	r := reconcile.Replay{Journal: w.Journal, Vault: w.Vault, Next: again}
	facts, requests, err := r.Since(t.Context(), time.Time{})
	if err != nil || requests != 3 || facts != len(w.topic[event.TopicEvents]) {
		t.Fatalf("%d facts of %d requests, %v", facts, requests, err)
	}
	// A journal that lost everything is whole again by it.
	c := w.config(w.tape.backup(t, 0, nil))
	c.Topics = again
	if _, err := reconcile.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	w.whole(t, c.Journal, first, second, third)
	w.Now = w.Now.AddDate(0, 0, 1)
	w.Request("3e5ff6eb-9d3b-4b29-8f66-2b8b6e4c7b32", dsar.Access, "lea@example.com")
	if _, requests, err = r.Since(t.Context(), w.Now.Add(-time.Hour)); err != nil || requests != 1 {
		t.Errorf("since the last: of %d requests, %v", requests, err)
	}
}
