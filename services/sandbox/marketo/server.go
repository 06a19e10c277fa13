// Package marketo stands in for Marketo's REST interface over loopback HTTP,
// true to the wire as far as a data-rights worker and common clients use it:
// the token endpoint, leads with describe and paging, activities, deletions,
// custom objects, memberships, bulk extract, page tokens that expire, errors inside
// of HTTP 200, limits by the window, at once and by the day, and the synchronisation with a CRM that makes deleted leads again. Its content is
// a seeded population; what callers change is kept in a file and outlives a
// kill -9.
package marketo

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	_ "time/tzdata" // the day's quota is renewed at midnight in America/Chicago

	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/server"
)

// Marketo's limits (Adobe's developer documentation).
const (
	MaxPage      = 300       // records of a page, values of a filter, records of a deletion
	MaxLeadIDs   = 30        // lead ids of a query for activities
	MaxTypes     = 10        // activity types of the same
	MaxURI       = 8 << 10   // bytes
	MaxBody      = 1 << 20   // bytes
	maxTokenLife = time.Hour //
	// DefaultPageLife is how long a page token is good for.
	DefaultPageLife = 24 * time.Hour
	// DefaultSyncEvery is how often Marketo synchronises with Salesforce.
	DefaultSyncEvery = 5 * time.Minute
)

// The credentials that the stand-in takes by default.
const (
	DefaultClientID     = "habeas-sandbox"
	DefaultClientSecret = "habeas-sandbox-secret"
)

// Limits are what the stand-in refuses beyond; 0 sets no limit.
type Limits struct {
	PerWindow  int // calls in 20 seconds; beyond: 606
	Concurrent int // calls at once; beyond: 615
	Daily      int // calls a day; beyond: 607
}

// RealLimits returns Marketo's own limits.
func RealLimits() Limits { return Limits{PerWindow: 100, Concurrent: 10, Daily: 50_000} }

const window = 20 * time.Second

// CRM is what Marketo synchronises with.
type CRM interface {
	// HoldsContact tells whether a person with this address is there.
	HoldsContact(email string) bool
}

// Config says what the stand-in holds and how it behaves. Only Population is needed.
type Config struct {
	Population *people.Population
	// Dir is where changes are kept, in marketo.changes; empty keeps none.
	Dir string
	// Clock is time.Now where nil.
	Clock func() time.Time
	// PageSize is how many records a page holds; at most and by default
	// [MaxPage].
	PageSize int
	// ShortPages makes every second page of activities shorter than a full one
	// although more follow, as Marketo does.
	ShortPages bool
	// TokenLife is how long an access token is good for: an hour at most, and
	// by default.
	TokenLife              time.Duration
	ClientID, ClientSecret string
	Limits                 Limits
	// CRM creates a deleted lead again where it still holds the contact, SyncEvery
	// after the deletion ([DefaultSyncEvery] where zero); nil for none.
	CRM       CRM
	SyncEvery time.Duration
	// Settle is how long a deleted lead is still shown.
	Settle time.Duration
	// Objects are custom objects of the instance, with some records of each lead.
	Objects []Object
	// ExportTime is how long a job of bulk extract runs.
	ExportTime time.Duration
	// Forbidden are the kinds of calls (see [Server.Calls]) that the caller's role
	// has no permission for: they are answered with 603.
	Forbidden []string
	// PageLife is how long a page token is good for; [DefaultPageLife] unless
	// told.
	PageLife time.Duration
	// Hidden are fields of leads that the caller's permissions don't show.
	Hidden []string
	// Faults are what goes wrong.
	Faults fault.Config
}

// Server is the stand-in: an [http.Handler], safe for concurrent use. It counts
// calls as token, leads, leads.delete, leads.sync, describe, activities,
// activityTypes, pagingToken, deletedLeads, and so on.
type Server struct {
	server.Base
	config Config
	zone   *time.Location

	callMu sync.Mutex  // guards what follows
	recent []time.Time // calls in the window
	now    int         // calls at once
	day    string
	today  int
	token  string
	until  time.Time
	epoch  int // of page tokens

	exportMu sync.Mutex // guards what follows; locked before mu
	exports  []*export  // in the order of their making; they don't outlive the process

	mu    sync.RWMutex // guards what follows
	store *store
}

