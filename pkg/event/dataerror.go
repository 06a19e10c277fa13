package event

import (
	"fmt"
	"strings"
)

// The codes of a [DataError].
const (
	codeNotUTF8 = "not-utf8" // the text isn't UTF-8
	codeNotJSON = "not-json" // the text isn't JSON, or says something twice
	codeLimit   = "limit"    // the text is larger or deeper than what is read
	codeInvalid = "invalid"  // the schema of the type says otherwise
)

// MaxViolations is how many violations a [DataError] lists. Who has more than
// that mends these first.
const MaxViolations = 20

// DataError says why data doesn't match its type's schema. It names places and
// rules, and MUST NOT quote what stands there, since that may be personal data
// (TestErrorsNeverQuoteTheRecord).
type DataError struct {
	// Code is one of the Code constants.
	Code string
	// Reason explains the error in one line. With codeInvalid it is that of the
	// first violation.
	Reason string
	// Violations are the places where the schema is violated, at most
	// [MaxViolations]; only with codeInvalid.
	Violations []Violation
}

// Violation is one place where data isn't what the schema says.
type Violation struct {
	// Pointer is the place, as a JSON Pointer (RFC 6901); empty for the whole.
	// It consists of names from the schema and of array indexes.
	Pointer string
	// Rule is what the schema asks for there.
	Rule string
}

func (v Violation) String() string {
	if v.Pointer == "" {
		return v.Rule
	}
	return v.Pointer + ": " + v.Rule
}

func (e *DataError) Error() string {
	var b strings.Builder
	b.WriteString(e.Reason)
	if n := len(e.Violations); n > 1 {
		fmt.Fprintf(&b, " (and %d more)", n-1)
	}
	return b.String()
}

func dataError(code, reason string) *DataError { return &DataError{Code: code, Reason: reason} }

// Invalid returns the error for violations that no schema can express; there MUST
// be at least one.
func Invalid(violations ...Violation) *DataError {
	return &DataError{Code: codeInvalid, Reason: violations[0].String(), Violations: violations}
}
