package sqlsystem

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"habeas.dev/pkg/worker"
)

// ErrUnreachable says that the database could not be asked when a System was to
// be made: it may be later, and nothing is said about the manifest.
var ErrUnreachable = errors.New("the database can't be reached")

// errNobody says that the database returned a row which, by what it holds, is
// nobody's of those asked for.
func errNobody(dataset string) error {
	return worker.Permanent("mismatch", "the database found a row in "+dataset+" that holds none of the identifiers asked for: the column compares texts in a way of its own", nil)
}

// reason is what kind of error a database gave.
type reason uint8

const (
	passing   reason = iota // it may be gone next time
	rowWrong                // the database refuses a row
	shape                   // a table or column isn't as it was
	forbidden               // a permission is missing
	readOnly                // nothing may be written, whatever it is
)

// explain words a database's error for a support agent. The error itself may
// quote what a row holds: it is wrapped, and so travels sealed.
func explain(err error) error {
	var typed *worker.Error
	switch {
	case err == nil, errors.As(err, &typed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	switch reasonOf(err) {
	case rowWrong:
		return worker.Permanent("refused", "the database refuses the change: other rows may refer to the person's, or a column doesn't take the value", err)
	case shape:
		return worker.Permanent("schema-changed", "a table or column isn't as the manifest says any more: correct the manifest, and start the worker again", err)
	case forbidden, readOnly:
		return worker.Permanent("no-permission", "the database doesn't let the worker do this: give its user the permission", err)
	default:
		return worker.Transient("database", "the database could not be asked", err)
	}
}

// refused tells whether an error is about a row, so that others may do better
// without it.
func refused(err error) bool { return reasonOf(err) == rowWrong }

func reasonOf(err error) reason {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return postgresReason(pg.Code)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return sqliteReason(lite)
	}
	return passing
}

// postgresReason reads an SQLSTATE (PostgreSQL's appendix A).
func postgresReason(code string) reason {
	switch {
	case code == "42501": // insufficient_privilege
		return forbidden
	case code == "25006": // read_only_sql_transaction
		return readOnly
	case strings.HasPrefix(code, "22"), strings.HasPrefix(code, "23"), code == "428C9": // data, integrity, a generated column
		return rowWrong
	case strings.HasPrefix(code, "42"):
		return shape
	default:
		return passing
	}
}

// sqliteReason reads a primary result code (sqlite.org/rescode.html).
func sqliteReason(err *sqlite.Error) reason {
	const (
		sqliteError      = 1 // the statement can't be prepared any more
		sqlitePerm       = 3
		sqliteReadOnly   = 8
		sqliteConstraint = 19
		sqliteMismatch   = 20
		sqliteAuth       = 23
	)
	switch err.Code() & 0xff {
	case sqliteConstraint, sqliteMismatch:
		return rowWrong
	case sqliteError:
		return shape
	case sqlitePerm, sqliteReadOnly, sqliteAuth: // of the file: SQLite forbids no single table
		return readOnly
	default:
		return passing
	}
}
