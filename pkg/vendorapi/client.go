package vendorapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"habeas.dev/pkg/worker"
)

// Client calls one vendor. It is safe for concurrent use.
type Client struct {
	config  Config
	http    *http.Client
	limiter *rate.Limiter // nil where there is no limit
	places  chan struct{}
	breaker *gobreaker.CircuitBreaker[*Answer]
	tokens  tokens
}

// New returns a client.
func New(c Config) (*Client, error) {
	if c.Vendor == "" || c.Judge == nil {
		return nil, errors.New("vendorapi: a client needs a vendor and a judge")
	}
	orElse(&c.Concurrent, DefaultConcurrent)
	orElse(&c.Timeout, DefaultTimeout)
	orElse(&c.MaxAnswer, DefaultMaxAnswer)
	orElse(&c.Tries, DefaultTries)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Pause == nil {
		c.Pause = pause
	}
	cl := &Client{config: c, places: make(chan struct{}, c.Concurrent)}
	if c.Rate > 0 && c.Rate < rate.Inf {
		cl.limiter = rate.NewLimiter(c.Rate, max(c.Burst, 1))
	}
	hc := http.Client{Transport: transport(c.Concurrent)}
	if c.HTTPClient != nil {
		hc = *c.HTTPClient
	}
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cl.http = &hc
	cl.tokens = tokens{fetch: c.Token, now: c.Now}
	cl.breaker = gobreaker.NewCircuitBreaker[*Answer](gobreaker.Settings{
		Name: c.Vendor, Timeout: breakFor,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= breakAfter },
		// Only what says that the vendor is unwell counts: not a refusal.
		IsSuccessful: func(err error) bool { return !IsUnsure(err) },
	})
	return cl, nil
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

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Do makes a call until it is answered, or until trying in place makes no more
// sense. Its errors are those of package worker, the context's, or ones that
// [IsUnsure] finds.
func (c *Client) Do(ctx context.Context, call Call) (*Answer, error) {
	refused, renewed := "", false
	for try := 1; ; {
		token, err := c.tokens.get(ctx, refused)
		if err == nil {
			var a *Answer
			if a, err = c.once(ctx, call, token); err == nil {
				return a, nil
			}
		} else if IsUnsure(err) {
			// Getting a token does nothing that couldn't be done again.
			var f *failure
			errors.As(err, &f)
			err = Again(f.after, f.code, f.reason, f.err)
		}
		var f *failure
		if !errors.As(err, &f) {
			return nil, err
		}
		if f.verdict == stale {
			if renewed {
				return nil, worker.Permanent("token-refused", c.config.Vendor+" refuses an access token that it has just issued: check the integration user's access", f.err)
			}
			refused, renewed = token.Value, true
			continue
		}
		if f.verdict == unsure && !call.Safe {
			return nil, err
		}
		if f.after > MaxWait {
			return nil, worker.RetryAfter(f.after, f.code, f.reason, f.err)
		}
		if try++; try > c.config.Tries {
			if f.after > 0 {
				return nil, worker.RetryAfter(f.after, f.code, f.reason, f.err)
			}
			return nil, worker.Transient(f.code, f.reason, f.err)
		}
		if err := c.config.Pause(ctx, max(f.after, backoffOf(try))); err != nil {
			return nil, err
		}
	}
}

// backoffOf doubles the pause with each try, and takes between half and all of
// it: callers that failed together don't come back together.
func backoffOf(try int) time.Duration {
	d := min(firstPause<<(try-2), maxPause)
	return d/2 + rand.N(d/2)
}

