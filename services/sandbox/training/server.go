// Package training is a stand-in for a training platform that a team of its own runs: a small
// service that answers the HTTP contract of schemas/worker.openapi.yaml, as it would be written
// in any language. It knows nothing of Habeas' own packages for workers.
package training

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/server"
)

// DefaultSecret signs the calls, as Standard Webhooks have it.
const DefaultSecret = "whsec_c2FuZGJveC10cmFpbmluZy1zYW5kYm94LXRyYWluaW5n"

// Config says what it holds.
type Config struct {
	Population *people.Population
	// Dir is where changes are kept; empty keeps none.
	Dir    string
	Clock  func() time.Time // time.Now where nil
	Faults fault.Config
}

// Server is the stand-in: an [http.Handler], safe for concurrent use. It counts calls by their
// action, and as unsigned those whose signature isn't ours.
type Server struct {
	server.Base
	clock func() time.Time

	mu      sync.Mutex // guards what follows
	rows    map[string]*row
	byEmail map[string][]*row
}

// row is a record, of a dataset and under a key.
type row struct {
	dataset, key string
	values       map[string]any
	restricted   bool
	gone         bool
}

// change is what a caller changed, as it is kept.
type change struct {
	Dataset    string `json:"dataset"`
	Key        string `json:"key"`
	Gone       bool   `json:"gone,omitempty"`
	Restricted *bool  `json:"restricted,omitempty"`
	Column     string `json:"column,omitempty"`
	Value      string `json:"value,omitempty"`
}

// New seeds the stand-in and applies the changes that are kept in Dir.
func New(c Config) (*Server, error) {
	if c.Population == nil {
		return nil, errors.New("training sandbox: no population")
	}
	s := &Server{clock: c.Clock, rows: map[string]*row{}, byEmail: map[string][]*row{}}
	if s.clock == nil {
		s.clock = time.Now
	}
	if err := s.Keep(c.Dir, people.Training, s.seed(c.Population), s.replay); err != nil {
		return nil, err
	}
	tooMany := func(w http.ResponseWriter, rest time.Duration) {
		w.Header().Set("Retry-After", fmt.Sprint(int(rest.Seconds())))
		w.WriteHeader(http.StatusTooManyRequests)
	}
	s.Start(c.Faults, fault.Vendor{
		Clock:     s.clock,
		Throttled: func(w http.ResponseWriter, _ *http.Request) { tooMany(w, time.Second) },
		Spent:     func(w http.ResponseWriter, _ *http.Request, rest time.Duration) { tooMany(w, rest) },
		Spoils:    fault.Spoils(nil),
	}, s.serve)
	return s, nil
}

// seed takes the population's records.
func (s *Server) seed(p *people.Population) (digest string) {
	h := sha256.New()
	for r := range p.All(people.Training) {
		made := &row{dataset: r.Dataset, key: r.Key, values: r.Values}
		s.rows[name(r.Dataset, r.Key)] = made
		email, _ := r.Values["email"].(string)
		s.byEmail[fold(email)] = append(s.byEmail[fold(email)], made)
		fmt.Fprintln(h, r.Dataset, r.Key, email)
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

func name(dataset, key string) string { return dataset + "/" + key }

func fold(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// replay applies a change that was kept.
func (s *Server) replay(text []byte) error {
	var c change
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	if r := s.rows[name(c.Dataset, c.Key)]; r != nil {
		r.apply(c)
	}
	return nil
}

func (r *row) apply(c change) {
	r.gone = r.gone || c.Gone
	if c.Restricted != nil {
		r.restricted = *c.Restricted
	}
	if c.Column != "" {
		r.values[c.Column] = c.Value
	}
}

// change keeps a change of a record, and makes it.
func (s *Server) change(r *row, c change) error {
	c.Dataset, c.Key = r.dataset, r.key
	if err := s.Append(c); err != nil {
		return err
	}
	r.apply(c)
	return nil
}

// at returns the record under a key; nil where there is none any more.
func (s *Server) at(dataset, key string) *row {
	if r := s.rows[name(dataset, key)]; r != nil && !r.gone {
		return r
	}
	return nil
}

// of returns the records of whoever has one of the addresses, dataset by dataset.
func (s *Server) of(emails []string) []*row {
	var all []*row
	for _, e := range emails {
		for _, r := range s.byEmail[fold(e)] {
			if !r.gone && !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *row) int { return strings.Compare(a.dataset, b.dataset) })
	return all
}

// Holds returns how many records stand under an address.
func (s *Server) Holds(email string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.of([]string{email}))
}

// Stopped reports whether no record under an address is in use.
func (s *Server) Stopped(email string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(s.of([]string{email}), func(r *row) bool { return !r.restricted })
}
