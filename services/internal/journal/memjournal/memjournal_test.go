package memjournal_test

import (
	"context"
	"errors"
	"testing"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/memjournal"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) *journaltest.Harness {
		return &journaltest.Harness{Store: memjournal.New(memjournal.Config{})}
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var at memjournal.Op
	var after bool
	s := memjournal.New(memjournal.Config{Fault: func(op memjournal.Op, a bool) error {
		if op == at && a == after {
			return broken
		}
		return nil
	}})
	ctx := context.Background()
	a := journaltest.Simple("r", 0)

	at, after = memjournal.OpAppend, false
	if err := s.Append(ctx, a); !errors.Is(err, broken) {
		t.Fatalf("before: %v", err)
	}
	if _, err := s.Row(ctx, "r"); !errors.Is(err, journal.ErrNotFound) {
		t.Fatalf("a fault before left something: %v", err)
	}
	after = true
	if err := s.Append(ctx, a); !errors.Is(err, broken) {
		t.Fatalf("after: %v", err)
	}
	if row, err := s.Row(ctx, "r"); err != nil || row.Version != 1 {
		t.Fatalf("a fault after undid it: %+v %v", row, err)
	}
	at = ""
	if err := s.Append(ctx, a); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("again: %v", err)
	}
}
