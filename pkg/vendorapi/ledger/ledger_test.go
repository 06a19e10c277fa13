package ledger_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/vendorapi/ledger"
	"habeas.dev/pkg/vendorapi/ledger/internal/ledgertest"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	os.Exit(m.Run())
}

func TestMemory(t *testing.T) {
	t.Parallel()
	s := vendorapi.MemoryStore(time.Now)
	ledgertest.Run(t, func(*testing.T) vendorapi.Store { return s })
}

// places returns new stores that processes can share, by URL.
func places(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"SQLite": "sqlite://" + filepath.Join(t.TempDir(), "new folder", "vendors.db")}
	if where := os.Getenv("DATABASE_URL"); where != "" {
		all["PostgreSQL"] = schema(t, where)
	} else {
		t.Log("PostgreSQL is left out: DATABASE_URL is not set; make test-postgres sets it")
	}
	return all
}

// schema returns a new schema of a database, for the time of a test.
func schema(t *testing.T, where string) string {
	t.Helper()
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal("DATABASE_URL is not a URL") // the error would show its password
	}
	conn, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	if _, err := conn.Exec(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := conn.Exec(context.Background(), "DROP SCHEMA "+name+" CASCADE")
		if err := errors.Join(err, conn.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func open(t *testing.T, where string) ledger.Store {
	t.Helper()
	s, err := ledger.Open(t.Context(), where)
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

func TestShared(t *testing.T) {
	t.Parallel()
	for name, where := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledgertest.Run(t, func(t *testing.T) vendorapi.Store { return open(t, where) })
		})
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"mysql://u:secret@h/d", "sqlite://", "sqlite://host/x.db", "postgres://u:secret@h:port/d", "postgres://u:secret@127.0.0.1:1/d?connect_timeout=1", "/proc/none/x.db"} {
		s, err := ledger.Open(t.Context(), where)
		if err == nil || s != nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", where, err)
		}
	}
	for _, where := range []string{"", "memory"} {
		if s, err := ledger.Open(t.Context(), where); err != nil || s.Close() != nil {
			t.Error(err)
		}
	}
}