// once makes a call once.
func (c *Client) once(ctx context.Context, call Call, token Token) (*Answer, error) {
	if err := c.admit(ctx); err != nil {
		return nil, err
	}
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	a, err := c.breaker.Execute(func() (*Answer, error) {
		a, err := c.send(ctx, call, token)
		if err != nil {
			return nil, err
		}
		if err := c.config.Judge(a); err != nil {
			return nil, broken(c.config.Vendor, err)
		}
		if call.Read != nil {
			if err := call.Read(a); err != nil {
				return nil, broken(c.config.Vendor, err)
			}
		}
		return a, nil
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, worker.RetryAfter(breakFor, "vendor-down", c.config.Vendor+" failed many times in a row and is left alone for a while", err)
	}
	return a, err
}

// broken is an answer that can't be read. An error that says itself what it
// means passes.
func broken(vendor string, err error) error {
	var f *failure
	var e *worker.Error
	if errors.As(err, &f) || errors.As(err, &e) {
		return err
	}
	return Unsure("broken-answer", vendor+"'s answer broke off or could not be read", err)
}

// admit waits for the rate limit.
func (c *Client) admit(ctx context.Context) error {
	if c.limiter == nil {
		return ctx.Err()
	}
	now := c.config.Now()
	r := c.limiter.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > MaxWait {
		r.CancelAt(now)
		return worker.RetryAfter(wait, "rate-limited", "the budget of calls to "+c.config.Vendor+" is used up for the moment", nil)
	}
	if wait > 0 {
		return c.config.Pause(ctx, wait)
	}
	return ctx.Err()
}

// Post makes one call without token, rate limit or tries, as for a token: its
// Judge is the caller's. The body is a form.
func (c *Client) Post(ctx context.Context, address string, form url.Values) (*Answer, error) {
	return c.send(ctx, Call{Method: http.MethodPost, Path: address, Body: []byte(form.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}, Token{})
}

// send makes the HTTP exchange. Its errors are [Again] and [Unsure], or the
// context's.
func (c *Client) send(ctx context.Context, call Call, token Token) (*Answer, error) {
	callCtx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	body := call.Body
	if call.Make != nil {
		body = call.Make(token.Value)
	}
	address := call.Path
	if strings.HasPrefix(address, "/") {
		address = token.Base + address
	}
	req, err := http.NewRequestWithContext(callCtx, call.Method, address, bytes.NewReader(body))
	if err != nil {
		return nil, worker.Permanent("bad-address", "the address of "+c.config.Vendor+" in the configuration is not a URL", bare(err))
	}
	if call.Header != nil {
		req.Header = call.Header.Clone()
	}
	if token.Value != "" {
		req.Header.Set("Authorization", "Bearer "+token.Value)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.transportError(ctx, err)
	}
	defer resp.Body.Close()
	a := &Answer{Status: resp.StatusCode, Header: resp.Header}
	if a.Body, err = readAll(resp, c.config.MaxAnswer); err != nil {
		if errors.Is(err, errTooLarge) {
			return nil, worker.Permanent("answer-too-large", fmt.Sprintf("%s's answer is larger than %d bytes", c.config.Vendor, c.config.MaxAnswer), nil)
		}
		return nil, c.transportError(ctx, err)
	}
	return a, nil
}

var errTooLarge = errors.New("answer too large")

func readAll(resp *http.Response, most int64) ([]byte, error) {
	if resp.ContentLength > most {
		return nil, errTooLarge
	}
	var b bytes.Buffer
	if resp.ContentLength > 0 {
		b.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(resp.Body, most+1))
	if n > most {
		return nil, errTooLarge
	}
	return b.Bytes(), err
}

// transportError tells a call that never left from one whose fate is open.
func (c *Client) transportError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = bare(err)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return Again(0, "unreachable", c.config.Vendor+" can't be reached", err)
	}
	return Unsure("connection-lost", "the connection to "+c.config.Vendor+" broke before it had answered", err)
}

// bare drops the address that net/http puts into its errors.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// RetryAfter reads an answer's Retry-After: seconds or a date (RFC 9110,
// 10.2.3); 0 where there is none.
func (a *Answer) RetryAfter(now time.Time) time.Duration {
	h := a.Header.Get("Retry-After")
	if s, err := strconv.Atoi(h); err == nil && s >= 0 && s < 1<<30 {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(h); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// Detail is an answer's beginning, as the error that is wrapped and sealed.
func (a *Answer) Detail() error {
	const most = 2 << 10
	return fmt.Errorf("HTTP %d: %s", a.Status, a.Body[:min(len(a.Body), most)])
}

// Code returns a vendor's own code if it has the form of one, so that it can
// stand in the open; else "unknown".
func Code(s string) string {
	const most = 60
	if s == "" || len(s) > most {
		return "unknown"
	}
	for i := range len(s) {
		c := s[i]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return "unknown"
		}
	}
	return s
}
