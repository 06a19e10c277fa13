package callers

import (
	"net"
	"net/http"
	"net/netip"

	"habeas.dev/services/internal/config"
)

// Local returns the caller of a door that knows none: it listens on loopback only, and
// believes who is on the machine ([OnThisMachine]).
func Local() Caller {
	return Caller{Caller: config.Caller{Believed: true, Reads: true, Fetches: true, Cancels: true}}
}

// OnThisMachine reports whether a request comes from this machine, and by a loopback name:
// a page from elsewhere, in a browser here, that has its own name resolve to this machine
// is nobody's who is on it.
func OnThisMachine(r *http.Request) bool { return Loopback(r.RemoteAddr) && Loopback(r.Host) }

// Loopback reports whether HOST:PORT, or HOST, is this machine.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
