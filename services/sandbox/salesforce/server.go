// Package salesforce stands in for Salesforce's REST interface over loopback
// HTTP, true to the wire as far as a data-rights worker and common clients use
// it: OAuth's client credentials and JWT bearer, SOQL with paging, Composite,
// collections, single records, files, the recycle bin and SOAP's
// emptyRecycleBin, Bulk API 2.0, limits, and both shapes of error. Its content is a seeded population; what callers change is
// kept in a file and outlives a kill -9.
package salesforce

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/server"
)

// What Salesforce's own limits are (REST API Developer Guide; Salesforce
// Developer Limits and Allocations).
const (
	MaxPage        = 2_000  // rows of a page of answers
	MaxCollection  = 200    // records of a collection call, ids of emptyRecycleBin
	MaxSubrequests = 25     // of a Composite
	MaxHeavy       = 5      // subrequests of a Composite that are queries or collections
	MaxURI         = 16_384 // bytes of the URI, headers included
	BinDays        = 15     // days in the recycle bin
)

const (
	defaultTokenLife = 2 * time.Hour
	defaultDaily     = 1_000_000
	// maxBody is above what Salesforce takes, and a bound for this process.
	maxBody = 16 << 20
	// cursorLife and maxCursors bound what unfinished queries hold.
	cursorLife = 15 * time.Minute
	maxCursors = 1_000
)

// The credentials that the stand-in takes by default.
const (
	DefaultClientID     = "habeas-sandbox"
	DefaultClientSecret = "habeas-sandbox-secret"
)

// Config says what the stand-in holds and how it behaves. Only Population is needed.
type Config struct {
	Population *people.Population
	// Dir is where changes are kept, in salesforce.changes; empty keeps none.
	Dir string
	// Clock is time.Now where nil.
	Clock func() time.Time
	// PageSize is how many rows a page of answers holds; at most and by default
	// [MaxPage].
	PageSize int
	// TokenLife is how long an access token is good for; two hours by default.
	TokenLife time.Duration
	// DailyCalls is the org's quota in a day; a million by default.
	DailyCalls int64
	// ClientID and ClientSecret are the connected app's. With a Certificate it
	// takes JWT bearer for Username as well.
	ClientID, ClientSecret string
	Certificate            *rsa.PublicKey
	Username               string
	// BulkTime is how long a job of Bulk API takes, and NoHardDelete that the
	// user lacks the permission "Bulk API Hard Delete".
	BulkTime     time.Duration
	NoHardDelete bool
	// Settle is how long a deleted record is still shown as if it weren't.
	Settle time.Duration
	// Hidden are the objects ("Case") and fields ("Case.SuppliedEmail") that the
	// caller's permissions don't show.
	Hidden []string
	// Custom are objects and fields of the org's own.
	Custom []Custom
	// Faults are what goes wrong.
	Faults fault.Config
}

// Server is the stand-in: an [http.Handler], safe for concurrent use. It counts
// calls as token, query, queryAll, queryMore, composite, collections.delete,
// soap.emptyRecycleBin, and so on; what is inside of a Composite isn't counted, as
// Salesforce counts one.
type Server struct {
	server.Base
	config Config
	tokens tokens

	used     atomic.Int64 // API calls of this day
	dayMu    sync.Mutex
	dayStart time.Time

	mu    sync.RWMutex // guards what follows, and the rows
	store *store
	// jobList are the bulk jobs, the oldest first; jobNumber and made number what
	// is made.
	jobList         []*job
	jobNumber, made int

	cursorMu sync.Mutex
	cursors  map[string]*cursor
}

