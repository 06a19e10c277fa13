// Package lifecycle runs the pure core on the journal: it loads a request's
// state, decides, and appends what follows, with the messages that follow from
// that, in one transaction.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// maxTries bounds how often one command is decided again because another
// process was faster. Each lost race means that somebody else got on.
const maxTries = 20

// Journal is what the lifecycle needs of the journal.
type Journal interface {
	Append(ctx context.Context, a journal.Append) error
	Facts(ctx context.Context, requestID string, from int) ([]journal.Fact, error)
	Row(ctx context.Context, requestID string) (journal.Row, error)
}

// Lifecycle applies commands to requests. It is safe for many goroutines and
// many processes: of two deciders on one state one wins, and the other decides
// again on what the first has left (TestTwoDecidersOneJournal).
type Lifecycle struct {
	journal Journal
	states  *cache
	metrics *metrics
	prints  Prints
}

// New returns a Lifecycle on a journal.
func New(j Journal, opts ...Option) *Lifecycle {
	l := &Lifecycle{journal: j, states: newCache(cachedStates)}
	for _, opt := range opts {
		opt(l)
	}
	return l
}

// Do applies a command and returns the state after it. Nil means that
// everything that follows is durable, or that nothing does. The errors of the
// core ([core.ErrConflict] and so on) come as they are.
func (l *Lifecycle) Do(ctx context.Context, requestID string, c core.Command) (core.State, error) {
	c, err := l.reopen(ctx, requestID, c)
	if err != nil {
		return core.State{}, err
	}
	for tries := range maxTries {
		state, err := l.try(ctx, requestID, c, tries > 0)
		if !errors.Is(err, journal.ErrConflict) {
			return state, err
		}
		if tries > 0 { // what is remembered, and what came since, wasn't enough
			l.states.forget(requestID)
		}
	}
	return core.State{}, fmt.Errorf("request %s: %d other changes came first: %w", requestID, maxTries, journal.ErrConflict)
}

// Accept opens a request's journal, or finds that it is open already. A request
// of the same id and another digest is [core.ErrConflict].
func (l *Lifecycle) Accept(ctx context.Context, a core.Accepted) (journal.Row, error) {
	if _, err := l.Do(ctx, a.RequestID, core.Submit{Accepted: a}); err != nil {
		return journal.Row{}, err
	}
	return l.journal.Row(ctx, a.RequestID)
}

// State loads a request's state; the zero State where there is no such request.
func (l *Lifecycle) State(ctx context.Context, requestID string) (core.State, error) {
	v, err := l.load(ctx, requestID)
	return v.state, err
}

// Told returns a request as it was after a fact, and what can be told of it then, with
// the hashes of the facts. Version 0 stands for the last fact. What a letter is due for is
// remembered, so that the facts aren't read again for each.
func (l *Lifecycle) Told(ctx context.Context, requestID string, version int) (core.State, *core.Answer, error) {
	v, remembered := l.states.get(requestID).at(version)
	if !remembered {
		facts, err := l.journal.Facts(ctx, requestID, 1)
		if err != nil {
			return core.State{}, nil, fmt.Errorf("request %s: load: %w", requestID, err)
		}
		if version > 0 && version < len(facts) {
			facts = facts[:version]
		}
		if v, err = (versioned{}).fold(facts); err != nil {
			return v.state, nil, fmt.Errorf("request %s: %w", requestID, err)
		}
	}
	told := v.state.Told()
	if told != nil {
		told.Facts = cite(versions(v.version), v.hashes)
	}
	return v.state, told, nil
}

// try decides on what this process remembers of the request, and where that is
// nothing, as if there were none: the journal has a conflict with whoever is behind
// (TestTwoDecidersOneJournal, TestSubmittedElsewhere). After one, it is loaded first.
func (l *Lifecycle) try(ctx context.Context, requestID string, c core.Command, load bool) (core.State, error) {
	v := l.states.get(requestID)
	facts, err := core.Decide(v.state, c)
	if load || err != nil || len(facts) == 0 {
		// "Nothing follows" and "refused" are said of what the journal holds,
		// not of what this process remembers.
		if v, err = l.load(ctx, requestID); err != nil {
			return v.state, err
		}
		if facts, err = core.Decide(v.state, c); err != nil || len(facts) == 0 {
			return v.state, err
		}
	}
	a, next, err := follow(v, requestID, facts)
	if err == nil {
		err = l.findable(ctx, &a, next.state, facts)
	}
	if err != nil {
		return v.state, err
	}
	if err := l.journal.Append(ctx, a); err != nil {
		return v.state, err
	}
	l.states.put(requestID, next)
	l.metrics.count(ctx, next.state, facts)
	return next.state, nil
}

