// Package fault makes the stand-ins fail as vendors do: slowly, with 5xx, with
// connections cut in mid-answer, with half an answer. What fails is drawn from
// a seed.
package fault

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config says what goes wrong, and how often: shares are between 0 and 1 of all
// calls. The zero value means that nothing does.
type Config struct {
	Seed int64
	// Latency is waited before every answer, and up to Jitter more.
	Latency, Jitter time.Duration
	// ServerError is the share answered 503 with nothing done.
	ServerError float64
	// ErrorAfter is the share that is done and then answered 502: the vendor's
	// answer is lost on the way.
	ErrorAfter float64
	// Throttle is the share refused as too many, in the vendor's own way.
	Throttle float64
	// Cut is the share that is done, and whose connection is cut in mid-answer.
	Cut float64
	// Half is the share whose answer ends in the middle, with HTTP in order.
	Half float64
	// Lock is the share of records that can't be changed this time because
	// someone else holds them.
	Lock float64
	// Quota is for how long, from when it is set, the day's calls are used up.
	Quota time.Duration
	// Revoke and ExpirePages are the shares of calls before which the access
	// token is revoked, and page tokens are made void.
	Revoke, ExpirePages float64
	// Spoilt is the share of answers that are spoilt: they have HTTP in order, and
	// must not count. Spoil names in which of the vendor's ways, joined by +; all
	// where it is empty.
	Spoilt float64
	Spoil  string
	// SpoiltCall is the one call, the first after this is set being 1, whose answer
	// is spoilt; 0 for none.
	SpoiltCall int
	// Settle is how long what is deleted is still shown: stand-ins that can play
	// it are told when they are made.
	Settle time.Duration
	// Forbid names what the caller's role may not see, joined by +: stand-ins that
	// can play it are told when they are made.
	Forbid string
}

// Forbidden returns the names of what the caller's role may not see.
func (c Config) Forbidden() []string {
	return strings.FieldsFunc(c.Forbid, func(r rune) bool { return r == '+' })
}

// Vendor is how one vendor's stand-in plays what isn't the same for all. What is
// nil isn't played.
type Vendor struct {
	Clock func() time.Time // time.Now where nil
	// Throttled writes the refusal of a call too many.
	Throttled http.HandlerFunc
	// Free tells of a call that the quota doesn't count, such as one for a token.
	Free func(*http.Request) bool
	// Spent writes the refusal of a call while the quota is spent, which it is for
	// some time yet.
	Spent func(w http.ResponseWriter, r *http.Request, rest time.Duration)
	// Revoke makes access tokens void, ExpirePages page tokens.
	Revoke, ExpirePages func()
	// Spoils are the ways in which its answers are spoilt: see [Spoils].
	Spoils map[string]Spoil
}

// Injector draws faults. It is safe for concurrent use.
type Injector struct {
	vendor Vendor

	mu     sync.Mutex
	config Config
	since  time.Time // when config was set
	rand   *rand.Rand
	calm   int // calls until a token can be revoked again
	calls  int // since config was set
}

// revokePause is how many calls a fresh token is good for at least: with fewer,
// what is played is an account that is shut, which is another fault.
const revokePause = 10

// maxBody is as much of a call as any stand-in takes, in bytes.
const maxBody = 16 << 20

// New returns an injector of a vendor's faults.
func New(c Config, v Vendor) *Injector {
	i := &Injector{vendor: v}
	i.Set(c)
	return i
}

func (i *Injector) now() time.Time {
	if i.vendor.Clock != nil {
		return i.vendor.Clock()
	}
	return time.Now()
}

// Set changes what goes wrong from the next call on.
func (i *Injector) Set(c Config) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.config, i.calls, i.since, i.rand = c, 0, i.now(), rand.New(rand.NewPCG(uint64(c.Seed), 1))
}

// Locked draws whether one record is locked.
func (i *Injector) Locked() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.config.Lock > 0 && i.rand.Float64() < i.config.Lock
}

