package pgjournal_test

import (
	"context"
	"testing"
	"time"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/pgtest"
)

func open(t testing.TB, url string) *pgjournal.Store {
	t.Helper()
	s, err := pgjournal.Open(context.Background(), pgjournal.Config{URL: url, Poll: 10 * time.Millisecond})
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

// TestServer has all tests that can share a server.
func TestServer(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	t.Run("together", func(t *testing.T) { // so that the server outlives them
		for name, test := range map[string]func(*testing.T, *pgtest.Server){
			"DiskFull": diskFull, "CutConnections": cutConnections, "OpenedByManyAtOnce": openedByManyAtOnce, "Newer": newer,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, server)
			})
		}
		journaltest.Run(t, func(t *testing.T) *journaltest.Harness { return harness(t, server) })
	})
}

func harness(t *testing.T, server *pgtest.Server) *journaltest.Harness {
	url := server.Database(t)
	s := open(t, url)
	return &journaltest.Harness{
		Store:   s,
		Commits: s.Commits,
		Reopen: func(t *testing.T) journal.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, url)
		},
		Second: func(t *testing.T) journal.Store { return open(t, url) },
	}
}
