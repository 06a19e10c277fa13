// Package callbacks tells callers of every change of their requests' status, by signed
// messages as Standard Webhooks have them.
//
// What is owed to whom is in the request's own facts: nothing is lost with a process, and
// what a caller was told, or never heard, stands in the trace. A message comes at least once,
// under the same id each time, and those of one request in order. It holds nothing about the
// person (TestNothingPersonal).
package callbacks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/webhook"
)

// EventType is the type of the messages.
const EventType = "habeas.request.v1"

const (
	// callTime bounds one call, and how long one turn of a request begins further calls: a
	// turn lasts twice as long at most, however many changes are owed.
	callTime = 5 * time.Second
	// restTime is how long a caller that can't be reached isn't called at all, so that one
	// that is down costs a call now and then, and not one for each of its requests.
	restTime = 30 * time.Second
	// atOnce is how many calls are made to one caller at once.
	atOnce = 4
	// patience is how long a request waits for its turn among its caller's. Where that is too
	// long the caller is slow, and its other requests are put off, for callTime, without
	// waiting: other callers' have theirs.
	patience = time.Second
)

// The codes of what can't be told.
const (
	codeAway    = "caller-away"    // it can't be reached, or answers that it can't now
	codeRefuses = "caller-refuses" // it will never take it: it answers 410
	codeUnknown = "caller-unknown" // it has no address any more
)

// Data is what a caller is told of a change.
type Data struct {
	RequestID string      `json:"request_id"`
	Status    core.Status `json:"status"`
	// Version is that of the fact that made the change: a higher one is later.
	Version      int        `json:"version"`
	Right        dsar.Right `json:"right"`
	Jurisdiction string     `json:"jurisdiction"`
	// DueAt is when the answer is due, and DueOn the day of it where the law is, as 2026-12-21.
	DueAt   time.Time `json:"due_at,omitzero"`
	DueOn   string    `json:"due_on,omitempty"`
	Overdue bool      `json:"overdue,omitempty"`
}

// Requests reads requests and applies commands to them; lifecycle.Lifecycle implements it.
type Requests interface {
	State(ctx context.Context, requestID string) (core.State, error)
	Do(ctx context.Context, requestID string, c core.Command) (core.State, error)
	// Told returns a request as it was after a fact, and what can be told of it then.
	Told(ctx context.Context, requestID string, version int) (core.State, *core.Answer, error)
}

// Config configures [Callbacks]. Every field must be set.
type Config struct {
	Requests Requests
	// Callbacks are the addresses, by the source of the requests.
	Callbacks map[string]config.Callback
	// Local returns an instant where a law is.
	Local  func(jurisdiction string, at time.Time) time.Time
	Meters metric.MeterProvider
	Now    func() time.Time
	Log    *slog.Logger
}

// Callbacks tells callers. It is safe for many goroutines.
type Callbacks struct {
	Config
	calls metric.Int64Counter

	callTime, patience time.Duration

	mu    sync.Mutex
	rests map[string]time.Time // until when a caller isn't called
	turns map[string]chan struct{}
}

