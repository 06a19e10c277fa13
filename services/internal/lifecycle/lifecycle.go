// Package lifecycle runs the pure core on the journal: it loads a request's
// state, decides, and appends what follows, with the messages that follow from
// that, in one transaction.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/remarks"
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
	journal  Journal
	states   *cache
	metrics  *metrics
	tracer   trace.Tracer // nil: nothing is traced
	prints   Prints
	remarks  Remarks // nil: they are neither sealed nor opened
	gate     func() error
	confirms int // how many requests' messages are confirmed at once; 0: none are
}

// WithGate has nothing decided while the gate returns an error, but that new requests are
// taken in.
func WithGate(gate func() error) Option { return func(l *Lifecycle) { l.gate = gate } }

// Remarks seals and opens what people write in facts; remarks.Remarks does.
type Remarks interface {
	Seal(ctx context.Context, requestID string, e core.Event) (core.Event, error)
	Opens(ctx context.Context, requestID string) func(core.Event) (core.Event, error)
}

// WithRemarks has what people write be sealed in the journal, and open in the states that
// are read.
func WithRemarks(r Remarks) Option { return func(l *Lifecycle) { l.remarks = r } }

// open returns how facts of a request are read.
func (l *Lifecycle) open(ctx context.Context, requestID string) opener {
	if l.remarks == nil { // as a portal of its own, which opens nothing
		return func(e core.Event) (core.Event, error) { return remarks.Closed(e), nil }
	}
	return l.remarks.Opens(ctx, requestID)
}

// opener returns a fact as it is read.
type opener func(core.Event) (core.Event, error)

func asItIs(e core.Event) (core.Event, error) { return e, nil }

// plain returns facts without what isn't to be seen in their remarks. [core.ErrNotAllowed]
// where nothing is left of one.
func plain(facts []core.Event) ([]core.Event, error) {
	out := slices.Clone(facts)
	for i := range out {
		var err error
		out[i], err = core.MapRemarks(out[i], func(text string) (string, error) {
			if text = strings.TrimSpace(core.Plain(text)); text == "" {
				return "", fmt.Errorf("%w: why must be said in words that can be seen", core.ErrNotAllowed)
			}
			return text, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sealed returns facts as the journal is to hold them.
func (l *Lifecycle) sealed(ctx context.Context, requestID string, facts []core.Event) ([]core.Event, error) {
	if l.remarks == nil {
		return facts, nil
	}
	out := slices.Clone(facts)
	for i := range out {
		var err error
		if out[i], err = l.remarks.Seal(ctx, requestID, out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
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
	if _, submits := c.(core.Submit); !submits && l.gate != nil {
		if err := l.gate(); err != nil {
			return core.State{}, err
		}
	}
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
		if v, err = (versioned{}).fold(facts, l.open(ctx, requestID)); err != nil {
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
	began := time.Now()
	v := l.remembered(requestID)
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
	if facts, err = plain(facts); err != nil {
		return v.state, err
	}
	written, err := l.sealed(ctx, requestID, facts)
	if err != nil {
		return v.state, err
	}
	a, next, err := follow(v, requestID, facts, written)
	if err == nil {
		err = l.findable(ctx, &a, c, next.state, facts)
	}
	if err != nil {
		return v.state, err
	}
	if err := l.journal.Append(ctx, a); err != nil {
		return v.state, err
	}
	l.remember(requestID, v, next)
	l.metrics.count(ctx, next.state, facts)
	l.record(ctx, requestID, c, facts, began)
	return next.state, nil
}

// load brings the remembered state up to what the journal holds.
func (l *Lifecycle) load(ctx context.Context, requestID string) (versioned, error) {
	before := l.remembered(requestID)
	v := before
	facts, err := l.journal.Facts(ctx, requestID, v.version+1)
	if err != nil {
		return v, fmt.Errorf("request %s: load: %w", requestID, err)
	}
	if v, err = v.fold(facts, l.open(ctx, requestID)); err != nil {
		return v, fmt.Errorf("request %s: %w", requestID, err)
	}
	if v.version > 0 {
		l.remember(requestID, before, v)
	}
	return v, nil
}

// remembered returns what this process remembers of a request; the state before its first
// fact where that is nothing.
func (l *Lifecycle) remembered(requestID string) versioned {
	v := l.states.get(requestID)
	v.confirms = l.confirms > 0
	return v
}

// remember remembers a request's state after further facts; not the one in which whom it is
// about has just been forgotten: what people wrote is still open in it.
func (l *Lifecycle) remember(requestID string, before, after versioned) {
	if before.state.SubjectForgotten.IsZero() && !after.state.SubjectForgotten.IsZero() && before.version > 0 {
		l.states.forget(requestID)
		return
	}
	l.states.put(requestID, after)
}

// follow returns what the journal is to take in: the facts, the messages that
// follow from them, and the request's row after them. Written are the facts as the journal
// is to hold them.
func follow(v versioned, requestID string, facts, written []core.Event) (journal.Append, versioned, error) {
	a := journal.Append{RequestID: requestID, Expected: v.version, Facts: make([]journal.NewFact, 0, len(facts))}
	v.hashes = slices.Clip(v.hashes)
	chain := newChain(v)
	for i, f := range facts {
		typ, data, err := core.Encode(written[i])
		if err != nil {
			return a, v, err
		}
		at := f.When()
		next := journal.Fact{RequestID: requestID, Version: v.version + 1, Type: typ, At: journal.Time(at), Data: data}
		h := chain.next(next)
		v = v.after(f, h)
		a.Facts = append(a.Facts, journal.NewFact{Type: typ, At: at, Data: data})
		a.Messages = append(a.Messages, factMessage(next, h))
		switch f := f.(type) {
		case core.TaskSent:
			m, err := v.taskMessage(f)
			if err != nil {
				return a, v, err
			}
			a.Messages = append(a.Messages, m)
			if v.confirms {
				v = v.sent(f, m)
			}
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
func (v versioned) fold(facts []journal.Fact, open opener) (versioned, error) {
	v.hashes = slices.Clip(v.hashes)
	for _, f := range facts {
		next, _, err := v.step(f, open)
		if err != nil {
			return v, fmt.Errorf("fact %d: %w", f.Version, err)
		}
		v = next
	}
	return v, nil
}

// step brings a state up to the next fact. Where messages are remembered, and the fact has a
// task sent, it returns that message.
func (v versioned) step(f journal.Fact, open opener) (_ versioned, task journal.Message, err error) {
	e, err := core.Decode(f.Type, f.Data)
	if err != nil {
		return v, task, fmt.Errorf("%w: %w", ErrUndecodable, err)
	}
	if e, err = open(e); err != nil {
		return v, task, err
	}
	var h hash
	copy(h[:], f.Hash)
	v = v.after(e, h)
	v.version = f.Version
	if sent, is := e.(core.TaskSent); is && v.confirms {
		if task, err = v.taskMessage(sent); err != nil {
			return v, task, err
		}
		v = v.sent(sent, task)
	}
	return v, task, nil
}

// Fold returns the row that all facts of a request amount to: what the journal's
// own row of it, which lists show, MUST be.
func Fold(facts []journal.Fact) (journal.Row, error) {
	v, err := versioned{}.fold(facts, asItIs)
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
