package sqlitejournal

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/pressly/goose/v3"
	"habeas.dev/services/internal/journal"
)

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the number of the newest file in migrations;
// TestSchemaVersion holds it there.
const schemaVersion = 8

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

// currentVersion reads the version from goose's table, without goose, which takes
// longer to start than the query does. An error other than a permanent one means:
// no version.
func currentVersion(ctx context.Context, db *sql.DB) (version int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&version)
	return version, err
}
