// Package ledger keeps what the processes that call a vendor account share, for
// package vendorapi: in memory for one process, in SQLite for those of one
// machine, in PostgreSQL for those of many. Its three stores pass one suite,
// ledgertest.
//
// What is kept is counts and times: no secret and nothing of anybody.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package ledger

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"habeas.dev/pkg/vendorapi"
)

// Store is a [vendorapi.Store] that is closed at the end.
type Store interface {
	vendorapi.Store
	Close() error
}

// Open opens the store that a URL names, and makes its table where there is
// none:
//
//   - postgres://user@host:port/database, or postgresql://…: PostgreSQL. The
//     journal's database does.
//   - sqlite:///path/vendors.db, or a plain path: a SQLite file, for all
//     processes of one machine.
//   - memory: for one process, and gone with it.
//
// An error is one line that names the place and the cure, and no password.
//
// Updates of one account that come at once share a transaction.
func Open(ctx context.Context, where string) (Store, error) {
	switch scheme, rest, found := strings.Cut(where, ":"); {
	case where == "" || where == "memory":
		return ofProcess{vendorapi.MemoryStore(time.Now)}, nil
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return group(openPostgres(ctx, where))
	case found && scheme == "sqlite":
		u, err := url.Parse(where)
		if err != nil || u.Host != "" || strings.Trim(rest, "/") == "" {
			return nil, errors.New("vendors' limits: write sqlite:///path/vendors.db, with three slashes before an absolute path")
		}
		if u.Opaque != "" {
			return group(openSQLite(ctx, u.Opaque))
		}
		return group(openSQLite(ctx, u.Path))
	case strings.Contains(where, "://"):
		return nil, errors.New("vendors' limits: unknown kind " + scheme + "; write sqlite:///path/vendors.db or postgres://user@host:port/database")
	}
	return group(openSQLite(ctx, where))
}
