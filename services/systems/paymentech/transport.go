package paymentech

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/telemetry"
)

const (
	// maxAnswer bounds an answer, in bytes; a profile has some two thousand.
	maxAnswer = 1 << 20
	// secondaryFor is how long the other host is called after one has failed.
	// J.P. Morgan asks merchants to come back to the first.
	secondaryFor = 5 * time.Minute
)

var errTooLarge = telemetry.Constant("the answer is larger than a profile can be")

// maskingTransport is what stands between the client and the network: it reads every answer
// whole and masks it before it hands it on, and calls the gateway's other host
// when one fails. It is an [http.RoundTripper].
type maskingTransport struct {
	next  http.RoundTripper
	hosts hosts
}

// RoundTrip makes one exchange.
func (w *maskingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	base, number := w.hosts.get()
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host, req.Host = base.Scheme, base.Host, ""
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		w.hosts.failed(number)
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if len(body) > maxAnswer {
		body, err = nil, errTooLarge
	}
	body = masked(body, askedBy(req.URL))
	if m, broken := members(body); err != nil || resp.StatusCode >= http.StatusInternalServerError || broken == nil && slices.Contains(resends, statusOf(m)) {
		w.hosts.failed(number)
	}
	for name, values := range resp.Header {
		for i, v := range values {
			resp.Header[name][i] = maskedValue("", v, "")
		}
	}
	resp.Header.Del("Content-Length")
	resp.ContentLength = -1
	resp.Body = &readBody{r: bytes.NewReader(body), err: err}
	return resp, nil
}

// askedBy returns the reference at the end of a read's address.
func askedBy(address *url.URL) string {
	_, ref, _ := strings.Cut(address.Path, "/customerrefnum/")
	return ref
}

// readBody is a body that was read, with the error that ended it.
type readBody struct {
	r   *bytes.Reader
	err error
}

func (b *readBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && b.err != nil {
		err = b.err
	}
	return n, err
}

func (b *readBody) Close() error { return nil }

// hosts are the gateway's addresses, and which of them is called.
type hosts struct {
	bases []*url.URL
	now   func() time.Time

	mu    sync.Mutex
	at    int
	since time.Time // of the last turn
}

// get returns the host to call, and its number.
func (h *hosts) get() (*url.URL, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at > 0 && h.now().Sub(h.since) >= secondaryFor {
		h.at = 0
	}
	return h.bases[h.at], h.at
}

// failed turns to the next host, unless somebody has turned already.
func (h *hosts) failed(number int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number == h.at {
		h.at, h.since = (h.at+1)%len(h.bases), h.now()
	}
}
