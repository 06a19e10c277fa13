package lakesystem

import (
	"errors"
	"testing"
	"time"

	"habeas.dev/pkg/worker"
)

// TestWindow: erasures wait for the window's next beginning, all for the same, and are
// carried out in its first tenth.
func TestWindow(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "bob", ""), click("3", "carol", ""))
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	s := l.serve(webManifest(t, "lake: {}", "lake: {window: 24h}"), WithClock(func() time.Time { return now }))
	jobs := []*worker.EraseJob{{Job: account("anna"), Plan: l.plan(s, account("anna"))}, {Job: account("bob"), Plan: l.plan(s, account("bob"))}}
	var e *worker.Error
	if err := s.Erase(t.Context(), jobs); !errors.As(err, &e) {
		t.Fatalf("it doesn't wait: %v", err)
	}
	until, parked := e.Parked(now)
	if want := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC); !parked || !until.Equal(want) {
		t.Errorf("it waits until %s", until)
	}
	same(t, "what is left", l.ids("clicks", "click_id"), "1", "2", "3")
	now = until.Add(time.Minute)
	commits := func() int { return int(l.table("clicks").CurrentSnapshot().SequenceNumber) }
	before := commits()
	if err := s.Erase(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	same(t, "what is left", l.ids("clicks", "click_id"), "3")
	if n := commits() - before; n != 1 {
		t.Errorf("%d commits for one batch", n)
	}
}

// TestWindowOrSoManyWait: where the manifest says how many are enough, they are carried out in the
// next part of the window once so many wait, all in one pass, and before that nobody is.
func TestWindowOrSoManyWait(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.create("clicks", clicks())
	l.create("letters", letters())
	l.append("clicks", click("1", "anna", ""), click("2", "bob", ""), click("3", "carol", ""), click("4", "dave", ""))
	now := time.Date(2026, 11, 20, 3, 30, 0, 0, time.UTC)
	s := l.serve(webManifest(t, "lake: {}", "lake: {window: 24h, waiting: 3}"), WithClock(func() time.Time { return now }))
	job := func(id string) *worker.EraseJob {
		who := account(id)
		who.RequestID = id
		return &worker.EraseJob{Job: who, Plan: l.plan(s, who)}
	}
	parked := func(jobs ...*worker.EraseJob) time.Time {
		t.Helper()
		var e *worker.Error
		if err := s.Erase(t.Context(), jobs); !errors.As(err, &e) {
			t.Fatalf("at %s it doesn't wait: %v", now, err)
		}
		until, _ := e.Parked(now)
		return until
	}
	at := func(hour int) time.Time { return time.Date(2026, 11, 20, hour, 0, 0, 0, time.UTC) }
	anna, bob, carol := job("anna"), job("bob"), job("carol")
	if until := parked(anna); !until.Equal(at(6)) {
		t.Errorf("until %s", until)
	}
	for now = at(6); now.Before(at(18)); now = now.Add(3 * time.Hour) {
		if until := parked(anna, bob); !until.Equal(now.Add(3 * time.Hour)) { // who comes again is counted once
			t.Errorf("at %s until %s", now, until)
		}
	}
	now = at(18).Add(-time.Hour)
	if until := parked(carol); !until.Equal(at(18)) {
		t.Errorf("until %s", until)
	}
	now = at(18).Add(time.Minute)
	for _, jobs := range [][]*worker.EraseJob{{anna}, {bob, carol}} { // in more than one call, too
		if err := s.Erase(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "what is left", l.ids("clicks", "click_id"), "4")
	dave := job("dave")
	now = at(21)
	if until := parked(dave); !until.Equal(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("until %s", until)
	}
	now = time.Date(2026, 11, 21, 0, 1, 0, 0, time.UTC)
	if err := s.Erase(t.Context(), []*worker.EraseJob{dave}); err != nil {
		t.Errorf("the window's beginning: %v", err)
	}
}
