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
func (o *OIDC) Mint(w http.ResponseWriter, u User) error { return o.cookies.begin(w, u, o.Now()) }

// AskAgain answers as the provider does when it is asked again: they are who they were.
func (o *OIDC) AskAgain(w http.ResponseWriter, r *http.Request) error {
	s, ok := o.session(r)
	if !ok {
		return http.ErrNoCookie
	}
	return o.cookies.begin(w, s.User, s.Began)
}

// RolesAsked and RolesMax are when the provider is asked again.
const (
	RolesAsked = rolesAsked
	RolesMax   = rolesMax
	// MaxSearches is how many people somebody may search for within an hour.
	MaxSearches = maxSearches
)
