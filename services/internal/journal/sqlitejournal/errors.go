package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"habeas.dev/services/internal/journal"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// code returns the primary result code of SQLite's error, 0 where err isn't one.
// https://sqlite.org/rescode.html
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// permanent reports whether the file can't be used, however often one tries.
func permanent(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM:
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// explain turns SQLite's error into one line that names the file and the cure.
func explain(path string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var known *journal.StorageError
	var cell *journal.UnreadableError
	if errors.As(err, &known) || errors.As(err, &cell) || errors.Is(err, journal.ErrClosed) {
		return err
	}
	if errors.Is(err, sql.ErrConnDone) || err.Error() == "sql: database is closed" {
		return journal.ErrClosed
	}
	e := &journal.StorageError{Where: path, Err: err}
	if errors.Is(err, journal.ErrTree) {
		e.What, e.Cure, e.Damaged = journal.LostTree, journal.LostTreeCure, true
		return e
	}
	switch code(err) {
	case sqlite3.SQLITE_FULL:
		e.What, e.Cure = "the disk is full, nothing was written", "free some space: it goes on by itself then"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		e.What, e.Cure = "it can't be written", "make the file and its folder writable for the user that runs this"
	case sqlite3.SQLITE_CANTOPEN:
		e.What, e.Cure = "it can't be opened", "make its folder exist and be readable and writable for the user that runs this"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		e.What, e.Cure = "another process has held its lock for over "+busyTimeout.String(), "look for a process that hangs with the file open"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		e.What, e.Cure = "the file is damaged: cut short, or overwritten", "restore it from a backup, together with its -wal file; it was left as it is"
		e.Damaged = true
	case sqlite3.SQLITE_IOERR:
		e.What, e.Cure = "the disk gave an error", "check the disk and the system's log"
	default:
		e.What, e.Cure = err.Error(), "see the log"
	}
	return e
}

// ofRow returns the error of reading a row: where a cell isn't what its column holds, an
// [journal.UnreadableError] that names the row.
func ofRow(table, key string, err error) error {
	// database/sql has no type for it (convertAssignRows).
	_, rest, ok := strings.Cut(errorText(err), "sql: Scan error on column index ")
	if !ok {
		return err
	}
	_, column, _ := strings.Cut(rest, `name "`)
	column, _, _ = strings.Cut(column, `"`)
	return &journal.UnreadableError{Table: table, Key: key, Column: column}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