// New returns callbacks, or what is wrong with an address or its secret.
func New(c Config) (*Callbacks, error) {
	all := &Callbacks{Config: c, callTime: callTime, patience: patience, rests: map[string]time.Time{}, turns: map[string]chan struct{}{}}
	for source := range c.Callbacks {
		all.turns[source] = make(chan struct{}, atOnce)
		if err := all.hook(source).Check(); err != nil {
			return nil, fmt.Errorf("%s.callback: %w", source, err)
		}
	}
	// The name is right: an error would be of the SDK's own, and what it returns then does
	// nothing.
	all.calls, _ = c.Meters.Meter("habeas.dev/services/internal/callbacks").Int64Counter("habeas.callbacks", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that told a caller of a change, by what came of them"))
	for source := range c.Callbacks { // a counter that begins with 1 has grown by nothing
		all.calls.Add(context.Background(), 0, metric.WithAttributes(attribute.String("caller", source), attribute.String("result", "given-up")))
	}
	return all, nil
}

func (c *Callbacks) hook(source string) webhook.Hook {
	one := c.Callbacks[source]
	return webhook.Hook{URL: one.URL, SecretFile: one.SecretFile, Now: c.Now}
}

// CallBack tells a request's caller of the changes that it hasn't heard of, in one turn, and
// records what came of it; what a turn has no time for is still owed. A caller that isn't
// reached, or isn't called for a while, is no error.
func (c *Callbacks) CallBack(ctx context.Context, requestID string) error {
	s, err := c.Requests.State(ctx, requestID)
	if err != nil || len(s.Changes) == 0 {
		return err
	}
	source := s.Accepted.Source
	end, failed := c.turn(ctx, source)
	defer end()
	told := 0
	if failed.Through = s.Changes[0].Fact; !fails(failed) {
		if told, failed, err = c.tellEach(ctx, s); err != nil {
			return fmt.Errorf("request %s: %w", requestID, err)
		}
	}
	now := c.Now().UTC().Truncate(time.Microsecond)
	if told > 0 {
		if _, err = c.Requests.Do(ctx, requestID, core.TellCaller{Through: told, Now: now}); err != nil {
			return err
		}
	}
	if !fails(failed) {
		return nil
	}
	failed.Now = now
	s, err = c.Requests.Do(ctx, requestID, failed)
	if err == nil && s.CallsGivenUp >= failed.Through {
		c.count(ctx, source, "given-up")
		c.Log.ErrorContext(ctx, "a caller isn't told of a change of its request: it is given up", "request_id", requestID, "caller", telemetry.Safe(source), "code", telemetry.Safe(failed.Code))
	}
	return err
}

// fails reports whether a caller wasn't told.
func fails(c core.TellCaller) bool { return c.Code != "" || c.Rests }

// turn waits for a request's turn among those of its caller, and returns what ends it; or what
// is to be recorded where there is none.
func (c *Callbacks) turn(ctx context.Context, source string) (end func(), failed core.TellCaller) {
	none, rests := func() {}, core.TellCaller{Rests: true}
	turns, known := c.turns[source]
	switch {
	case !known:
		return none, core.TellCaller{Code: codeUnknown}
	case c.resting(source):
		return none, rests
	}
	wait := time.NewTimer(c.patience)
	defer wait.Stop()
	select {
	case turns <- struct{}{}:
	case <-wait.C:
		c.rest(source, c.callTime)
		return none, rests
	case <-ctx.Done():
		return none, rests
	}
	if c.resting(source) { // since another's turn
		<-turns
		return none, rests
	}
	return func() { <-turns }, core.TellCaller{}
}

// tellEach posts the changes that are owed, in order, and returns up to which fact the caller
// was told; and what is to be recorded, with a code, of the one that doesn't get through.
func (c *Callbacks) tellEach(ctx context.Context, s core.State) (told int, failed core.TellCaller, err error) {
	turn, cancel := context.WithTimeout(ctx, c.callTime)
	defer cancel()
	for _, change := range s.Changes {
		if turn.Err() != nil {
			return told, core.TellCaller{}, ctx.Err()
		}
		if failed, err = c.tell(ctx, s.Accepted.Source, s.Accepted.RequestID, change); err != nil || fails(failed) {
			failed.Through = change.Fact
			return told, failed, err
		}
		told = change.Fact
	}
	return told, core.TellCaller{}, nil
}

// tell posts one change, and returns what is to be recorded of it: with a code where it
// doesn't get through.
func (c *Callbacks) tell(ctx context.Context, source, requestID string, change core.Change) (core.TellCaller, error) {
	// As it was then: what is sent again under the same id is the same.
	then, _, err := c.Requests.Told(ctx, requestID, change.Fact)
	if err != nil {
		return core.TellCaller{}, err
	}
	within, cancel := context.WithTimeout(ctx, c.callTime)
	defer cancel()
	dueOn := ""
	if !then.DueAt.IsZero() {
		dueOn = c.Local(then.Accepted.Jurisdiction, then.DueAt).Format(time.DateOnly)
	}
	err = c.hook(source).Post(within, event.FactID(requestID, change.Fact), EventType, change.At, Data{RequestID: requestID, Status: change.Status, Version: change.Fact,
		Right: then.Accepted.Right, Jurisdiction: then.Accepted.Jurisdiction, DueAt: then.DueAt, DueOn: dueOn, Overdue: then.Overdue})
	if err == nil {
		c.count(ctx, source, "told")
		return core.TellCaller{}, nil
	}
	if ctx.Err() != nil {
		return core.TellCaller{}, ctx.Err()
	}
	c.Log.WarnContext(ctx, "a caller can't be told of a change of its request", "request_id", requestID, "caller", telemetry.Safe(source), "error", telemetry.Vouch(err))
	if errors.Is(err, webhook.ErrRefused) {
		c.count(ctx, source, "refused")
		return core.TellCaller{Code: codeRefuses}, nil
	}
	c.count(ctx, source, "away")
	c.rest(source, restTime)
	return core.TellCaller{Code: codeAway, Passing: true}, nil
}

// resting reports whether a caller isn't called now.
func (c *Callbacks) resting(source string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Now().Before(c.rests[source])
}

func (c *Callbacks) rest(source string, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until := c.Now().Add(d); until.After(c.rests[source]) {
		c.rests[source] = until
	}
}

func (c *Callbacks) count(ctx context.Context, source, result string) {
	c.calls.Add(ctx, 1, metric.WithAttributes(attribute.String("caller", source), attribute.String("result", result)))
}
