// Package duplicate says which request another one can be merged into: a person asked twice
// for the same.
package duplicate

import (
	"context"
	"fmt"
	"slices"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/prints"
)

// What a merge is refused for. People read the sentences that words has for them.
var (
	ErrUnanswered = fmt.Errorf("%w: the other request answers nothing", core.ErrNotAllowed)
	ErrRight      = fmt.Errorf("%w: the other request asks for something else", core.ErrNotAllowed)
	ErrLaw        = fmt.Errorf("%w: the other request is under another law", core.ErrNotAllowed)
	ErrBefore     = fmt.Errorf("%w: the other request was answered before this one came in", core.ErrNotAllowed)
	ErrStranger   = fmt.Errorf("%w: nothing says that one person made both requests", core.ErrNotAllowed)
	ErrDoubt      = fmt.Errorf("%w: nobody knows whether one person made both requests", core.ErrNotAllowed)
)

// about returns the request that one is about; empty where it is about none.
func about(s core.State) string {
	if s.Accepted.About == nil {
		return ""
	}
	return s.Accepted.About.RequestID
}

// Check refuses a merge that the core refuses, and one into a request that isn't the same:
// of another right or law, answered before this one was received or not at all, or not
// surely of the same person. That the other request isn't there is a zero state.
func Check(ctx context.Context, p prints.Prints, s core.State, merge core.Merge, other core.State) error {
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
	default:
		return checkPerson(ctx, p, s, other)
	}
}

// checkPerson refuses a merge into a request that isn't surely of the same person, by
// [core.Compare] or as somebody has said (docs/adr/0051): who made this one is told that a
// request of theirs answers it. It goes by what may be used in both; where nothing may be in
// this one yet, by what is claimed.
func checkPerson(ctx context.Context, p prints.Prints, s, other core.State) error {
	if same, judged := core.Judged(s, other); judged {
		if !same {
			return ErrStranger
		}
		return nil
	}
	ids, others := s.Usable(), other.Usable()
	if len(ids) == 0 {
		ids, others = s.Identifiers, other.Identifiers
	}
	mine, err := p.Values(ctx, s.Accepted.RequestID, ids)
	if err != nil {
		return err
	}
	c, err := p.Compare(ctx, s, mine, other, others)
	switch {
	case err != nil:
		return err
	case c.Sameness == core.NothingInCommon:
		return ErrStranger
	case c.Sameness == core.PerhapsSame || doubts(s, other) || doubts(other, s):
		return ErrDoubt
	default:
		return nil
	}
}

// doubts reports whether a request waits until somebody says whether another one is of the
// same person.
func doubts(s, other core.State) bool {
	return slices.ContainsFunc(s.InDoubt(), func(d core.Doubted) bool { return d.RequestID == other.Accepted.RequestID })
}
