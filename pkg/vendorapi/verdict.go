package vendorapi

import (
	"errors"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// verdict is what an answer means for the call.
type verdict uint8

const (
	again verdict = iota
	unsure
	stale
)

// failure is a verdict with its reason.
type failure struct {
	verdict verdict
	code    string
	reason  string
	after   time.Duration
	err     error
	// answered tells that the vendor itself said so, and so is well.
	answered bool
	// cause is what the vendor answered, in fields.
	cause dsar.Cause
}

func (f *failure) Error() string { return f.code + ": " + f.reason }
func (f *failure) Unwrap() error { return f.err }

// Again returns the error which says that the vendor did nothing and may do it
// later: after is what it asked to wait, 0 where it didn't say. A time is taken for the whole account, as
// is one of package worker's RetryAt and RetryAfter that a [Meaning] returns: no
// process calls before it. What is about one record only has none. Code and reason are vouched to be free
// of personal data, as in package worker.
func Again(after time.Duration, code, reason string, err error) error {
	return &failure{verdict: again, code: code, reason: reason, after: after, err: err}
}

// Unsure returns the error which says that it isn't known whether the vendor did it.
func Unsure(code, reason string, err error) error {
	return &failure{verdict: unsure, code: code, reason: reason, err: err}
}

// Stale returns the error which says that the access token is no longer taken.
func Stale(err error) error { return refusedToken(true, err) }

// refusedToken returns the error of an access token that is no longer taken: by the vendor, or by
// something between that may only seem to be it.
func refusedToken(own bool, err error) error {
	return &failure{verdict: stale, code: "token-refused", reason: "the access token was refused", err: err, answered: own}
}

// IsUnsure reports whether an error of [Client.Do] leaves it open whether the call
// was carried out.
func IsUnsure(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.verdict == unsure
}

// Deferred returns what a verdict on one part of an answer means for its task, as
// an error of package worker: the task comes again. Other errors are as they were.
func Deferred(err error) error {
	var f *failure
	switch {
	case !errors.As(err, &f):
		return err
	case f.after > 0:
		return worker.Because(f.cause, worker.RetryAfter(f.after, f.code, f.reason, f.err))
	default:
		return worker.Because(f.cause, worker.Transient(f.code, f.reason, f.err))
	}
}
