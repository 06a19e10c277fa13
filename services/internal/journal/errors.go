package journal

import (
	"errors"
	"fmt"

	"habeas.dev/pkg/telemetry"
)

// ErrConflict says that another process appended first: load the request again and
// decide again.
var ErrConflict = telemetry.Constant("journal: another change came first")

// ErrNotFound says that no such request is in the journal.
var ErrNotFound = telemetry.Constant("journal: no such request")

// ErrClosed says that the journal was closed before the call.
var ErrClosed = telemetry.Constant("journal: closed")

// ErrInvalid says that an append or a call breaks a limit or a rule of the
// port. Trying again doesn't help.
var ErrInvalid = telemetry.Constant("journal: invalid")

// ErrUnavailable says that the store can't be reached or can't write now: the
// disk is full, the server is down, the file is locked for too long. The same
// call works again when that has ended; what was journalled is safe. Every
// [StorageError] is one, unless it says that the store is damaged.
var ErrUnavailable = telemetry.Constant("journal: unavailable")

// ErrDamaged says that the store's own file is broken: restore it from a backup.
var ErrDamaged = telemetry.Constant("journal: damaged")

// UnreadableError names a row of which a cell can't be read: another program than this one
// wrote it. It matches [ErrDamaged] with errors.Is. The cell itself isn't in it.
type UnreadableError struct {
	Table string
	// Key tells the row among those of its table.
	Key string
	// Column is empty where the store doesn't tell.
	Column string
}

// Error returns one line. What names the row may be anything, and is quoted.
func (e *UnreadableError) Error() string {
	column := ""
	if e.Column != "" {
		column = " in the column " + e.Column
	}
	return fmt.Sprintf("journal: table %s, row %q: what stands%s can't be read; restore the row from a backup", e.Table, e.Key, column)
}

// Unwrap returns ErrDamaged.
func (e *UnreadableError) Unwrap() error { return ErrDamaged }

// StorageError describes a store that fails for a person: one line with the place,
// what is wrong and the cure. It matches [ErrUnavailable] or [ErrDamaged] with
// errors.Is.
type StorageError struct {
	Where   string // path of the file, or host and database; never a password
	What    string // what is wrong
	Cure    string // what a person can do
	Damaged bool
	Err     error // the driver's error
}

// Error returns the description in one line.
func (e *StorageError) Error() string {
	return fmt.Sprintf("journal %s: %s; %s", e.Where, e.What, e.Cure)
}

// Unwrap returns the driver's error and the kind.
func (e *StorageError) Unwrap() []error {
	kind := ErrUnavailable
	if e.Damaged {
		kind = ErrDamaged
	}
	return []error{kind, e.Err}
}

// Newer returns the error of a store whose schema a newer program has made; where
// is the file, or host and database.
func Newer(where string, schema, known int64) *StorageError {
	what := fmt.Sprintf("its schema has version %d, this program knows %d", schema, known)
	return &StorageError{Where: where, What: what, Cure: "run the program that made it, or a newer one", Err: errors.New(what)}
}
