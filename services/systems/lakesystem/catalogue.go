package lakesystem

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// Address is where a lake's catalogue is, and what opens it and the files.
type Address struct {
	// URL is the catalogue's: sqlite:///path, postgres://…, or the https:// address of a
	// REST catalogue.
	URL string
	// Name is what the catalogue is called; empty: lake.
	Name string
	// Credential is what a REST catalogue is asked for a token with: id:secret.
	Credential string
	// Properties are those of iceberg-go: warehouse, s3.endpoint, s3.region, …
	Properties map[string]string
}

// OpenCatalogue opens a catalogue; closing ends its connections. The error names no part of
// the address but its scheme.
func OpenCatalogue(ctx context.Context, at Address) (cat catalog.Catalog, closing func() error, err error) {
	scheme, rest, _ := strings.Cut(at.URL, "://")
	name := cmp.Or(at.Name, "lake")
	props := iceberg.Properties{}
	maps.Copy(props, at.Properties)
	switch scheme {
	case "sqlite":
		return openSQL(ctx, "sqlite", sqliteSource(rest), name, sqlcat.SQLite, props)
	case "postgres", "postgresql":
		return openSQL(ctx, "pgx", at.URL, name, sqlcat.Postgres, props)
	case "http", "https":
		return openREST(ctx, at, name, props)
	default:
		return nil, nil, fmt.Errorf("a catalogue of the kind %.20q isn't known: write sqlite:///path/of/catalogue.db, postgres://user@host/database, or the https:// address of a REST catalogue", scheme)
	}
}

// sqliteSource has a file, which must exist, wait for other writers, and readers not wait for
// them.
func sqliteSource(path string) string {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(wal)"}, "_txlock": {"immediate"}, "mode": {"rw"}}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

func openSQL(ctx context.Context, driver, source, name string, dialect sqlcat.SupportedDialect, props iceberg.Properties) (catalog.Catalog, func() error, error) {
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, nil, fmt.Errorf("the catalogue's address can't be read (%s)", dialect)
	}
	db.SetMaxOpenConns(maxConnections)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, nil, fmt.Errorf("%w (%s)", ErrUnreachable, dialect)
	}
	cat, err := sqlcat.NewCatalog(name, db, dialect, props)
	if err != nil {
		_ = db.Close()
		return nil, nil, fmt.Errorf("the catalogue's tables can't be read (%s): %w", dialect, unsaid(err))
	}
	return cat, db.Close, nil
}

func openREST(ctx context.Context, at Address, name string, props iceberg.Properties) (catalog.Catalog, func() error, error) {
	options := []rest.Option{rest.WithAdditionalProps(props)}
	if at.Credential != "" {
		options = append(options, rest.WithCredential(at.Credential))
	}
	if w := props["warehouse"]; w != "" {
		options = append(options, rest.WithWarehouseLocation(w))
	}
	cat, err := rest.NewCatalog(ctx, name, at.URL, options...)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (REST): %w", ErrUnreachable, unsaid(err))
	}
	return cat, func() error { return nil }, nil
}
