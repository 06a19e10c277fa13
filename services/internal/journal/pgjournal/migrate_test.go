package pgjournal_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"habeas.dev/services/internal/journal/migration"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/pgtest"
)

// TestPlanMigrations: at every version the plan names the migrations that come, each only
// adds, and what it says is locked is what PostgreSQL locks; and it runs nothing.
func TestPlanMigrations(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := pgtest.Shared(t).Database(t)
	files, err := fs.Sub(pgjournal.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	cc, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*cc)
	t.Cleanup(func() { _ = db.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) })
	for at := int64(0); ; at++ {
		p, err := pgjournal.PlanMigrations(ctx, pgjournal.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		if p.Schema != at || p.Newest != pgjournal.SchemaVersion || len(p.Steps) != int(p.Newest-at) {
			t.Fatalf("at %d: %+v", at, p)
		}
		if len(p.Steps) == 0 {
			break
		}
		s := p.Steps[0]
		if !s.Adds || s.What == "" {
			t.Errorf("%d %s: %q changes %q", s.Number, s.Name, s.What, s.Changes)
		}
		got := map[string]migration.Mode{}
		for _, l := range s.Locks {
			got[l.Table] = l.Mode
		}
		want := locked(t, conn, files, s)
		for table, mode := range want {
			if got[table] != mode {
				t.Errorf("%d %s: %s is locked for %q, and said to be for %q", s.Number, s.Name, table, mode, got[table])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d %s: said to be locked %v, locked %v", s.Number, s.Name, got, want)
		}
		if _, err := provider.UpByOne(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// locked runs a step, takes it back, and returns what tables that were there it locked.
func locked(t *testing.T, conn *pgx.Conn, files fs.FS, s migration.Step) map[string]migration.Mode {
	t.Helper()
	ctx := t.Context()
	names, err := fs.Glob(files, "*_"+s.Name+".sql")
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	text, err := fs.ReadFile(files, names[0])
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "-- +goose Up")
	body, _, _ = strings.Cut(body, "-- +goose Down")
	rows, err := conn.Query(ctx, "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'")
	if err != nil {
		t.Fatal(err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"BEGIN", body} {
		if _, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	defer func() { _, _ = conn.Exec(ctx, "ROLLBACK") }()
	found := map[string]migration.Mode{}
	for _, kind := range []struct {
		mode migration.Mode
		pg   []string
	}{{migration.Rows, []string{"RowExclusiveLock", "ShareUpdateExclusiveLock"}}, {migration.Write, []string{"ShareLock", "ShareRowExclusiveLock"}}, {migration.All, []string{"AccessExclusiveLock", "ExclusiveLock"}}} {
		rows, err := conn.Query(ctx, "SELECT DISTINCT c.relname::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.pid = pg_backend_pid() AND c.relname = ANY ($1) AND l.mode = ANY ($2) AND c.relnamespace = current_schema()::regnamespace", there, kind.pg)
		if err != nil {
			t.Fatal(err)
		}
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			found[table] = kind.mode
		}
	}
	return found
}
