// Package duplicate says which request another one can be merged into: a person asked twice
// for the same.
package duplicate

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
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
	ErrDetails    = fmt.Errorf("%w: the other request says something else of what is to be done", core.ErrNotAllowed)
	ErrMore       = fmt.Errorf("%w: the other request lacks an identifier that came with this one", core.ErrNotAllowed)
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
// of another right or law or with other details, answered before this one was received or not at
// all, not surely of the same person, or without an identifier that came with this one: by that
// nobody would look any more. That the other request isn't there is a zero state.
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
	}
	if err := checkPerson(ctx, p, s, other); err != nil {
		return err
	}
	if err := checkDetails(ctx, p, s, other); err != nil {
		return err
	}
	return checkGiven(ctx, p, s, other)
}

// checkDetails refuses a merge into a request that has other details: other corrections, purposes,
// or words.
func checkDetails(ctx context.Context, p prints.Prints, s, other core.State) error {
	mine, err := details(ctx, p, s)
	if err != nil {
		return err
	}
	theirs, err := details(ctx, p, other)
	if err != nil {
		return err
	}
	if !bytes.Equal(mine, theirs) {
		return ErrDetails
	}
	return nil
}

// details opens what a request says of what is to be done; nothing where it says nothing.
func details(ctx context.Context, p prints.Prints, s core.State) ([]byte, error) {
	if len(s.Accepted.Details) == 0 {
		return nil, nil
	}
	keys, err := p.Vault.Keys(ctx, s.Accepted.RequestID)
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", s.Accepted.RequestID, err)
	}
	plain, err := keys.Open(s.Accepted.Details, vault.RequestDetails)
	if err != nil {
		return nil, fmt.Errorf("request %s: its details: %w", s.Accepted.RequestID, err)
	}
	return plain, nil
}

// checkGiven refuses a merge into a request which isn't answered by all identifiers that came
// with this one. What was found by those the other one finds, too.
func checkGiven(ctx context.Context, p prints.Prints, s, other core.State) error {
	given := slices.DeleteFunc(slices.Clone(s.Identifiers), func(id dsar.Identifier) bool { return id.Assurance == dsar.AssuranceFound })
	used := other.Usable()
	if len(s.Usable()) == 0 {
		used = other.Identifiers
	}
	values, err := p.Values(ctx, s.Accepted.RequestID, given)
	if err != nil {
		return err
	}
	for _, v := range values {
		if known, err := p.Among(ctx, other, used, v.Type, v.Value); err != nil {
			return err
		} else if !known {
			return ErrMore
		}
	}
	return nil
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
