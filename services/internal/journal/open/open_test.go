package open_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/open"
	"habeas.dev/services/internal/pgtest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "new folder", "journal.db")
	for i, where := range []string{path, "sqlite://" + strings.ReplaceAll(path, " ", "%20")} {
		s, err := open.Open(context.Background(), where)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Append(context.Background(), journaltest.Simple("r", i)); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	s, err := open.Open(context.Background(), pgtest.Start(t).Database(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(context.Background(), journaltest.Simple("r", 0)); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, where := range []string{
		"", "sqlite:", "sqlite://", "sqlite://host/journal.db", "mysql://u:secret@h/d", "postgres://u:secret@127.0.0.1:1/d", "postgres://u:secret@h:port/d",
		"sqlite:///dev/null", "/", "/proc/none/journal.db",
	} {
		s, err := open.Open(context.Background(), where)
		if err == nil || s != nil {
			t.Errorf("%s: %v, %v", where, s, err)
			continue
		}
		if line := err.Error(); strings.Contains(line, "secret") || strings.Contains(line, "\n") {
			t.Errorf("%s: %q", where, line)
		} else {
			t.Log(line)
		}
	}
}
