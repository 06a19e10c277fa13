// Package coordinator turns what workers report into facts, and facts into what
// is to be done next: the one place where a request gets on.
package coordinator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/telemetry"
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

// Links opens sealed reports; link.Hub implements it.
type Links interface {
	OpenReport(ctx context.Context, e link.Envelope) (dsar.Report, error)
}

// Config configures a [Coordinator]. The fields MUST be set, but for those that say otherwise.
type Config struct {
	Requests Requests
	Timers   Timers
	Links    Links
	// Manifests are those of the systems: what a report may name. nil: it isn't looked at.
	Manifests []*manifest.Manifest
	Now       func() time.Time
	Log       *slog.Logger
	// Keeper does what is owed to ended requests. It needn't be set where no request says
	// how long it is kept ([core.Keep]).
	Keeper Keeper
	// Parallel is how many timers are applied at once, so that those that fall due
	// together share the journal's commits; 0 means one after the other.
	Parallel int
	// Meters count what isn't believed; nil: nobody does.
	Meters metric.MeterProvider
}

// Keeper does what is owed to ended requests, and journals that it was done.
type Keeper interface {
	Do(ctx context.Context, requestID string, d core.Duty) error
}

// Coordinator applies reports and timers. It is safe for many goroutines.
type Coordinator struct {
	Config
	manifests map[string]*manifest.Manifest
	names     map[string]*names // by system
	rejected  metric.Int64Counter
	strangers strangers // in the queue
	calls     *calls
}

// New returns a coordinator.
func New(cfg Config) *Coordinator {
	c := &Coordinator{Config: cfg, manifests: map[string]*manifest.Manifest{}, names: map[string]*names{}, rejected: rejectedCounter(cfg.Meters), calls: newCalls()}
	for _, m := range cfg.Manifests {
		c.manifests[m.System], c.names[m.System] = m, newNames(m)
	}
	c.countFromZero()
	return c
}

// Group is the coordinators' consumer group: each report is applied by one of them.
const Group = "habeas.coordinator"

// ErrUnreadable says that a report can never be used. The caller rejects the
// message; any other error wants it again. Such an error's text repeats nothing of
// the report (TestStrangersOnTheTopicOfReports).
var ErrUnreadable = telemetry.Constant("unreadable report")