// New seeds the stand-in and applies the changes that are kept in Dir.
func New(c Config) (*Server, error) {
	if c.Population == nil {
		return nil, errors.New("marketo sandbox: no population")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.PageSize <= 0 || c.PageSize > MaxPage {
		c.PageSize = MaxPage
	}
	if c.TokenLife <= 0 || c.TokenLife > maxTokenLife {
		c.TokenLife = maxTokenLife
	}
	if c.PageLife <= 0 {
		c.PageLife = DefaultPageLife
	}
	if c.SyncEvery <= 0 {
		c.SyncEvery = DefaultSyncEvery
	}
	if c.ClientID == "" {
		c.ClientID, c.ClientSecret = DefaultClientID, DefaultClientSecret
	}
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		return nil, fmt.Errorf("marketo sandbox: %w", err)
	}
	st, digest, err := seed(c.Population, c.Hidden)
	if err != nil {
		return nil, fmt.Errorf("marketo sandbox: %w", err)
	}
	for _, o := range c.Objects {
		st.seedObject(o)
	}
	s := &Server{config: c, store: st, zone: zone}
	if err := s.Keep(c.Dir, "marketo", digest, s.replay); err != nil {
		return nil, err
	}
	s.Start(c.Faults, fault.Vendor{
		Clock: c.Clock, Revoke: s.RevokeTokens, ExpirePages: s.ExpirePages, Spoils: spoils(),
		Throttled: func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, "606", "Max rate limit '100' exceeded with in '20' secs")
		},
		Free: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/identity/") },
		Spent: func(w http.ResponseWriter, _ *http.Request, _ time.Duration) {
			refuse(w, "607", "Daily quota '50000' reached")
		},
	}, s.serve)
	return s, nil
}

// Forbid changes which kinds of calls the caller's role has no permission for; see
// [Config.Forbidden].
func (s *Server) Forbid(kinds ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Forbidden = kinds
}

func (s *Server) forbids(kind string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Contains(s.config.Forbidden, kind)
}

// RevokeTokens makes the access token invalid at once.
func (s *Server) RevokeTokens() {
	s.callMu.Lock()
	defer s.callMu.Unlock()
	s.token = ""
}

// ExpirePages makes every page token invalid at once.
func (s *Server) ExpirePages() {
	s.callMu.Lock()
	defer s.callMu.Unlock()
	s.epoch++
}

// enter counts a call and holds it against the limits. leave MUST be called
// where it is not nil.
func (s *Server) enter(kind string) (leave func(), code, message string) {
	s.Count(kind)
	s.callMu.Lock()
	defer s.callMu.Unlock()
	now, limits := s.config.Clock(), s.config.Limits
	if day := now.In(s.zone).Format(time.DateOnly); day != s.day {
		s.day, s.today = day, 0
	}
	if limits.Daily > 0 && s.today >= limits.Daily {
		return nil, "607", fmt.Sprintf("Daily quota '%d' reached", limits.Daily)
	}
	s.today++
	if limits.PerWindow > 0 {
		first := 0
		for first < len(s.recent) && now.Sub(s.recent[first]) >= window {
			first++
		}
		s.recent = append(s.recent[:0], s.recent[first:]...)
		if len(s.recent) >= limits.PerWindow {
			return nil, "606", fmt.Sprintf("Max rate limit '%d' exceeded with in '20' secs", limits.PerWindow)
		}
		s.recent = append(s.recent, now)
	}
	if limits.Concurrent > 0 && s.now >= limits.Concurrent {
		return nil, "615", fmt.Sprintf("Concurrent access limit reached: '%d'", limits.Concurrent)
	}
	s.now++
	return func() {
		s.callMu.Lock()
		defer s.callMu.Unlock()
		s.now--
	}, "", ""
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}
