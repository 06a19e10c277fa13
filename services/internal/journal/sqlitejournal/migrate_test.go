package sqlitejournal_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"habeas.dev/services/internal/journal/sqlitejournal"
)

// TestPlanMigrations: at every version the plan names the migrations that come, each only
// adds; it runs nothing, and makes no file.
func TestPlanMigrations(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "journal.db")
	p, err := sqlitejournal.PlanMigrations(ctx, sqlitejournal.Config{Path: path})
	if err != nil || len(p.Steps) != sqlitejournal.SchemaVersion {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
	files, err := fs.Sub(sqlitejournal.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at < sqlitejournal.SchemaVersion; at++ {
		for range 2 { // the first has changed nothing
			if p, err = sqlitejournal.PlanMigrations(ctx, sqlitejournal.Config{Path: path}); err != nil {
				t.Fatal(err)
			}
			if p.Schema != at || p.Newest != sqlitejournal.SchemaVersion || len(p.Steps) != int(p.Newest-at) {
				t.Fatalf("at %d: %+v", at, p)
			}
		}
		if s := p.Steps[0]; !s.Adds || s.What == "" {
			t.Errorf("%d %s: %q changes %q", s.Number, s.Name, s.What, s.Changes)
		}
		if _, err := provider.UpByOne(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if p, err = sqlitejournal.PlanMigrations(ctx, sqlitejournal.Config{Path: path}); err != nil || len(p.Steps) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}
