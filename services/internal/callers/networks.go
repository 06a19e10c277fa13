package callers

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxNetworks bounds how many networks are remembered: some 2 MB.
	maxNetworks = 10_000
	// prefix6 is the part of an IPv6 address that is one customer's.
	prefix6 = 64
)

// Networks bounds how often something comes from one network of origin: an IPv4 address,
// or what of an IPv6 address is one customer's. It is safe for many goroutines, and for one
// process: of several each has its own count.
type Networks struct {
	most  int
	every rate.Limit
	now   func() time.Time

	mu   sync.Mutex
	each map[netip.Prefix]*rate.Limiter
}

// NewNetworks lets so many come from one network within a time, and as many at once.
func NewNetworks(most int, within time.Duration, now func() time.Time) *Networks {
	return &Networks{most: most, every: rate.Limit(float64(most) / within.Seconds()), now: now, each: map[netip.Prefix]*rate.Limiter{}}
}

// Take counts one, and reports whether it is among those that may come.
func (n *Networks) Take(origin netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := Network(origin)
	l := n.each[key]
	if l == nil {
		n.forget()
		l = rate.NewLimiter(n.every, n.most)
		n.each[key] = l
	}
	return l.AllowN(n.now(), 1)
}

// Spent reports whether none may come from a network now. It counts nothing.
func (n *Networks) Spent(origin netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.each[Network(origin)]
	return l != nil && l.TokensAt(n.now()) < 1
}

// forget makes room: those go of which nothing counts any more, and all of them where that
// isn't enough. The caller holds n.mu.
func (n *Networks) forget() {
	if len(n.each) < maxNetworks {
		return
	}
	for key, l := range n.each {
		if l.TokensAt(n.now()) >= float64(n.most) {
			delete(n.each, key)
		}
	}
	if len(n.each) >= maxNetworks {
		clear(n.each)
	}
}

// Network returns what of an address is one customer's.
func Network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = prefix6
	}
	p, _ := a.Prefix(bits)
	return p
}
