package pgjournal

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"habeas.dev/services/internal/journal"
)

// The classes of errors that are told apart, by SQLSTATE.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	stateDiskFull       = "53100"
	stateTooMany        = "53300"
	stateReadOnly       = "25006"
	stateDeadlock       = "40P01"
	stateSerialization  = "40001"
	stateNoDatabase     = "3D000"
	classAuthorization  = "28"
	classPrivilege      = "42501"
	classData           = "22" // a value that doesn't fit
	classIntegrity      = "23" // a constraint
	classLimits         = "54" // too complex, too many arguments
	classOperator       = "57" // shut down, cancelled, starting up
	classConnection     = "08"
	stateCorrupted      = "XX001"
	stateIndexCorrupted = "XX002"
)

// state returns the SQLSTATE of a server's error, "" where err isn't one.
func state(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// lost reports whether the connection broke, so that another may do.
func lost(err error) bool {
	s := state(err)
	if s == "" {
		return err != nil && !errors.Is(err, journal.ErrTree) && !errors.Is(err, journal.ErrDamaged) && !errors.Is(err, journal.ErrConflict) && !errors.Is(err, context.Canceled) && !errors.Is(err, journal.ErrClosed)
	}
	return strings.HasPrefix(s, classConnection) || strings.HasPrefix(s, classOperator)
}

// explain turns an error into one line that names the database and the cure.
// The driver's own text isn't in it: it may hold values.
func (s *Store) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var known *journal.StorageError
	var cell *journal.UnreadableError
	if errors.As(err, &known) || errors.As(err, &cell) || errors.Is(err, journal.ErrClosed) {
		return err
	}
	if s.isClosed() {
		return journal.ErrClosed
	}
	e := &journal.StorageError{Where: s.where, Err: err}
	code := state(err)
	switch {
	case errors.Is(err, journal.ErrTree):
		e.What, e.Cure, e.Damaged = journal.LostTree, journal.LostTreeCure, true
	case code == "":
		e.What, e.Cure = "PostgreSQL can't be reached", "start it, or correct its address: it goes on by itself then"
	case strings.HasPrefix(code, classOperator), strings.HasPrefix(code, classConnection):
		e.What, e.Cure = "PostgreSQL is shutting down or starting", "it goes on by itself when the server is back"
	case code == stateDiskFull:
		e.What, e.Cure = "PostgreSQL's disk is full, nothing was written", "free some space there: it goes on by itself then"
	case code == stateTooMany:
		e.What, e.Cure = "PostgreSQL takes no more connections", "raise max_connections, or lower pool_max_conns in the URL"
	case code == stateReadOnly:
		e.What, e.Cure = "PostgreSQL is read-only here", "name the primary, or end the server's read-only mode"
	case code == stateNoDatabase:
		e.What, e.Cure = "there is no such database", "create it"
	case strings.HasPrefix(code, classAuthorization), code == classPrivilege:
		e.What, e.Cure = "PostgreSQL refuses this user", "grant the user what is missing, or correct user and password"
	case code == stateCorrupted, code == stateIndexCorrupted:
		e.What, e.Cure, e.Damaged = "PostgreSQL reports damaged data", "see the server's log; restore from a backup", true
	default:
		e.What, e.Cure = "PostgreSQL answers with SQLSTATE "+code, "see the server's log"
	}
	return e
}

// ofRow returns the error of reading a row: where a cell isn't what its column holds, an
// [journal.UnreadableError] that names the row.
func ofRow(table, key string, err error) error {
	var cell pgx.ScanArgError
	if !errors.As(err, &cell) {
		return err
	}
	return &journal.UnreadableError{Table: table, Key: key, Column: cell.FieldName}
}
