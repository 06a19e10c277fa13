// Package open opens the journal that a URL names.
package open

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"habeas.dev/services/internal/journal"
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
	switch scheme, _, found := strings.Cut(where, ":"); {
	case where == "":
		return nil, errors.New("journal: no place given; write sqlite:///path/journal.db or postgres://user@host:port/database")
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return store(pgjournal.Open(ctx, pgjournal.Config{URL: where}))
	case found && scheme == "sqlite":
		path, err := sqlitePath(where)
		if err != nil {
			return nil, err
		}
		return store(sqlitejournal.Open(ctx, sqlitejournal.Config{Path: path}))
	case strings.Contains(where, "://"):
		return nil, errors.New("journal: unknown kind " + scheme + "; write sqlite:///path/journal.db or postgres://user@host:port/database")
	}
	return store(sqlitejournal.Open(ctx, sqlitejournal.Config{Path: where}))
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
