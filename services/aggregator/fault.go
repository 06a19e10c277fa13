package aggregator

import (
	"context"
	"errors"
	"io"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
)

const (
	// firstPark is how long a task waits where the vault or the outbox can't be
	// reached; it doubles each time, up to maxPark.
	firstPark = 5 * time.Second
	maxPark   = time.Hour
	// maxParks is how often that is done, since it was first sent or a person
	// retried it, before it is a failure for a person to look at: after about
	// two and a half hours.
	maxParks = 11
)

// outboxError is an error of the outbox: the disk is full, the store is away.
type outboxError struct{ err error }

func (e *outboxError) Error() string { return "outbox: " + e.err.Error() }
func (e *outboxError) Unwrap() error { return e.err }

// outboxWriter marks the errors of its writer as the outbox's.
type outboxWriter struct{ w io.Writer }

func (o outboxWriter) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		err = &outboxError{err}
	}
	return n, err
}

// unknownSystemError says that an answer names a system without a manifest.
type unknownSystemError struct{ system string }

func (e *unknownSystemError) Error() string { return "no manifest of system " + e.system }

// identifierError says that an identifier of the request doesn't open.
type identifierError struct{ err error }

func (e *identifierError) Error() string { return "identifier: " + e.err.Error() }
func (e *identifierError) Unwrap() error { return e.err }

// judged are the errors that trying again can't mend, in the order in which
// they are looked for. The reasons are for a support agent.
var judged = [...]struct {
	err          error
	code, reason string
}{
	{vault.ErrShredded, "keys-destroyed", "the request's keys were destroyed: there is nothing left to answer with"},
	{vault.ErrNoKeys, "no-keys", "the vault has no keys of the request, so it is older than the journal: restore a newer copy of its keys, then retry; or cancel the request, and have it sent again under a new id"},
	{vault.ErrNoObject, dsar.CodeObjectMissing, "an object that a system gathered isn't in the vault; let the system gather again"},
	{vault.ErrCorrupt, dsar.CodeObjectDamaged, "an object that a system gathered is damaged; let the system gather again"},
	{errLength, dsar.CodeObjectDamaged, "an object isn't as long as its system reported; let the system gather again"},
	{record.ErrTruncated, dsar.CodeObjectDamaged, "an object that a system gathered is cut short; let the system gather again"},
	{record.ErrMalformed, dsar.CodeObjectDamaged, "an object that a system gathered can't be read; let the system gather again"},
	{record.ErrTooLong, dsar.CodeObjectDamaged, "an object that a system gathered has a record that is too long"},
	{bundle.ErrInput, "not-a-bundle", "a name of a system or of the request can't be a file's name"},
	{bundle.ErrUndeclared, "undeclared", "a system gathered a dataset or column that its manifest doesn't declare; mend the manifest, or gather again"},
}

// lost reports whether an error says that an object is damaged or gone.
func lost(err error) bool {
	code, _ := judge(err)
	return isLost(code)
}

func isLost(code string) bool {
	return code == dsar.CodeObjectMissing || code == dsar.CodeObjectDamaged
}

// fault says what an error means for its task: it is for a person, or the task is
// parked, longer each time, until it is.
func fault(t core.AssembleTask, err error) error {
	if code, reason := judge(err); code != "" {
		return worker.Because(cause(err), worker.Permanent(code, reason, err))
	}
	code, reason := passing(err)
	if t.Parked >= maxParks {
		return worker.Permanent(code, reason+", again and again", err)
	}
	return worker.RetryAfter(parkFor(t.Parked), code, reason, err)
}

// cause says of which system an error is; the zero value where it is of none.
func cause(err error) (c dsar.Cause) {
	var system *unknownSystemError
	var src *bundle.SourceError
	switch {
	case errors.As(err, &system):
		c.System = system.system
	case errors.As(err, &src):
		c.System = src.System
	}
	return c
}

// passing gives the code and reason of an error that trying again may mend.
func passing(err error) (code, reason string) {
	var out *outboxError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "too-slow", "the bundle was not written in time"
	case errors.As(err, &out):
		return "outbox-unavailable", "the bundle could not be written to the outbox"
	default:
		return "vault-unavailable", "the vault could not be read"
	}
}

// judge gives the code and reason of an error that trying again can't mend.
func judge(err error) (code, reason string) {
	var system *unknownSystemError
	if errors.As(err, &system) {
		return "no-manifest", "no manifest of the system " + system.system + " is loaded"
	}
	for _, j := range judged {
		if !errors.Is(err, j.err) {
			continue
		}
		var id *identifierError
		if errors.As(err, &id) && errors.Is(j.err, vault.ErrCorrupt) {
			return "identifier-damaged", "an identifier of the request doesn't open with the request's keys"
		}
		var src *bundle.SourceError
		switch of := errors.As(err, &src); {
		case of && errors.Is(err, bundle.ErrFormer) && isLost(j.code):
			return core.CodeFormerLost, src.System + ": what stood in the corrected fields can't be read any more; restore it, or retry, and the answer is made without"
		case of:
			return j.code, src.System + ": " + j.reason
		}
		return j.code, j.reason
	}
	return "", ""
}

// parkFor returns the wait of a task that was parked so many times before.
func parkFor(parked int) time.Duration {
	wait := firstPark
	for i := 0; i < parked && wait < maxPark; i++ {
		wait *= 2
	}
	return min(wait, maxPark)
}
