// Package coordinator turns what workers report into facts, and facts into what
// is to be done next: the one place where a request gets on.
package coordinator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Requests applies commands to requests; lifecycle.Lifecycle implements it.
type Requests interface {
	Do(ctx context.Context, requestID string, c core.Command) (core.State, error)
}

// Timers lists the requests that are due for a tick; the journal implements it.
type Timers interface {
	Due(ctx context.Context, now time.Time, limit int) ([]string, error)
}

// Config configures a [Coordinator]. Every field must be set.
type Config struct {
	Requests Requests
	Timers   Timers
	Now      func() time.Time
	Log      *slog.Logger
	// Keeper does what is owed to ended requests. It needn't be set where no request says
	// how long it is kept ([core.Keep]).
	Keeper Keeper
	// Parallel is how many timers are applied at once, so that those that fall due
	// together share the journal's commits; 0 means one after the other. It is the
	// a field that needn't be set.
	Parallel int
}

// Keeper does what is owed to ended requests, and journals that it was done.
type Keeper interface {
	Do(ctx context.Context, requestID string, d core.Duty) error
}

// Coordinator applies reports and timers. It is safe for many goroutines.
type Coordinator struct{ Config }

// New returns a coordinator.
func New(c Config) *Coordinator { return &Coordinator{c} }

// Group is the coordinators' consumer group: each report is applied by one of them.
const Group = "habeas.coordinator"

// ErrUnreadable says that a report can never be used. The caller rejects the
// message; any other error wants it again. Such an error's text repeats nothing of
// the report (TestStrangersOnTheTopicOfReports).
var ErrUnreadable = errors.New("unreadable report")

// Handle applies one report. It does nothing where the report came before, is
// of an attempt that was given up, or of a request that has ended
// (TestReportsComeTwiceLateAndOutOfOrder).
func (c *Coordinator) Handle(ctx context.Context, e event.Event) error {
	if e.Type != event.TypeReport {
		return fmt.Errorf("%w: its type isn't %s", ErrUnreadable, event.TypeReport)
	}
	var r dsar.Report
	if err := json.Unmarshal(e.Data, &r); err != nil {
		return fmt.Errorf("%w: its data is no report", ErrUnreadable) // the decoder's words may quote a value
	}
	if r.RequestID == "" || r.RequestID != e.Subject {
		return fmt.Errorf("%w: the event's subject isn't the report's request_id", ErrUnreadable)
	}
	_, err := c.Requests.Do(ctx, r.RequestID, core.TakeReport{Report: r, Now: c.Now()})
	if errors.Is(err, journal.ErrInvalid) {
		// It would come again for ever, and hold up what else is said of the
		// request: the task has failed, as far as anybody can use it.
		r = dsar.Report{RequestID: r.RequestID, System: r.System, Action: r.Action, Attempt: r.Attempt, Kind: dsar.ReportFailed, Outcome: dsar.Failed,
			Code: "bad-report", Reason: "the worker's report can't be journalled: it is too large, or an identifier in it has no fingerprint; mend the worker, then retry"}
		_, err = c.Requests.Do(ctx, r.RequestID, core.TakeReport{Report: r, Now: c.Now()})
	}
	if errors.Is(err, core.ErrStray) || errors.Is(err, core.ErrUnknown) {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return err
}

var errNoKeeper = errors.New("nobody here issues receipts and forgets")

// keep does what is owed to a request at a time, in its order.
func (c *Coordinator) keep(ctx context.Context, id string, s core.State, now time.Time) error {
	for _, d := range s.Duties(now) {
		if c.Keeper == nil {
			return errNoKeeper
		}
		if err := c.Keeper.Do(ctx, id, d); err != nil {
			return fmt.Errorf("%s: %w", d, err)
		}
	}
	return nil
}

// tickBatch bounds how many requests one Tick handles: when thousands fall due at
// once, reports get their turn in between.
const tickBatch = 500

// Tick applies the timers that are due, at most tickBatch of them, and returns how
// many it applied. Where that is zero there is nothing to do until later. A request
// whose timer can't be applied keeps no other from its turn (TestOneBadTimer); the
// error names one of them, and they are tried again.
func (c *Coordinator) Tick(ctx context.Context) (int, error) {
	now := c.Now()
	ids, err := c.Timers.Due(ctx, now, tickBatch)
	if err != nil {
		return 0, fmt.Errorf("due timers: %w", err)
	}
	errs := make([]error, len(ids))
	turn, within := errgroup.WithContext(ctx)
	turn.SetLimit(max(1, c.Parallel))
	for i, id := range ids {
		turn.Go(func() error {
			state, err := c.Requests.Do(within, id, core.Tick{Now: now})
			if err == nil {
				err = c.keep(within, id, state, now)
			}
			if err != nil {
				errs[i] = fmt.Errorf("timer of request %s: %w", id, err)
			}
			if errors.Is(err, journal.ErrUnavailable) {
				return err // the others would fail as well
			}
			return nil
		})
	}
	down := turn.Wait()
	var first error
	failed := 0
	for _, err := range errs {
		if err == nil {
			continue
		}
		if failed++; first == nil || down != nil && errors.Is(first, context.Canceled) {
			first = err
		}
	}
	if failed > 1 {
		first = fmt.Errorf("%w (and %d more)", first, failed-1)
	}
	return len(ids) - failed, first
}