// Handle applies one report. It does nothing where the report came before, is
// of an attempt that was given up, or of a request that has ended
// (TestReportsComeTwiceLateAndOutOfOrder). One that isn't believed is ErrUnreadable, and
// stands in the trace of the request that it names.
func (c *Coordinator) Handle(ctx context.Context, e event.Event) error {
	if e.Type != event.TypeReport {
		return fmt.Errorf("%w: its type isn't %s", ErrUnreadable, event.TypeReport)
	}
	about, err := link.Parse(e.Data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if about.RequestID != e.Subject {
		return fmt.Errorf("%w: the event's subject isn't the report's request_id", ErrUnreadable)
	}
	r, err := c.Links.OpenReport(ctx, about)
	if code := disbelieved(err); code != "" {
		if err := c.failUnread(ctx, r); err != nil {
			return err
		}
		return c.disbelieve(ctx, about, code, err)
	}
	if err != nil {
		return err
	}
	return c.take(ctx, about, r)
}

// take applies a report that opened.
func (c *Coordinator) take(ctx context.Context, about link.Envelope, r dsar.Report) error {
	if r.Kind == dsar.ReportRefused {
		c.count(ctx, core.MessageTask, r.System, r.Code)
	}
	lie := c.check(r)
	if r = c.names[r.System].sealed(r); lie != "" {
		r = bad(r, "the worker's report says what it may not ("+lie+"): nothing of it was taken in; mend the worker, then retry")
	}
	state, err := c.Requests.Do(ctx, r.RequestID, core.TakeReport{Report: r, Now: c.Now()})
	if err == nil && lie == "" && !state.Status.Ended() { // what it waits for is done at once, and not with the next timer
		duties, _ := apart(state.Duties(c.Now())) // a caller that is slow to answer holds no report up
		return c.keep(ctx, r.RequestID, duties)
	}
	if errors.Is(err, journal.ErrInvalid) {
		// It would come again for ever, and hold up what else is said of the
		// request: the task has failed, as far as anybody can use it.
		r = bad(r, "the worker's report can't be journalled: it is too large, or an identifier in it has no fingerprint; mend the worker, then retry")
		_, err = c.Requests.Do(ctx, r.RequestID, core.TakeReport{Report: r, Now: c.Now()})
	}
	switch {
	case errors.Is(err, core.ErrStray):
		return c.disbelieve(ctx, about, "never-sent", err)
	case errors.Is(err, core.ErrUnknown):
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	case err == nil && lie != "":
		return c.disbelieve(ctx, about, lie, errors.New("it says what it may not"))
	}
	return err
}

// failUnread ends the task whose own worker sent a report that can't be read: no other would
// come, and the request would wait for it for ever.
func (c *Coordinator) failUnread(ctx context.Context, r dsar.Report) error {
	if r.RequestID == "" {
		return nil // nobody knows whose it is
	}
	r = bad(r, "the worker's report can't be read: nothing of it was taken in; mend the worker, then retry")
	_, err := c.Requests.Do(ctx, r.RequestID, core.TakeReport{Report: r, Now: c.Now()})
	if errors.Is(err, core.ErrStray) || errors.Is(err, core.ErrUnknown) {
		return nil // the trace says so
	}
	return err
}

// bad returns what is taken in of a report that can't be: its task has failed, and a
// person must look.
func bad(r dsar.Report, reason string) dsar.Report {
	return dsar.Report{RequestID: r.RequestID, System: r.System, Action: r.Action, Attempt: r.Attempt, Kind: dsar.ReportFailed, Outcome: dsar.Failed,
		Code: "bad-report", Reason: reason}
}

var errNoKeeper = telemetry.Constant("nobody here issues receipts and forgets")

// keep does what is owed to a request, in its order.
func (c *Coordinator) keep(ctx context.Context, id string, duties []core.Duty) error {
	for _, d := range duties {
		if c.Keeper == nil {
			return errNoKeeper
		}
		if err := c.Keeper.Do(ctx, id, d); err != nil {
			return fmt.Errorf("%s: %w", d, err)
		}
	}
	return nil
}

// apart returns the duties that are done in their order, and whether the caller is to be
// called besides.
func apart(duties []core.Duty) (others []core.Duty, calls bool) {
	i := slices.Index(duties, core.DutyCallBack)
	if i < 0 {
		return duties, false
	}
	return slices.Delete(duties, i, i+1), true
}

// tickBatch bounds how many requests one Tick handles: when thousands fall due at
// once, reports get their turn in between.
const tickBatch = 500

// Tick applies the timers that are due, at most tickBatch of them, and returns how
// many it applied. Where that is zero there is nothing to do until later. Callers are called
// beside it, and it waits for none of them (TestSlowCaller). A request
// whose timer can't be applied keeps no other from its turn (TestOneBadTimer); the
// error names one of them, and they are tried again.
func (c *Coordinator) Tick(ctx context.Context) (int, error) {
	now := c.Now()
	ids, err := c.Timers.Due(ctx, now, tickBatch)
	if err != nil {
		return 0, fmt.Errorf("due timers: %w", err)
	}
	errs := make([]error, len(ids))
	var waits atomic.Int32 // whose callers are called already, or later
	wait, cancel := context.WithTimeout(ctx, callsWait)
	defer cancel()
	turn, within := errgroup.WithContext(ctx)
	turn.SetLimit(max(1, c.Parallel))
	for i, id := range ids {
		turn.Go(func() error {
			state, err := c.Requests.Do(within, id, core.Tick{Now: now})
			if err == nil {
				duties, calls := apart(state.Duties(now))
				err = c.keep(within, id, duties)
				if calls && !c.callBack(ctx, wait.Done(), id) {
					waits.Add(1)
				}
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
	return len(ids) - failed - int(waits.Load()), first
}