// New seeds the stand-in and applies the changes that are kept in Dir.
func New(c Config) (*Server, error) {
	if c.Population == nil {
		return nil, errors.New("salesforce sandbox: no population")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.PageSize <= 0 || c.PageSize > MaxPage {
		c.PageSize = MaxPage
	}
	if c.TokenLife <= 0 {
		c.TokenLife = defaultTokenLife
	}
	if c.DailyCalls <= 0 {
		c.DailyCalls = defaultDaily
	}
	if c.ClientID == "" {
		c.ClientID, c.ClientSecret = DefaultClientID, DefaultClientSecret
	}
	st, digest, err := seed(c.Population, c.Hidden, c.Custom)
	if err != nil {
		return nil, fmt.Errorf("salesforce sandbox: %w", err)
	}
	s := &Server{config: c, store: st, cursors: map[string]*cursor{}}
	s.tokens.life, s.tokens.clock = c.TokenLife, c.Clock
	s.dayStart = c.Clock()
	if err := s.Keep(c.Dir, "salesforce", digest, s.replay); err != nil {
		return nil, err
	}
	s.Start(c.Faults, fault.Vendor{
		Clock: c.Clock, Revoke: s.RevokeTokens, ExpirePages: s.ExpireCursors, Spoils: spoils(),
		Throttled: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			write(w, refuse(&apiError{status: http.StatusTooManyRequests, code: "REQUEST_LIMIT_EXCEEDED", message: "ConcurrentRequests (Concurrent API Requests) Limit exceeded."}))
		},
		Free: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/services/oauth2/") },
		Spent: func(w http.ResponseWriter, r *http.Request, _ time.Duration) {
			if strings.HasPrefix(r.URL.Path, "/services/Soap/") {
				soapFault(w, "sf:REQUEST_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.")
				return
			}
			write(w, refuse(&apiError{status: http.StatusForbidden, code: "REQUEST_LIMIT_EXCEEDED", message: "TotalRequests Limit exceeded."}))
		},
	}, s.serve)
	return s, nil
}

// RevokeTokens makes every access token invalid at once.
func (s *Server) RevokeTokens() { s.tokens.revoke() }

// HoldsContact reports whether a Contact or Lead with this address is there and not
// deleted; it is what a marketing system would synchronise.
func (s *Server) HoldsContact(email string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, name := range []string{"Contact", "Lead"} {
		o := s.store.object(name)
		if o == nil {
			continue
		}
		for _, r := range o.lookup("email", fold(email)) {
			if !r.purged && r.deletedAt.IsZero() {
				return true
			}
		}
	}
	return false
}

// Holds reports whether the record with an id is held, in the recycle bin or not,
// whatever is shown.
func (s *Server) Holds(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.store.byID[id[:min(15, len(id))]]
	return r != nil && !r.purged
}

// Ticked reports whether a box of the record with an id is ticked.
func (s *Server) Ticked(id, field string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.store.byID[id[:min(15, len(id))]]
	if r == nil {
		return false
	}
	n, is := r.object.field(field)
	return is && r.values[n].yes
}

// Hide takes the permission to see an object away; show gives it back.
func (s *Server) Hide(object string) (show func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hidden := s.store.objects[fold(object)]
	delete(s.store.objects, fold(object))
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.store.objects[fold(object)] = hidden
	}
}

// tokens are the access tokens that are good.
type tokens struct {
	life  time.Duration
	clock func() time.Time

	mu   sync.Mutex
	good map[string]time.Time
}

// maxTokens bounds the tokens that are remembered; the oldest aren't missed.
const maxTokens = 1_000

func (t *tokens) issue() string {
	var b [24]byte
	rand.Read(b[:])
	token := "00D5g0000000001!AQ." + hex.EncodeToString(b[:])
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.good == nil || len(t.good) >= maxTokens {
		t.good = map[string]time.Time{}
	}
	t.good[token] = t.clock().Add(t.life)
	return token
}

func (t *tokens) valid(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	end, ok := t.good[token]
	return ok && t.clock().Before(end)
}

func (t *tokens) revoke() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.good = nil
}

// spend counts an API call against the day's quota and tells whether it is
// still within.
func (s *Server) spend() (used int64, ok bool) {
	s.dayMu.Lock()
	defer s.dayMu.Unlock()
	if now := s.config.Clock(); now.Sub(s.dayStart) >= 24*time.Hour {
		s.dayStart = now
		s.used.Store(0)
	}
	if used := s.used.Load(); used >= s.config.DailyCalls {
		return used, false
	}
	return s.used.Add(1), true
}

func fold(s string) string { return strings.ToLower(s) }

func digestOf(lines func(write func(string))) string {
	h := sha256.New()
	lines(func(s string) { h.Write([]byte(s)); h.Write([]byte{'\n'}) })
	return hex.EncodeToString(h.Sum(nil))[:32]
}
