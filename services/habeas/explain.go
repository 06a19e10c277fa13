package main

import (
	"errors"
	"fmt"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// requestError is what went wrong with one request.
type requestError struct {
	id    string
	cause error
}

// about says of which request an error is; nil stays nil.
func about(id string, err error) error {
	if err == nil {
		return nil
	}
	return &requestError{id, err}
}

func (e *requestError) Error() string { return "request " + e.id + ": " + e.cause.Error() }
func (e *requestError) Unwrap() error { return e.cause }

// sentences are what a person reads of the core's refusals: what is the matter, and
// what to do about it.
var sentences = []struct {
	refusal error
	says    string // after "request ID"; %[1]s is the id
}{
	{core.ErrUnknown, "isn't among those here; habeas requests lists them"},
	{journal.ErrNotFound, "isn't among those here; habeas requests lists them"},
	{core.ErrEnded, "has ended; habeas trace %[1]s tells how"},
	{core.ErrAnswered, "was answered, and only erases what it had to keep; habeas trace %[1]s tells what that is"},
	{core.ErrNothingToRetry, "has nothing to retry: no task of it has failed; habeas trace %[1]s tells what it waits for"},
	{core.ErrAwaited, "waits for the person already; habeas identity and habeas clarify go on with it"},
	{core.ErrNotAwaited, "doesn't wait for that; ask first, with --ask"},
	{core.ErrNothingToAttest, "has no one task of that system that waits for a person; habeas trace %[1]s tells which do (name one with --action)"},
	{core.ErrNoSuchHold, "has no such hold on it; habeas trace %[1]s lists them"},
	{core.ErrChanged, "was changed by somebody else just now; look at it again with habeas trace %[1]s, and repeat what still holds"},
}

// explain returns the line that a person reads of an error: the one place where the
// core's refusals become sentences of the command line.
func explain(err error) string {
	var one *requestError
	if !errors.As(err, &one) {
		return err.Error()
	}
	for _, s := range sentences {
		if errors.Is(one.cause, s.refusal) {
			return fmt.Sprintf("request %[1]s "+s.says, one.id)
		}
	}
	return err.Error()
}
