// Package open opens the journal that a URL names.
package open

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/migration"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/journal/sqlitejournal"
)

// Open opens a journal and brings its schema up to date:
//
//   - postgres://user@host:port/database, or postgresql://…: PostgreSQL;
//   - sqlite:///path/journal.db (sqlite:journal.db, relative), or a plain path:
//     a SQLite file, made where there is none.
//
// An error is one line that names the place and the cure, and no password.
func Open(ctx context.Context, where string) (journal.Store, error) {
	p, err := placeOf(where)
	switch {
	case err != nil:
		return nil, err
	case p.postgres != "":
		return store(pgjournal.Open(ctx, pgjournal.Config{URL: p.postgres}))
	default:
		return store(sqlitejournal.Open(ctx, sqlitejournal.Config{Path: p.file}))
	}
}

// PlanMigrations returns what Open would do to the tables of a journal, and changes nothing.
func PlanMigrations(ctx context.Context, where string) (migration.Plan, error) {
	p, err := placeOf(where)
	switch {
	case err != nil:
		return migration.Plan{}, err
	case p.postgres != "":
		return pgjournal.PlanMigrations(ctx, pgjournal.Config{URL: p.postgres})
	default:
		return sqlitejournal.PlanMigrations(ctx, sqlitejournal.Config{Path: p.file})
	}
}

// place is where a journal is: a URL of PostgreSQL, or a file.
type place struct{ postgres, file string }

func placeOf(where string) (place, error) {
	switch scheme, _, found := strings.Cut(where, ":"); {
	case where == "":
		return place{}, errors.New("journal: no place given; write sqlite:///path/journal.db or postgres://user@host:port/database")
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return place{postgres: where}, nil
	case found && scheme == "sqlite":
		path, err := sqlitePath(where)
		return place{file: path}, err
	case strings.Contains(where, "://"):
		return place{}, errors.New("journal: unknown kind " + scheme + "; write sqlite:///path/journal.db or postgres://user@host:port/database")
	}
	return place{file: where}, nil
}

// store returns a nil Store for a nil pointer, which would otherwise be a Store
// that isn't nil.
func store[S journal.Store](s S, err error) (journal.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

func sqlitePath(where string) (string, error) {
	u, err := url.Parse(where)
	switch {
	case err != nil:
		return "", errors.New("journal: the SQLite URL can't be read; write sqlite:///path/journal.db")
	case u.Host != "":
		return "", errors.New("journal: a SQLite URL has three slashes before an absolute path: sqlite:///path/journal.db")
	case u.Opaque != "":
		return url.PathUnescape(u.Opaque)
	case u.Path == "":
		return "", errors.New("journal: the SQLite URL names no file; write sqlite:///path/journal.db")
	}
	return u.Path, nil
}
