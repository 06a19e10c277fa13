package words

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/duplicate"
	"habeas.dev/services/internal/journal"
)

// refusals are the errors that people are told of by a sentence of ours, in
// refusals.yaml by these codes; the first that an error is counts.
var refusals = []struct {
	err  error
	code string
}{
	{core.ErrUnknown, "unknown"},
	{journal.ErrNotFound, "unknown"},
	{core.ErrConflict, "conflict"},
	{core.ErrChanged, "changed"},
	{core.ErrEnded, "ended"},
	{core.ErrAnswered, "answered"},
	{core.ErrBegun, "begun"},
	{core.ErrNothingToRetry, "nothing-to-retry"},
	{core.ErrAwaited, "awaited"},
	{core.ErrSecond, "second"},
	{core.ErrSecondAsked, "second-asked"},
	{core.ErrRefusalWaits, "refusal-waits"},
	{core.ErrNotAwaited, "not-awaited"},
	{core.ErrNothingToAttest, "nothing-to-attest"},
	{core.ErrNoSuchHold, "no-such-hold"},
	{duplicate.ErrUnanswered, "merge-unanswered"},
	{duplicate.ErrRight, "merge-right"},
	{duplicate.ErrLaw, "merge-law"},
	{duplicate.ErrBefore, "merge-before"},
	{duplicate.ErrStranger, "merge-stranger"},
	{duplicate.ErrDoubt, "merge-doubt"},
	{duplicate.ErrDetails, "merge-details"},
	{duplicate.ErrMore, "merge-more"},
	{vault.ErrShredded, "shredded"},
	{journal.ErrUnavailable, "unavailable"},
}

// RefusalCode returns the code of an error that people are told of; empty for any
// other error.
func RefusalCode(err error) string {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.code
		}
	}
	return ""
}

// Refusal returns the sentence for an error: why something wasn't done. What a law
// doesn't allow the error itself says, in English. It is false for an error that
// isn't a refusal, but a fault.
func (l *Language) Refusal(err error) (sentence string, ok bool) {
	if code := RefusalCode(err); code != "" {
		return l.Refusals[code], true
	}
	if errors.Is(err, core.ErrNotAllowed) {
		text := err.Error()
		first, n := utf8.DecodeRuneInString(text)
		return string(unicode.ToUpper(first)) + strings.TrimSuffix(text[n:], ".") + ".", true
	}
	return "", false
}
