package vendorapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/worker"
)

// send makes the HTTP exchange. Its errors are [Again] and [Unsure], or the
// context's.
func (c *Client) send(ctx context.Context, call Call, token Token) (*Answer, error) {
	callCtx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	body := call.Body
	if call.Make != nil {
		body = call.Make(token.Value)
	}
	req, err := c.request(callCtx, call, token, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.transportError(ctx, err)
	}
	defer resp.Body.Close()
	return c.whole(ctx, resp)
}

// request makes a call's request. Its error is one of package worker.
func (c *Client) request(ctx context.Context, call Call, token Token, body io.Reader) (*http.Request, error) {
	address := call.Path
	if strings.HasPrefix(address, "/") {
		address = token.Base + address
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, address, body)
	if err != nil {
		return nil, worker.Permanent("bad-address", "the address of "+c.config.Vendor+" in the configuration is not a URL", bare(err))
	}
	if call.Header != nil {
		req.Header = call.Header.Clone()
	}
	if token.Value != "" {
		req.Header.Set("Authorization", "Bearer "+token.Value)
	}
	return req, nil
}

// whole reads an answer to its end.
func (c *Client) whole(ctx context.Context, resp *http.Response) (a *Answer, err error) {
	a = &Answer{Status: resp.StatusCode, Header: resp.Header}
	if a.Body, err = readAll(resp, c.config.MaxAnswer); err != nil {
		if errors.Is(err, errTooLarge) {
			return nil, worker.Permanent("answer-too-large", fmt.Sprintf("%s's answer is larger than %d bytes", c.config.Vendor, c.config.MaxAnswer), nil)
		}
		return nil, c.transportError(ctx, err)
	}
	return a, nil
}

var errTooLarge = telemetry.Constant("answer too large")

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

const codeUnreachable = "unreachable"

// transportError tells a call that never left from one whose fate is open.
func (c *Client) transportError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = bare(err)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return Again(0, codeUnreachable, c.config.Vendor+" can't be reached", err)
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

// Detail returns the answer's beginning, as the error that is wrapped and sealed.
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