// before does what goes before a call, and tells how long the quota is spent yet.
func (i *Injector) before(r *http.Request) (rest time.Duration) {
	i.mu.Lock()
	c, v := i.config, i.vendor
	revoke := c.Revoke > 0 && i.calm == 0 && i.rand.Float64() < c.Revoke
	i.calm = max(i.calm-1, 0)
	if revoke {
		i.calm = revokePause
	}
	expire := c.ExpirePages > 0 && i.rand.Float64() < c.ExpirePages
	rest = i.since.Add(c.Quota).Sub(i.now())
	i.mu.Unlock()
	if revoke && v.Revoke != nil {
		v.Revoke()
	}
	if expire && v.ExpirePages != nil {
		v.ExpirePages()
	}
	if c.Quota == 0 || v.Spent == nil || v.Free != nil && v.Free(r) {
		return 0
	}
	return max(rest, 0)
}

type verdict uint8

const (
	pass verdict = iota
	refuse
	throttle
	loseAfter
	cut
	half
	spoil
)

func (i *Injector) draw() (verdict, time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	c := i.config
	if c == (Config{Seed: c.Seed}) {
		return pass, 0
	}
	if i.calls++; i.calls == c.SpoiltCall {
		return spoil, 0
	}
	wait := c.Latency
	if c.Jitter > 0 {
		wait += time.Duration(i.rand.Int64N(int64(c.Jitter)))
	}
	roll := i.rand.Float64()
	for _, f := range [...]struct {
		verdict
		share float64
	}{{refuse, c.ServerError}, {throttle, c.Throttle}, {loseAfter, c.ErrorAfter}, {cut, c.Cut}, {half, c.Half}, {spoil, c.Spoilt}} {
		if roll < f.share {
			return f.verdict, wait
		}
		roll -= f.share
	}
	return pass, wait
}

// spoil spoils an answer in one of the ways that are wanted and that it can be
// spoilt in; it stays as it is where there is none.
func (i *Injector) spoil(req *http.Request, a *Answer) {
	i.mu.Lock()
	defer i.mu.Unlock()
	names := strings.FieldsFunc(i.config.Spoil, func(r rune) bool { return r == '+' })
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(i.vendor.Spoils))
	}
	for _, n := range i.rand.Perm(len(names)) {
		whole := Answer{a.Status, a.Header.Clone(), slices.Clone(a.Body)}
		if s := i.vendor.Spoils[names[n]]; s != nil && s(i.rand, req, &whole) {
			clear(a.Header)
			maps.Copy(a.Header, whole.Header)
			a.Status, a.Body = whole.Status, whole.Body
			return
		}
	}
}

// Spoils returns the names of the ways in which the vendor's answers can be spoilt.
func (i *Injector) Spoils() []string { return slices.Sorted(maps.Keys(i.vendor.Spoils)) }

// Wrap puts the faults before a handler.
func (i *Injector) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, wait := i.draw()
		if wait > 0 {
			// Whether the caller has gone is looked for once the body is read, and
			// not before: a server would wait out an hour for nobody.
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
			if err != nil {
				return // as a caller that has gone
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			t := time.NewTimer(wait)
			select {
			case <-t.C:
			case <-r.Context().Done():
				t.Stop()
				return
			}
		}
		if rest := i.before(r); rest > 0 {
			i.vendor.Spent(w, r, rest)
			return
		}
		switch v {
		case pass:
			next.ServeHTTP(w, r)
		case refuse:
			http.Error(w, "<html><body>Service Unavailable</body></html>", http.StatusServiceUnavailable)
		case throttle:
			i.vendor.Throttled(w, r)
		case loseAfter:
			next.ServeHTTP(&buffer{header: http.Header{}}, r)
			http.Error(w, "<html><body>Bad Gateway</body></html>", http.StatusBadGateway)
		case spoil:
			b := &buffer{header: w.Header(), status: http.StatusOK}
			next.ServeHTTP(b, r)
			a := Answer{b.status, b.header, b.body.Bytes()}
			i.spoil(r, &a)
			w.Header().Del("Content-Length")
			w.WriteHeader(a.Status)
			w.Write(a.Body)
		case cut, half:
			b := &buffer{header: w.Header(), status: http.StatusOK}
			next.ServeHTTP(b, r)
			sent := b.body.Bytes()[:b.body.Len()/2]
			if v == cut {
				w.Header().Set("Content-Length", strconv.Itoa(b.body.Len()+1))
			}
			w.WriteHeader(b.status)
			w.Write(sent)
			if v == cut {
				panic(http.ErrAbortHandler)
			}
		}
	})
}

// buffer holds an answer back.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header         { return b.header }
func (b *buffer) WriteHeader(status int)      { b.status = status }
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }
