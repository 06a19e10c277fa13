package vendorapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"habeas.dev/pkg/worker"
)

func termsOf(c Config) terms {
	t := terms{
		vendor: c.Vendor, burst: max(c.Burst, 1), places: c.Concurrent, lease: min(c.Timeout+leaseMargin, placeLease),
		budget: c.Daily, renewal: c.Quota.Renewal, share: c.Quota.Share, stale: usageStale,
	}
	if c.Rate > 0 && c.Rate < rate.Inf {
		t.every = time.Duration(float64(time.Second) / float64(c.Rate))
	}
	if t.renewal == nil {
		t.renewal = func(now time.Time) time.Time {
			y, m, d := now.UTC().Date()
			return time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
		}
	}
	return t
}

// enter waits until the account's limits let one more call through, for as long
// as that makes sense. leave MUST be called after the call.
func (c *Client) enter(ctx context.Context) (leave func(result), err error) {
	begun := c.config.Now()
	own := false // a place of this process is ours
	defer func() {
		if err != nil && own {
			<-c.places
		}
		c.watch.waited(ctx, c.config.Now().Sub(begun))
	}()
	want := claim{holder: uuid.NewString()}
	for waited := time.Duration(0); ; {
		if own, err = c.place(ctx, own, want.reserved); err != nil {
			return nil, err
		}
		want.call = own
		g, err := c.take(ctx, want)
		if err != nil {
			return nil, err
		}
		if g.granted {
			renewing := c.renew(ctx, want.holder)
			return func(r result) {
				renewing.Stop()
				c.leave(ctx, want.holder, r)
			}, nil
		}
		if own && g.reserved != want.reserved { // others may use it meanwhile
			<-c.places
			own = false
		}
		want.reserved = g.reserved
		if waited+g.wait > MaxWait && g.code != "" {
			return nil, worker.RetryAfter(max(g.wait, minPark), g.code, g.reason, nil)
		}
		if g.code == codeBusy && !own { // only our own process is: its places are waited for
			continue
		}
		wait := g.wait
		if g.code == codeBusy {
			wait += rand.N(wait)
		}
		waited += wait
		if err := c.config.Pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// minPark keeps what others of our processes hold up from coming back at once.
const minPark = 5 * time.Second

// place gets a place of this process, waiting for one only where the rate limit
// has let the call through.
func (c *Client) place(ctx context.Context, own, wait bool) (bool, error) {
	if own {
		return true, nil
	}
	if !wait {
		select {
		case c.places <- struct{}{}:
			return true, nil
		default:
			return false, ctx.Err()
		}
	}
	select {
	case c.places <- struct{}{}:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// take asks the account.
func (c *Client) take(ctx context.Context, want claim) (g grant, err error) {
	if err := ctx.Err(); err != nil {
		return grant{}, err
	}
	var seen Account
	err = c.update(ctx, func(now time.Time, s *shared) {
		g = s.take(now, &c.terms, want)
		seen = s.account(c.config.Account, now)
	})
	if err == nil {
		c.watch.saw(seen)
	}
	return g, err
}

// update changes the account's state. Without its store there are no limits that
// hold, so that there are no calls.
func (c *Client) update(ctx context.Context, f func(now time.Time, s *shared)) error {
	timed, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := c.config.Host.Store.Update(timed, c.config.Account, func(now time.Time, state []byte) []byte {
		s := decodeState(state)
		f(now, s)
		return s.encode()
	})
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return worker.Transient("no-limits", "the store of vendors' limits can't be reached: nothing is called without it", err)
	}
	return nil
}

// renew keeps a place for as long as its call lasts. What was given back, or lost since the
// store was away for a whole lease, isn't taken again.
func (c *Client) renew(ctx context.Context, holder string) *time.Timer {
	const every = placeLease / 3
	var next *time.Timer
	started := make(chan struct{})
	next = time.AfterFunc(every, func() {
		<-started
		held := true
		if err := c.update(context.WithoutCancel(ctx), func(now time.Time, s *shared) { held = s.renew(now, &c.terms, holder) }); err != nil || held {
			next.Reset(every)
		}
	})
	close(started)
	return next
}

// leave gives the place back, also where the caller has gone. Where the store is
// down the lease ends it.
func (c *Client) leave(ctx context.Context, holder string, r result) {
	<-c.places
	err := c.update(context.WithoutCancel(ctx), func(now time.Time, s *shared) {
		s.leave(now, &c.terms, holder, r)
		c.watch.saw(s.account(c.config.Account, now))
	})
	if err != nil {
		c.watch.lost(ctx)
	}
}

// resultOf returns what a call's end means for the account.
func (c *Client) resultOf(a *Answer, err error) result {
	r := result{health: well}
	switch {
	case unwell(err) && timedOut(err):
		r.health = hung
	case unwell(err):
		r.health = sick
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		r.health = unknown
	}
	if a != nil && c.config.Quota.Usage != nil {
		if used, limit, ok := c.config.Quota.Usage(a); ok {
			r.usage = &usage{Used: used, Limit: limit}
		}
	}
	var f *failure
	var e *worker.Error
	switch {
	case errors.As(err, &f) && f.verdict == again && f.after > 0:
		r.hold, r.after = &hold{Code: f.code, Reason: f.reason}, f.after
	case errors.As(err, &e):
		now := c.config.Now()
		if until, parked := e.Parked(now); parked && until.After(now) {
			r.hold, r.after = &hold{Code: e.Code, Reason: e.Reason}, until.Sub(now)
		}
	}
	return r
}
