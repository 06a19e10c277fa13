// Package duplicate says which request another one can be merged into: a person asked twice
// for the same.
package duplicate

import (
	"context"
	"errors"
	"slices"

	"habeas.dev/services/internal/core"
)

// What a merge is refused for; each is a sentence that an agent reads.
var (
	ErrUnanswered = errors.New("The other request isn’t there, or has ended without an answer.")                                       //nolint:staticcheck // shown as it is
	ErrRight      = errors.New("The other request asks for something else: only one that asks for the same answers this one.")         //nolint:staticcheck // shown as it is
	ErrLaw        = errors.New("The other request is under another law: only one under the same law answers this one.")                //nolint:staticcheck // shown as it is
	ErrBefore     = errors.New("The other request was answered before this one came in: its answer is none to this one.")              //nolint:staticcheck // shown as it is
	ErrStranger   = errors.New("The other request has no identifier in common with this one: nothing says that one person made both.") //nolint:staticcheck // shown as it is
)

// Errors returns what a merge is refused for.
func Errors() []error { return []error{ErrUnanswered, ErrRight, ErrLaw, ErrBefore, ErrStranger} }

// Journal has what requests were made by; journal.Audited is one.
type Journal interface {
	// Fingerprints returns those by which a request is found by its person's identifiers.
	Fingerprints(ctx context.Context, requestID string) ([]string, error)
}

// about returns the request that one is about; empty where it is about none.
func about(s core.State) string {
	if s.Accepted.About == nil {
		return ""
	}
	return s.Accepted.About.RequestID
}

// Check refuses a merge that the core refuses, and one into a request that isn't the same:
// of another right or law, answered before this one was received or not at all, or without
// an identifier in common. That the other request isn't there is a zero state.
func Check(ctx context.Context, j Journal, s core.State, merge core.Merge, other core.State) error {
	if _, err := core.Decide(s, merge); err != nil {
		return err
	}
	switch {
	case !other.Exists() || other.Status.Ended() && other.Status != core.StatusCompleted:
		return ErrUnanswered
	case other.Right != s.Right || about(other) != about(s):
		return ErrRight
	case other.Accepted.Jurisdiction != s.Accepted.Jurisdiction:
		return ErrLaw
	case other.Status == core.StatusCompleted && !other.AnsweredAt.After(s.Accepted.ReceivedAt):
		return ErrBefore
	}
	own, err := j.Fingerprints(ctx, s.Accepted.RequestID)
	if err != nil {
		return err
	}
	others, err := j.Fingerprints(ctx, other.Accepted.RequestID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(own, func(f string) bool { return slices.Contains(others, f) }) {
		return ErrStranger
	}
	return nil
}
