package sqlitejournal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/pressly/goose/v3"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/migration"
)

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the number of the newest file in migrations;
// TestSchemaVersion holds it there.
const schemaVersion = 10

// migrate brings the file's schema up to date. Several processes may try at
// once: a migration is a transaction, so that one of them makes it and the
// others, failing on what is already there, look again and find it made.
func migrate(ctx context.Context, path string, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	const tries = 20
	wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(10*time.Millisecond), backoff.WithMaxInterval(time.Second))
	return backoff.Retry(func() error {
		version, err := currentVersion(ctx, db)
		switch {
		case err != nil && permanent(err):
			return backoff.Permanent(err)
		case version == schemaVersion:
			return nil
		case version > schemaVersion:
			return backoff.Permanent(journal.Newer(path, version, schemaVersion))
		}
		provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return backoff.Permanent(err)
		}
		if _, err = provider.Up(ctx); err != nil && permanent(err) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(backoff.WithMaxRetries(wait, tries), ctx))
}

// PlanMigrations returns what Open would do to a file's tables, and changes nothing: where there
// is no file, none is made. A journal that is newer than this program is an error that names
// the cure. Whatever a migration locks, SQLite locks the whole file for who writes.
func PlanMigrations(ctx context.Context, cfg Config) (migration.Plan, error) {
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return migration.Plan{}, fmt.Errorf("journal %s: %w", cfg.Path, err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return migration.Plan{}, err
	}
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return migration.Read(files, 0, nil)
	}
	db, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return migration.Plan{}, explain(path, err)
	}
	defer db.Close()
	version, err := currentVersion(ctx, db)
	switch {
	case err != nil && permanent(err):
		return migration.Plan{}, explain(path, err)
	case version > schemaVersion:
		return migration.Plan{}, journal.Newer(path, version, schemaVersion)
	}
	sizes, err := tableSizes(ctx, db)
	if err != nil {
		return migration.Plan{}, explain(path, err)
	}
	return migration.Read(files, version, migration.Tables(sizes))
}

// currentVersion reads the version from goose's table, without goose, which takes
// longer to start than the query does. An error other than a permanent one means:
// no version.
func currentVersion(ctx context.Context, db *sql.DB) (version int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&version)
	return version, err
}
