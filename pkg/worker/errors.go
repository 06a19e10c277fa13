package worker

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
)

// Error is an error that says what is to happen with the task. It is made by
// [Permanent], [Transient], [RetryAt] and [RetryAfter], and found with errors.As
// wherever it stands in a chain.
//
// Its own text is code and reason only, which are free of personal data; the
// wrapped error's text is not part of it, and goes into the report sealed.
type Error struct {
	// Code is a short, stable, lower-case word for machines.
	Code string
	// Reason is one sentence for a support agent.
	Reason string
	// Cause says in fields what stood in the way; see [Because].
	Cause dsar.Cause

	kind  kind
	until time.Time
	after time.Duration
	err   error
	// generic says that it was made here, of an error that is none of these.
	generic bool
}

type kind uint8

const (
	transient kind = iota
	permanent
	parked
)

// Permanent says that trying again makes no sense until a person has acted: a
// permission is missing, the data contradicts itself. The code and the reason
// MUST be free of personal data: the code travels in the open. The code is a short
// lower-case word (no-permission); the reason is a sentence for a support agent
// that says what to do. err may be nil; its text travels sealed.
func Permanent(code, reason string, err error) error {
	return &Error{Code: code, Reason: reason, kind: permanent, err: err}
}

// Transient returns an error that may pass, with a code and a reason that a support
// agent can read while the task waits. The rules of [Permanent] hold for both. An
// error of no type of this package is transient too.
func Transient(code, reason string, err error) error {
	return &Error{Code: code, Reason: reason, kind: transient, err: err}
}

// RetryAt says that the system isn't to be asked again before a time: a quota is
// spent, a vendor named the time. The task is parked at once, without tries in
// place, and is never failed for it. A time that is past means now; the core
// asks again after [core.MaxPark] at the latest. The rules of [Permanent] hold
// for code and reason.
func RetryAt(t time.Time, code, reason string, err error) error {
	return &Error{Code: code, Reason: reason, kind: parked, until: t, err: err}
}

// RetryAfter returns what [RetryAt] does, for a duration from now, as in a
// Retry-After header.
func RetryAfter(d time.Duration, code, reason string, err error) error {
	return &Error{Code: code, Reason: reason, kind: parked, after: d, err: err}
}

// Because adds to an error of this package, in fields, what stood in the way: a table, a
// constraint, a permission. They stay in the open where the reason is sealed, so they are
// what a support agent sees first. Any other error is returned as it is.
func Because(c dsar.Cause, err error) error {
	e, ok := err.(*Error) //nolint:errorlint // of the error itself: what is wrapped is another's
	if !ok {
		return err
	}
	own := *e
	own.Cause = c
	return &own
}

// Error returns the code and the reason.
func (e *Error) Error() string {
	if e.Reason == "" {
		return e.Code
	}
	return e.Code + ": " + e.Reason
}

// Unwrap gives the underlying error, which may hold personal data.
func (e *Error) Unwrap() error { return e.err }

// Vouched returns the text of the error that is free of personal data; telemetry
// logs it.
func (e *Error) Vouched() string { return e.Error() }

// Permanent reports whether the error needs a person.
func (e *Error) Permanent() bool { return e.kind == permanent }

// Parked reports whether the error names a time before which the system isn't to be
// asked again, and which, for an error that was met now.
func (e *Error) Parked(now time.Time) (until time.Time, ok bool) {
	if e.kind != parked {
		return time.Time{}, false
	}
	if e.until.IsZero() {
		return now.Add(e.after), true
	}
	return e.until, true
}

// errorOf returns an error as a report says it: the typed one that is in its chain,
// else one with a code of this package.
func errorOf(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var p *panicError
	switch {
	case errors.As(err, &p):
		return &Error{Code: "panic", Reason: "the worker broke off on this task, which is a mistake in its code", err: err, generic: true}
	case isTimeout(err):
		return &Error{Code: "timeout", Reason: "the system did not answer in time", err: err, generic: true}
	default:
		return &Error{Code: "transient", Reason: "the system could not be asked", err: err, generic: true}
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool } // context.DeadlineExceeded, net.Error
	return errors.As(err, &t) && t.Timeout()
}

// isSlug reports whether s may stand in the open as a name: lower-case letters,
// digits and hyphens, beginning with a letter, at most maxCode bytes (schemas/).
func isSlug(s string) bool {
	if s == "" || len(s) > maxCode || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// openCode and openReason are what of an error's code and reason goes out.
// Authors vouch for both; these catch the plainest slips: a code that isn't a
// code, a reason that quotes one of the identifiers.
func openCode(code string) string {
	if !isSlug(code) {
		return "unnamed"
	}
	return code
}

// openCause returns a cause as it goes out; nil where it says nothing, or what it may
// not: a name in no name's form, or one that quotes the subject.
func openCause(c dsar.Cause, t Task) *dsar.Cause {
	if c.IsZero() || !c.Fits() {
		return nil
	}
	for _, name := range append([]string{c.Dataset, c.Table, c.Object, c.Constraint, c.Permission}, c.Columns...) {
		if openReason(name, t) == withheld {
			return nil
		}
	}
	return &c
}

const withheld = "the worker's reason was withheld: it quoted the subject"

func openReason(reason string, t Task) string {
	lower := strings.ToLower(reason)
	for _, id := range t.Identifiers {
		if v := strings.ToLower(strings.TrimSpace(id.Value)); len(v) >= 4 && strings.Contains(lower, v) {
			return withheld
		}
	}
	return cut(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, reason), MaxReason)
}

// cut shortens s to at most n bytes of whole characters.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
