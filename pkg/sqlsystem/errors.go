package sqlsystem

import (
	"context"
	"errors"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/worker"
)

// ErrUnreachable says that the database could not be asked when a System was to
// be made: it may be later, and nothing is said about the manifest.
var ErrUnreachable = telemetry.Constant("the database can't be reached")

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
	login                   // the database lets nobody in by this name and password
	pooler                  // a pooler stands between, and is set otherwise than the connection
	broken                  // the database's file is damaged, or none
)

// undone is why something was undone that the database took, or would take: what it comes to
// isn't what was asked for.
type undone interface {
	error
	// said words it for a support agent.
	said() error
}

// explain words a database's error for a support agent. The error itself may
// quote what a row holds: it is wrapped, and so travels sealed.
func (s *System) explain(err error) error {
	var typed *worker.Error
	switch {
	case err == nil, errors.As(err, &typed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if over := (*overreach)(nil); errors.As(err, &over) {
		return worker.Because(over.cause, worker.Permanent("reach", over.reason, err))
	}
	if no := undone(nil); errors.As(err, &no) {
		return no.said()
	}
	if no := (*denied)(nil); errors.As(err, &no) {
		return worker.Because(*no.cause(), worker.Permanent("no-permission", no.reason(), err))
	}
	return worker.Because(s.cause(err), s.worded(err))
}

// worded words an error of a database by what kind it is.
func (s *System) worded(err error) error {
	switch reasonOf(err) {
	case rowWrong:
		return worker.Permanent("refused", s.refusal(err), err)
	case shape:
		return worker.Permanent("schema-changed", "a table or column"+s.about(err)+" isn't as the manifest says any more: correct the manifest, and start the worker again", err)
	case forbidden:
		return worker.Permanent("no-permission", "the database doesn't let the worker do this"+s.about(err)+": give its user the permission", err)
	case readOnly:
		return worker.Permanent("no-permission", "the database takes no changes from the worker: it is read-only, or a replica; name the server that is written to", err)
	case login:
		return worker.Permanent("no-permission", "the database lets nobody in by the worker's name and password: correct its data source", err)
	case pooler:
		return worker.Permanent("pooler", poolerCure, err)
	case broken:
		return worker.Permanent("damaged", "the database's file is damaged, or isn't a database: restore it", err)
	default:
		return worker.Transient("database", "the database could not be asked", err)
	}
}

// poolerCure is what helps where a pooler hands each transaction to another
// connection of the server (PgBouncer's pool_mode transaction).
const poolerCure = "a pooler between the worker and the database doesn't keep what the connection relies on: set default_query_exec_mode=exec in the data source, take search_path, statement_timeout and options out of it, and name the schema in the manifest's sql.schema"

// refused reports whether an error is about a row, so that others may do better
// without it.
func refused(err error) bool { return reasonOf(err) == rowWrong }

// reasonOf returns what kind of error it is. One that no database gave, or none that is
// known, may be over next time.
func reasonOf(err error) reason {
	for _, d := range dialects() {
		if r, known := d.reason(err); known {
			return r
		}
	}
	if short, over, no := (*shortfall)(nil), (*overreach)(nil), undone(nil); errors.As(err, &short) || errors.As(err, &over) || errors.As(err, &no) {
		return rowWrong
	}
	return passing
}
