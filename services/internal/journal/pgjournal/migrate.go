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
)

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the number of the newest file in migrations;
// TestSchemaVersion holds it there.
const schemaVersion = 10

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
	files, err := fs.Sub(migrations, "migrations")
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

// undefinedTable is the SQLSTATE of a table that isn't there.
const undefinedTable = "42P01"

// upToDate reports whether goose's table has the newest migration.
func (s *Store) upToDate(ctx context.Context) (bool, error) {
	var version int64
	err := s.pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&version)
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && pg.Code == undefinedTable, errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case version > schemaVersion:
		return false, journal.Newer(s.where, version, schemaVersion)
	}
	return version == schemaVersion, nil
}
