package sqlitejournal_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/sqlitejournal"
)

func open(t testing.TB, path string) *sqlitejournal.Store {
	t.Helper()
	s, err := sqlitejournal.Open(context.Background(), sqlitejournal.Config{Path: path, Poll: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) *journaltest.Harness {
		path := filepath.Join(t.TempDir(), "an odd ?#% name", "journal.db")
		s := open(t, path)
		return &journaltest.Harness{
			Store:   s,
			Commits: s.Commits,
			Reopen: func(t *testing.T) journal.Store {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				return open(t, path)
			},
			Second: func(t *testing.T) journal.Store { return open(t, path) },
		}
	})
}
