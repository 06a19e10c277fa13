package main

import (
	"errors"
	"strings"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/words"
)

// requestError is what went wrong with one request.
type requestError struct {
	id    string
	cause error
	may   core.Choices // what may be done instead, where it is known
}

// about says of which request an error is; nil stays nil.
func about(id string, err error) error {
	if err == nil {
		return nil
	}
	return &requestError{id: id, cause: err}
}

func (e *requestError) Error() string { return "request " + e.id + ": " + e.cause.Error() }
func (e *requestError) Unwrap() error { return e.cause }

// nextCommands says, behind the sentence of a refusal, which command goes on from there;
// %[1]s is the request's id.
var nextCommands = map[string]string{
	"unknown":           "habeas requests lists them all",
	"ended":             "habeas trace %[1]s tells how",
	"answered":          "habeas trace %[1]s tells what that is",
	"nothing-to-retry":  "habeas trace %[1]s tells what it waits for",
	"refusal-waits":     "habeas second %[1]s shows it",
	"awaited":           "habeas identity and habeas clarify go on with it",
	"not-awaited":       "ask first, with --ask",
	"nothing-to-attest": "habeas trace %[1]s tells which do (name one with --action)",
	"no-such-hold":      "habeas trace %[1]s lists them",
	"changed":           "habeas trace %[1]s shows it",
}

// explain returns the line that a person reads of an error: where it is a refusal,
// the sentence that the console has for it too ([words.Language.Refusal]), and the
// command that goes on from there.
func explain(err error) string {
	var one *requestError
	if !errors.As(err, &one) || errors.Is(err, journal.ErrUnavailable) { // the journal's own line names place and cure
		return err.Error()
	}
	sentence, refused := words.English().Refusal(one.cause)
	if !refused {
		return err.Error()
	}
	line := "request " + one.id + ": " + strings.ToLower(sentence[:1]) + strings.TrimSuffix(sentence[1:], ".")
	if next := nextCommands[words.RefusalCode(one.cause)]; next != "" {
		line += "; " + strings.ReplaceAll(next, "%[1]s", one.id)
	}
	if may := mayBeDone(one.may); may != "" {
		line += "; " + may
	}
	return line
}
