package vendorapi

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"habeas.dev/pkg/worker"
)

// Client calls one vendor. It is safe for concurrent use.
type Client struct {
	config Config
	http   *http.Client
	terms  terms
	places chan struct{} // of this process
	tokens tokens
	watch  watch
}

// New returns a client.
func New(c Config) (*Client, error) {
	if c.Vendor == "" || c.Parse == nil {
		return nil, errors.New("vendorapi: a client needs a vendor and what parses its answers")
	}
	c.Access = c.Or(Access{Concurrent: DefaultConcurrent})
	orElse(&c.Concurrent, DefaultConcurrent)
	orElse(&c.Timeout, DefaultTimeout)
	orElse(&c.MaxAnswer, DefaultMaxAnswer)
	orElse(&c.Tries, DefaultTries)
	c.Account = cmp.Or(c.Account, c.Vendor)
	if c.Host.Store == nil {
		c.Host.Store = MemoryStore(c.Now)
	}
	cl := &Client{config: c, terms: termsOf(c), places: make(chan struct{}, c.Concurrent)}
	hc := http.Client{Transport: transport(c.Concurrent)}
	if c.HTTPClient != nil {
		hc = *c.HTTPClient
	}
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cl.http = &hc
	cl.tokens = tokens{vendor: c.Vendor, fetch: cl.fetches(c.Token), now: c.Now}
	cl.watch = newWatch(c)
	return cl, nil
}

// fetches returns what fetches an access token as calls are made: measured, counted where the
// vendor is unwell, and not at all while it is left alone. A token that comes says nothing of
// how calls do.
func (c *Client) fetches(token func(context.Context) (Token, error)) func(context.Context) (Token, error) {
	if token == nil {
		return nil
	}
	return func(ctx context.Context) (Token, error) {
		var left error
		err := c.update(ctx, func(now time.Time, s *shared) {
			if left = nil; s.Circuit != nil && now.Before(s.Circuit.Until) {
				left = worker.RetryAfter(s.Circuit.Until.Sub(now), codeDown, c.config.Vendor+reasonDown, nil)
			}
			c.watch.saw(s.account(c.config.Account, now))
		})
		if err = cmp.Or(left, err); err != nil {
			return Token{}, err
		}
		span := c.watch.begin(ctx, Call{Name: "token", Method: http.MethodPost}, 1)
		t, err := token(span.ctx)
		c.watch.end(span, nil, err)
		came := c.resultOf(nil, err)
		if came.health != sick && came.health != hung {
			return t, err
		}
		if noted := c.update(context.WithoutCancel(ctx), func(now time.Time, s *shared) {
			s.leave(now, &c.terms, "", came)
			c.watch.saw(s.account(c.config.Account, now))
		}); noted != nil {
			return Token{}, noted
		}
		return t, err
	}
}

func orElse[T int | int64 | time.Duration](v *T, other T) {
	if *v <= 0 {
		*v = other
	}
}

func transport(concurrent int) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = concurrent
	t.MaxConnsPerHost = 0
	return t
}

// Do makes a call until it is answered, or until trying in place makes no more
// sense. Its errors are those of package worker, the context's, or ones that
// [IsUnsure] finds.
func (c *Client) Do(ctx context.Context, call Call) error {
	if call.Stream != nil {
		call.Safe = false
		return c.do(ctx, call)
	}
	if call.Expect == nil {
		return errUnaccounted(call.Name)
	}
	further := call.Expect.list != nil && call.Expect.list.begun
	err := c.do(ctx, call)
	if further {
		return pageRefused(c.config.Vendor, err)
	}
	return err
}

func (c *Client) do(ctx context.Context, call Call) error {
	refused, renewed := "", false
	for try := 1; ; {
		token, err := c.tokens.get(ctx, refused)
		if err == nil {
			if err = c.once(ctx, call, token, try); err == nil {
				return nil
			}
		} else if IsUnsure(err) {
			// Getting a token does nothing that couldn't be done again.
			var f *failure
			errors.As(err, &f)
			err = Again(f.after, f.code, f.reason, f.err)
		}
		var f *failure
		if !errors.As(err, &f) {
			return err
		}
		if f.verdict == stale && !f.answered && (renewed || !call.Safe) {
			f = notTheVendor(c.config.Vendor, f.err)
			err = f
		}
		if f.verdict == stale {
			if renewed {
				return worker.Permanent("token-refused", c.config.Vendor+" refuses an access token that it has just issued: check the integration user's access", f.err)
			}
			refused, renewed = token.Value, true
			continue
		}
		if f.verdict == unsure && !call.Safe {
			return err
		}
		if f.after > MaxWait {
			return worker.Because(f.cause, worker.RetryAfter(f.after, f.code, f.reason, f.err))
		}
		if try++; try > c.config.Tries {
			if f.after > 0 {
				return worker.Because(f.cause, worker.RetryAfter(f.after, f.code, f.reason, f.err))
			}
			return worker.Because(f.cause, worker.Transient(f.code, f.reason, f.err))
		}
		if err := c.config.Pause(ctx, max(f.after, backoffOf(try))); err != nil {
			return err
		}
	}
}

// backoffOf doubles the pause with each try, and takes between half and all of
// it: callers that failed together don't come back together.
func backoffOf(try int) time.Duration {
	d := min(firstPause<<(try-2), maxPause)
	return d/2 + rand.N(d/2)
}

// once makes a call once, within the account's limits.
func (c *Client) once(ctx context.Context, call Call, token Token, try int) error {
	leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	var came result
	defer func() { leave(came) }() // also where what the worker gave panics
	span := c.watch.begin(ctx, call, try)
	a, err := c.exchange(span.ctx, call, token)
	c.watch.end(span, a, err)
	came = c.resultOf(a, err)
	return err
}

// exchange sends a call, judges what is answered, and reads it against what was
// asked. The answer is there with an error too, where there was one.
func (c *Client) exchange(ctx context.Context, call Call, token Token) (*Answer, error) {
	if call.Stream != nil {
		return c.stream(ctx, call, token)
	}
	a, err := c.send(ctx, call, token)
	if err != nil {
		return nil, err
	}
	if err := c.judge(a); err != nil {
		return a, err
	}
	t := newTally(call.Expect.keys)
	if err := call.Expect.read(a, t); err != nil {
		return a, broken(c.config.Vendor, err)
	}
	return a, t.settle(c.config.Vendor)
}

// judge returns what an answer means by its status, its header and its form.
func (c *Client) judge(a *Answer) error {
	r := c.config.Parse(a)
	r.Status, r.After, r.Detail = a.Status, a.RetryAfter(c.config.Now()), a.Detail()
	return c.Judge(r)
}

// unwell reports whether an error says that the vendor is: not a refusal.
func unwell(err error) bool {
	var f *failure
	return errors.As(err, &f) && (f.verdict == unsure && !f.answered || f.code == codeUnreachable)
}

// timedOut reports whether an error is that of a call whose time was over.
func timedOut(err error) bool {
	var t interface{ Timeout() bool } // context.DeadlineExceeded, net.Error
	return errors.As(err, &t) && t.Timeout()
}

const codeBroken = "broken-answer"

// broken makes an error for an answer that can't be read. One that says itself what
// it means passes.
func broken(vendor string, err error) error {
	var f *failure
	var e *worker.Error
	if errors.As(err, &f) || errors.As(err, &e) {
		return err
	}
	return Unsure(codeBroken, vendor+"'s answer broke off or could not be read", err)
}
