// Package paymentech stands in for J.P. Morgan's Orbital gateway over loopback
// HTTP, as far as stored profiles go: read, made, updated and deleted by the JSON
// interface, and by the XML one that older clients use. It answers with whole
// card numbers, as the gateway does; knows again a change that comes twice by its
// Trace-number; and fails with the gateway's statuses. Its content is a seeded
// population; what callers change is kept in a file and outlives a kill -9.
//
// What is uncertain of the gateway is uncertain here, and can be set: the status
// of a reference without profile, and whether a refusal is HTTP 400 with a flat
// body or 200 with the status within the order.
package paymentech

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/server"
)

// The credentials that the stand-in takes.
const (
	DefaultUsername   = "HABEAS-SANDBOX"
	DefaultPassword   = "habeas-sandbox-secret"
	DefaultMerchantID = "700000"
	Bin               = "000001"
)

// The gateway's statuses.
const (
	statusDone       = "0"
	statusBusy       = "9999"  // resend
	statusNoProfile  = "9581"  // no such profile
	statusExists     = "9582"  // made already
	statusIncomplete = "9550"  // a member is missing or not as it should be
	statusSecurity   = "20412" // with HTTP 412: credentials
)

// traceLife is how long a change is known again by its trace number.
const traceLife = 48 * time.Hour

// Config says what the stand-in holds and how it behaves. Only Population is needed.
type Config struct {
	Population *people.Population
	// Dir is where changes are kept, in paymentech.changes; empty keeps none.
	Dir string
	// Clock is time.Now where nil.
	Clock func() time.Time
	// Settle is how long a deleted profile is still shown.
	Settle time.Duration
	// NestedErrors has refusals answered with HTTP 200 and the status within the
	// order, as some are, instead of HTTP 400 with a flat body.
	NestedErrors bool
	// NoProfile is the status of a reference without profile, where another
	// than 9581.
	NoProfile string
	// Billed are references whose profile can't be deleted, because a managed
	// billing is active.
	Billed []string
	// Faults are what goes wrong.
	Faults fault.Config
}

// Server is the stand-in: an [http.Handler], safe for concurrent use. It counts
// calls as read, create, update, delete, and security for those with wrong
// credentials; a change that comes again by the same trace number isn't a repetition.
type Server struct {
	server.Base
	config Config

	mu       sync.Mutex // guards what follows
	password string
	profiles map[string]profile
	gone     map[string]time.Time // when a profile was deleted
	traces   map[string]traced
}

// profile is what is stored, by member.
type profile map[string]string

// traced is a change that was answered.
type traced struct {
	call   string
	answer answer
	at     time.Time
}

// New seeds the stand-in and applies the changes that are kept in Dir.
func New(c Config) (*Server, error) {
	if c.Population == nil {
		return nil, errors.New("paymentech sandbox: no population")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.NoProfile == "" {
		c.NoProfile = statusNoProfile
	}
	s := &Server{config: c, password: DefaultPassword, profiles: map[string]profile{}, gone: map[string]time.Time{}, traces: map[string]traced{}}
	if err := s.Keep(c.Dir, "paymentech", s.seed(), s.replay); err != nil {
		return nil, err
	}
	tooMany := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html><body>Too Many Requests</body></html>", http.StatusTooManyRequests)
	}
	s.Start(c.Faults, fault.Vendor{Clock: c.Clock, Spoils: spoils(), Throttled: tooMany, Spent: func(w http.ResponseWriter, r *http.Request, rest time.Duration) {
		w.Header().Set("Retry-After", strconv.Itoa(int(rest.Seconds())))
		tooMany(w, r)
	}}, s.serve)
	return s, nil
}

// seed takes the population's profiles, with whole card numbers.
func (s *Server) seed() (digest string) {
	h := sha256.New()
	for r := range s.config.Population.All(people.PaymentTech) {
		if r.Dataset != "profiles" {
			continue
		}
		p := profile{}
		for name, v := range r.Values {
			if text, ok := v.(string); ok {
				p[name] = text
			}
		}
		p["ccAccountNum"] = s.config.Population.CardNumber(r.Person)
		s.profiles[fold(r.Key)] = p
		fmt.Fprintln(h, r.Key, p["ccAccountNum"])
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// Rotate changes the password: another is taken from now on, and the old one refused.
func (s *Server) Rotate(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = password
}

// Holds reports whether a reference has a profile.
func (s *Server) Holds(ref string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, gone := s.gone[fold(ref)]
	return s.profiles[fold(ref)] != nil && !gone
}

// Stopped reports whether a reference has no profile that can be charged.
func (s *Server) Stopped(ref string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.profiles[fold(ref)]
	return p == nil || p["status"] != "A"
}
