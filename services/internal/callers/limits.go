package callers

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"habeas.dev/services/internal/config"
)

const (
	// failuresPerMinute is how many sign-ins may fail from one address; then its calls
	// are refused before anything is looked at. A caller with a wrong token notices
	// long before.
	failuresPerMinute = 30
	// burstPart is the part of a minute's calls that may come at once.
	burstPart = 6
)

// Limits bounds how often a caller calls, and how often an address fails to sign in.
// It is safe for many goroutines, and for one process: of several doors each has its
// own count.
type Limits struct {
	proxies []netip.Prefix
	now     func() time.Time

	failures *Networks

	mu      sync.Mutex
	callers map[string]*rate.Limiter
}

// NewLimits returns limits; proxies are those whose word on the origin is believed.
func NewLimits(proxies []netip.Prefix, now func() time.Time) *Limits {
	return &Limits{proxies: proxies, now: now, failures: NewNetworks(failuresPerMinute, time.Minute, now), callers: map[string]*rate.Limiter{}}
}

// Call takes one call from a caller's rate; false where it has called too often.
func (l *Limits) Call(c Caller) bool {
	if !c.Known() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.callers[c.Name]
	if limiter == nil {
		perMinute := c.PerMinute
		if perMinute == 0 {
			perMinute = config.DefaultPerMinute
		}
		limiter = rate.NewLimiter(rate.Limit(float64(perMinute)/60), max(perMinute/burstPart, 1))
		l.callers[c.Name] = limiter
	}
	return limiter.AllowN(l.now(), 1)
}

// Failing reports whether sign-ins from an address fail too often.
func (l *Limits) Failing(origin netip.Addr) bool { return l.failures.Spent(origin) }

// Failed counts a sign-in from an address that failed.
func (l *Limits) Failed(origin netip.Addr) { l.failures.Take(origin) }

// Origin returns the address that a request comes from: the connection's, or what the
// proxies say that are believed, each of the one before it.
func (l *Limits) Origin(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	at = at.Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && l.believed(at); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		at = before.Unmap()
	}
	return at
}

func (l *Limits) believed(a netip.Addr) bool {
	for _, p := range l.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
