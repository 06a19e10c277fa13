package vendorapi

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"time"
)

// stream sends a call whose answer is read as it comes.
func (c *Client) stream(ctx context.Context, call Call, token Token) (*Answer, error) {
	callCtx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	limit := cmp.Or(c.config.Silence, c.config.Timeout)
	watch := silence{limit: limit, timer: time.AfterFunc(limit, cancel)}
	defer watch.timer.Stop()

	req, err := c.request(callCtx, call, token, http.NoBody)
	if err != nil {
		return nil, err
	}
	if call.Write != nil {
		req.ContentLength = call.Length
		req.GetBody = func() (io.ReadCloser, error) { return watch.body(call.Write), nil }
		req.Body, _ = req.GetBody()
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.transportError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		a, err := c.whole(ctx, resp)
		if err != nil {
			return a, err
		}
		return a, c.judge(a)
	}
	a := &Answer{Status: resp.StatusCode, Header: resp.Header}
	if err := c.judge(a); err != nil {
		return a, err
	}
	err = call.Stream(a, watch.heard(resp.Body))
	switch {
	case err == nil:
		return a, nil
	case ctx.Err() != nil:
		return a, ctx.Err()
	case callCtx.Err() != nil:
		return a, Unsure("silent", c.config.Vendor+" fell silent in the middle of its answer", err)
	}
	return a, broken(c.config.Vendor, err)
}

// silence ends a call on which nothing has moved for a while.
type silence struct {
	limit time.Duration
	timer *time.Timer
}

// body returns what write writes, as the transport reads it.
func (s silence) body(write func(io.Writer) error) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }() // ends with the transport's Close of r
	return struct {
		io.Reader
		io.Closer
	}{s.heard(r), r}
}

// heard returns a reader of which each byte that comes is a sign of life.
func (s silence) heard(r io.Reader) io.Reader { return &heard{s, r} }

type heard struct {
	silence
	r io.Reader
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	if n > 0 {
		h.timer.Reset(h.limit)
	}
	return n, err
}
