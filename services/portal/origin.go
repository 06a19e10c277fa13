package portal

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// asksPerHour is how many codes one origin has sent within an hour, and as many at once:
	// a company's many people share an origin.
	asksPerHour = 60
	// maxOrigins bounds how many origins are remembered.
	maxOrigins = 10_000
	// prefix6 is the part of an IPv6 address that is one customer's.
	prefix6 = 64
)

// origins bounds how often codes are asked for from one origin, in this process.
type origins struct {
	of  func(*http.Request) netip.Addr
	now func() time.Time

	mu   sync.Mutex
	each map[netip.Prefix]*rate.Limiter
}

func newOrigins(of func(*http.Request) netip.Addr, now func() time.Time) *origins {
	return &origins{of: of, now: now, each: map[netip.Prefix]*rate.Limiter{}}
}

// allow counts one, and reports whether it is among those that may be.
func (o *origins) allow(r *http.Request) bool {
	addr := o.of(r)
	bits := addr.BitLen()
	if addr.Is6() {
		bits = prefix6
	}
	key, _ := addr.Prefix(bits)
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.each[key]
	if l == nil {
		o.forget()
		l = rate.NewLimiter(rate.Limit(float64(asksPerHour)/3600), asksPerHour)
		o.each[key] = l
	}
	return l.AllowN(o.now(), 1)
}

// forget makes room: those go that have asked for nothing for an hour, and all of them
// where that isn't enough. Holds o.mu.
func (o *origins) forget() {
	if len(o.each) < maxOrigins {
		return
	}
	for a, l := range o.each {
		if l.TokensAt(o.now()) >= asksPerHour {
			delete(o.each, a)
		}
	}
	if len(o.each) >= maxOrigins {
		clear(o.each)
	}
}
