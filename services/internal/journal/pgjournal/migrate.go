package pgjournal

import (
	"context"
	"embed"
	"errors"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/migration"
)

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the number of the newest file in migrations;
// TestSchemaVersion holds it there.
const schemaVersion = 13

// migrate brings the schema up to date. Of several processes that start at once
// one does it and the others wait, by an advisory lock on the schema's name.
func (s *Store) migrate(ctx context.Context) error {
	if done, err := s.upToDate(ctx); done || err != nil {
		return err
	}
	lock, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer lock.Release()
	const key = "hashtextextended('habeas.journal.migrate ' || current_schema(), 0)"
	if _, err := lock.Exec(ctx, "SELECT pg_advisory_lock("+key+")"); err != nil {
		return err
	}
	defer lock.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock("+key+")") //nolint:errcheck // the connection's end unlocks too
	if done, err := s.upToDate(ctx); done || err != nil {
		return err
	}
	files, err := migrationFiles()
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func migrationFiles() (fs.FS, error) { return fs.Sub(migrations, "migrations") }

// PlanMigrations returns what Open would do to the tables, and changes nothing. A journal that
// is newer than this program is an error that names the cure.
func PlanMigrations(ctx context.Context, cfg Config) (migration.Plan, error) {
	s, err := connect(ctx, cfg)
	if err != nil {
		return migration.Plan{}, err
	}
	defer s.pool.Close()
	p, err := s.plan(ctx)
	return p, s.explain(ctx, err)
}

func (s *Store) plan(ctx context.Context) (migration.Plan, error) {
	version, err := s.version(ctx)
	switch {
	case err != nil:
		return migration.Plan{}, err
	case version > schemaVersion:
		return migration.Plan{}, journal.Newer(s.where, version, schemaVersion)
	}
	sizes, err := s.tableSizes(ctx)
	if err != nil {
		return migration.Plan{}, err
	}
	files, err := migrationFiles()
	if err != nil {
		return migration.Plan{}, err
	}
	return migration.Read(files, version, migration.Tables(sizes))
}

// undefinedTable is the SQLSTATE of a table that isn't there.
const undefinedTable = "42P01"

// upToDate reports whether goose's table has the newest migration.
func (s *Store) upToDate(ctx context.Context) (bool, error) {
	version, err := s.version(ctx)
	if err == nil && version > schemaVersion {
		err = journal.Newer(s.where, version, schemaVersion)
	}
	return version == schemaVersion, err
}

// version returns the newest migration that goose's table has; 0 where there is none.
func (s *Store) version(ctx context.Context) (version int64, err error) {
	err = s.pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&version)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == undefinedTable || errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return version, err
}