// load brings the remembered state up to what the journal holds.
func (l *Lifecycle) load(ctx context.Context, requestID string) (versioned, error) {
	v := l.states.get(requestID)
	facts, err := l.journal.Facts(ctx, requestID, v.version+1)
	if err != nil {
		return v, fmt.Errorf("request %s: load: %w", requestID, err)
	}
	if v, err = v.fold(facts); err != nil {
		return v, fmt.Errorf("request %s: %w", requestID, err)
	}
	if v.version > 0 {
		l.states.put(requestID, v)
	}
	return v, nil
}

// follow returns what the journal is to take in: the facts, the messages that
// follow from them, and the request's row after them.
func follow(v versioned, requestID string, facts []core.Event) (journal.Append, versioned, error) {
	a := journal.Append{RequestID: requestID, Expected: v.version, Facts: make([]journal.NewFact, 0, len(facts))}
	v.hashes = slices.Clip(v.hashes)
	chain := newChain(v)
	for _, f := range facts {
		typ, data, err := core.Encode(f)
		if err != nil {
			return a, v, err
		}
		at := f.When()
		v = v.after(f, chain.next(journal.Fact{RequestID: requestID, Version: v.version + 1, Type: typ, At: journal.Time(at), Data: data}))
		a.Facts = append(a.Facts, journal.NewFact{Type: typ, At: at, Data: data})
		a.Messages = append(a.Messages, factMessage(requestID, v.version, typ, at, data))
		switch f := f.(type) {
		case core.TaskSent:
			t := v.state.NewTask(f)
			if t.Answer != nil {
				t.Answer.Facts = cite(t.Answer.Rests(), v.hashes)
			}
			m, err := taskMessage(t, at)
			if err != nil {
				return a, v, err
			}
			a.Messages = append(a.Messages, m)
		case core.ReceiptIssued:
			a.Leaf = f.Leaf
		case core.Forgotten:
			a.Leaf = f.Leaf
		}
	}
	a.Row = row(v.state, a.Facts[len(a.Facts)-1].At)
	return a, v, nil
}

// fold brings a state up to further facts.
func (v versioned) fold(facts []journal.Fact) (versioned, error) {
	v.hashes = slices.Clip(v.hashes)
	for _, f := range facts {
		e, err := core.Decode(f.Type, f.Data)
		if err != nil {
			return v, fmt.Errorf("fact %d: %w", f.Version, err)
		}
		var h hash
		copy(h[:], f.Hash)
		v = v.after(e, h)
		v.version = f.Version
	}
	return v, nil
}

// Fold returns the row that all facts of a request amount to: what the journal's
// own row of it, which lists show, MUST be.
func Fold(facts []journal.Fact) (journal.Row, error) {
	v, err := versioned{}.fold(facts)
	if err != nil || len(facts) == 0 {
		return journal.Row{}, err
	}
	return RowOf(v.state, facts[len(facts)-1]), nil
}

// RowOf returns the row of a request in a state, after its last fact.
func RowOf(s core.State, last journal.Fact) journal.Row {
	r := row(s, last.At)
	r.RequestID, r.Version, r.Hash = last.RequestID, last.Version, last.Hash
	return r
}

func row(s core.State, at time.Time) journal.Row {
	a := s.Accepted
	return journal.Row{
		Status: s.Status, Right: a.Right, Jurisdiction: a.Jurisdiction, Source: a.Source, Digest: a.Digest,
		ReceivedAt: a.ReceivedAt, DueAt: s.DueAt, WakeAt: core.Wake(s), UpdatedAt: at, Overdue: s.Overdue, Waiting: core.Waiting(s), Needs: Needs(s), Assignee: s.Assignee,
	}
}
