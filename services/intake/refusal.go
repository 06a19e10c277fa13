package intake

import (
	"errors"

	"habeas.dev/pkg/event"
)

// Refusal says why a request isn't taken in, now or ever. Its text is one line
// and never quotes what was sent.
type Refusal struct {
	// Code is a short, stable word for machines: those of [event.Code], and
	// conflict, forbidden, key-mismatch, rate, right-not-granted, unsigned.
	Code   string
	Reason string
	// Violations are the places, where there are any; at most
	// [event.MaxViolations].
	Violations []event.Violation
}

func (r *Refusal) Error() string { return r.Reason }

// The refusals that callers tell apart, with errors.Is.
var (
	// ErrConflict says that the request_id was used before, with other content.
	ErrConflict error = &Refusal{Code: "conflict", Reason: "the request_id was used before, with other content"}
	// ErrShredded says that the request_id was used before, and that everything
	// about that request was destroyed.
	ErrShredded error = &Refusal{Code: "conflict", Reason: "the request_id was used before; its keys were destroyed"}
	// ErrRight says that this caller, or producer, may not ask for this right.
	ErrRight error = &Refusal{Code: "forbidden", Reason: "this caller may not ask for this right"}
	// ErrUnsigned says that no producer that is configured has signed a record.
	ErrUnsigned error = &Refusal{Code: "unsigned", Reason: "the record isn't signed by a producer that the configuration names"}
	// ErrOften says that as many requests of this person were taken in within a day as
	// there may be.
	ErrOften error = &Refusal{Code: "rate", Reason: "too many requests of one person within a day"}
	// ErrTooLarge says that the request, sealed, is more than the journal takes.
	ErrTooLarge error = &Refusal{Code: "limit", Reason: "the request is too large when sealed"}
	// ErrKey says that a record's key isn't the request_id in it: it came on
	// another partition than what else is said of the request.
	ErrKey error = &Refusal{Code: "key-mismatch", Reason: "the record's key is not its request_id"}
)

// refuse makes a refusal of an error of pkg/event; any other comes back as it is.
func refuse(err error) error {
	code := event.Code(err)
	if code == "" {
		return err
	}
	r := &Refusal{Code: code, Reason: err.Error()}
	if data := (*event.DataError)(nil); errors.As(err, &data) {
		r.Violations = data.Violations
	}
	return r
}
