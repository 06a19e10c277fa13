package console

import (
	"maps"
	"net/http"
	"slices"
)

// Patterns returns those of everything that a console serves.
func Patterns(c *Console) []string { return slices.Sorted(maps.Keys(c.handlers())) }

// Streams fills a person's places but some, or all places with other people's.
func Streams(c *Console, name string, n int) {
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	if name == "" {
		c.streams.all = n
		return
	}
	c.streams.each[name] = n
}

// Open returns how many streams are open.
func Open(c *Console) int {
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	return c.streams.all
}

// Limits.
const (
	MaxStreams     = maxStreams
	MaxStreamsEach = maxStreamsEach
	SessionIdle    = sessionIdle
	SessionMax     = sessionMax
)

// Mint begins a session as the provider's word would.
func (o *OIDC) Mint(w http.ResponseWriter, u User) error { return o.cookies.begin(w, u) }
