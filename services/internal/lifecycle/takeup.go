package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// ErrNotNext says that facts don't follow the last one that the journal has of their
// request: it has gone on another way, or lacks some between.
var ErrNotNext = errors.New("the facts don't follow those of the journal")

// TakeUp appends facts of a request as they were journalled before, and what follows from
// the command, in one append: that they were taken up, and what is to be done now. The
// facts' own messages went out when they were first appended, and their leaves are the
// caller's ([journal.Tree]).
//
// The facts MUST follow the journal's last one by version and hash, else ErrNotNext.
func (l *Lifecycle) TakeUp(ctx context.Context, requestID string, facts []journal.Fact, c *core.TakeUp) (core.State, error) {
	l.states.forget(requestID)
	v, err := l.load(ctx, requestID)
	if err != nil {
		return v.state, err
	}
	taken := journal.Append{RequestID: requestID, Expected: v.version}
	for i := range facts {
		if facts[i].Version != v.version+i+1 {
			return v.state, fmt.Errorf("request %s: %w", requestID, ErrNotNext)
		}
	}
	hashes := newChain(v)
	for _, f := range facts {
		if h := hashes.next(f); !bytes.Equal(h[:], f.Hash) {
			return v.state, fmt.Errorf("request %s: %w", requestID, ErrNotNext)
		}
		taken.Facts = append(taken.Facts, journal.NewFact{Type: f.Type, At: f.At, Data: f.Data})
	}
	if v, err = v.fold(facts, l.open(ctx, requestID)); err != nil {
		return v.state, fmt.Errorf("request %s: %w", requestID, err)
	}
	var events []core.Event
	for _, f := range facts {
		e, err := core.Decode(f.Type, f.Data)
		if err != nil {
			return v.state, err
		}
		events = append(events, e)
	}
	next := v
	if c != nil {
		decided, err := core.Decide(v.state, *c)
		if err != nil {
			return v.state, err
		}
		if len(decided) > 0 {
			var a journal.Append
			written, err := l.sealed(ctx, requestID, decided)
			if err != nil {
				return v.state, err
			}
			if a, next, err = follow(v, requestID, decided, written); err != nil {
				return v.state, err
			}
			taken.Facts, taken.Messages, taken.Row = append(taken.Facts, a.Facts...), a.Messages, a.Row
			events = append(events, decided...)
		}
	}
	if len(taken.Facts) == 0 {
		return v.state, nil
	}
	if next.version == v.version {
		taken.Row = row(v.state, facts[len(facts)-1].At)
	}
	if err := l.findable(ctx, &taken, nil, next.state, events); err != nil {
		return v.state, err
	}
	if err := l.journal.Append(ctx, taken); err != nil {
		return v.state, err
	}
	l.states.put(requestID, next)
	return next.state, nil
}
