// Package hubspot stands in for HubSpot's CRM interface over loopback HTTP, as far
// as a data-rights worker uses it: contacts read and updated in batches, by id or
// by address, and deleted for good (gdpr-delete). Its content is a seeded
// population; what callers change is kept in a file and outlives a kill -9.
package hubspot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/server"
)

const (
	// DefaultToken is the access token of the private app that the stand-in takes.
	DefaultToken = "pat-eu1-habeas-sandbox"
	// MaxBatch is how many contacts a batch holds (HubSpot, "Contacts").
	MaxBatch = 100
	maxBody  = 1 << 20
)

// Config says what the stand-in holds and how it behaves. Only Population is needed.
type Config struct {
	Population *people.Population
	// Dir is where changes are kept, in hubspot.changes; empty keeps none.
	Dir string
	// Clock is time.Now where nil.
	Clock func() time.Time
	// Settle is how long a deleted contact is still shown.
	Settle time.Duration
	// Lacks are properties that the account doesn't have.
	Lacks  []string
	Faults fault.Config
}

// Server is the stand-in: an [http.Handler], safe for concurrent use. It counts
// calls as read, update and delete.
type Server struct {
	server.Base
	config Config

	mu       sync.Mutex // guards what follows
	token    string
	contacts map[string]contact   // by id
	byEmail  map[string]string    // an id, by address
	gone     map[string]time.Time // when a contact was deleted
}

// contact is the properties of one; null where they are nil.
type contact map[string]any

// change is one line of the log; without properties: deleted.
type change struct {
	ID         string  `json:"id"`
	Properties contact `json:"properties"`
}

// New seeds the stand-in and applies the changes that are kept in Dir.
func New(c Config) (*Server, error) {
	if c.Population == nil {
		return nil, errors.New("hubspot sandbox: no population")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	s := &Server{config: c, token: DefaultToken, contacts: map[string]contact{}, byEmail: map[string]string{}, gone: map[string]time.Time{}}
	h := sha256.New()
	for r := range c.Population.All(people.HubSpot) {
		fmt.Fprintln(h, r.Key, r.Values["email"])
		s.apply(change{r.Key, r.Values})
	}
	err := s.Keep(c.Dir, "hubspot", hex.EncodeToString(h.Sum(nil))[:32], func(line []byte) error {
		var c change
		err := json.Unmarshal(line, &c)
		s.apply(c)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.Start(c.Faults, fault.Vendor{Clock: c.Clock, Spoils: spoils(),
		Throttled: func(w http.ResponseWriter, _ *http.Request) { limited(w, "TEN_SECONDLY_ROLLING") },
		Spent:     func(w http.ResponseWriter, _ *http.Request, _ time.Duration) { limited(w, "DAILY") }}, s.serve)
	return s, nil
}

func (s *Server) apply(c change) {
	if old := s.contacts[c.ID]; old != nil {
		delete(s.byEmail, address(old))
	}
	if c.Properties == nil {
		delete(s.contacts, c.ID)
		return
	}
	s.contacts[c.ID] = c.Properties
	s.byEmail[address(c.Properties)] = c.ID
}

func address(c contact) string {
	email, _ := c["email"].(string)
	return strings.ToLower(email)
}

// Rotate changes the access token: another is taken from now on, and the old one
// refused.
func (s *Server) Rotate(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// Holds reports whether there is a contact of an address.
func (s *Server) Holds(email string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.byEmail[strings.ToLower(email)]
	_, gone := s.gone[id]
	return id != "" && !gone
}

const pathContacts = "/crm/v3/objects/contacts/"

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, "VALIDATION_ERROR", "The request is too large")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		fail(w, http.StatusUnauthorized, "INVALID_AUTHENTICATION", "Authentication credentials not found")
		return
	}
	act := map[string]func(http.ResponseWriter, []byte){"batch/read": s.read, "batch/update": s.update, "gdpr-delete": s.delete}[strings.TrimPrefix(r.URL.Path, pathContacts)]
	if act == nil || r.Method != http.MethodPost {
		fail(w, http.StatusNotFound, "OBJECT_NOT_FOUND", "resource not found")
		return
	}
	act(w, body)
}

// batch is the body of a call about many contacts.
type batch struct {
	Properties []string `json:"properties"`
	IDProperty string   `json:"idProperty"`
	Inputs     []struct {
		ID         string  `json:"id"`
		Properties contact `json:"properties"`
	} `json:"inputs"`
}

func (b *batch) parse(w http.ResponseWriter, body []byte) bool {
	if json.Unmarshal(body, b) != nil || len(b.Inputs) == 0 || len(b.Inputs) > MaxBatch || b.IDProperty != "" && b.IDProperty != "email" {
		fail(w, http.StatusBadRequest, "VALIDATION_ERROR", "Invalid input JSON, or not from 1 to 100 inputs")
		return false
	}
	return true
}

// find returns the contact of an input that is shown, deleted a moment ago or not.
func (s *Server) find(by, id string) (string, contact) {
	if by == "email" {
		id = s.byEmail[strings.ToLower(id)]
	}
	if at, gone := s.gone[id]; gone && s.config.Clock().Sub(at) >= s.config.Settle {
		return id, nil
	}
	return id, s.contacts[id]
}

func (s *Server) read(w http.ResponseWriter, body []byte) {
	s.Count("read")
	var b batch
	if !b.parse(w, body) {
		return
	}
	var found []map[string]any
	var missing []string
	for _, in := range b.Inputs {
		id, c := s.find(b.IDProperty, in.ID)
		if c == nil {
			missing = append(missing, in.ID)
			continue
		}
		shown := contact{"createdate": c["createdate"], "lastmodifieddate": c["lastmodifieddate"], "hs_object_id": id}
		for _, name := range b.Properties {
			// HubSpot says nothing of properties that it doesn't know, as id, which
			// is none, and the configured ones.
			if v, known := c[name]; known && name != "id" && !slices.Contains(s.config.Lacks, name) {
				shown[name] = v
			}
		}
		found = append(found, result(id, c, shown))
	}
	answer(w, found, missing)
}

func result(id string, c, shown contact) map[string]any {
	return map[string]any{"id": id, "properties": shown, "createdAt": c["createdate"], "updatedAt": c["lastmodifieddate"], "archived": false}
}

func (s *Server) update(w http.ResponseWriter, body []byte) {
	s.Count("update")
	var b batch
	if !b.parse(w, body) {
		return
	}
	var done []map[string]any
	var missing []string
	for _, in := range b.Inputs {
		id, c := s.find(b.IDProperty, in.ID)
		if c == nil {
			missing = append(missing, in.ID)
			continue
		}
		next := maps.Clone(c)
		maps.Copy(next, in.Properties)
		if err := s.keep(change{id, next}); err != nil {
			fail(w, http.StatusInternalServerError, "INTERNAL_ERROR", "internal error")
			return
		}
		done = append(done, result(id, next, in.Properties))
	}
	answer(w, done, missing)
}

func (s *Server) keep(c change) error {
	if err := s.Append(c); err != nil {
		return err
	}
	s.apply(c)
	return nil
}

// delete answers gdpr-delete. An address that nobody has is put on a list of
// those that can't be made again, which isn't played.
func (s *Server) delete(w http.ResponseWriter, body []byte) {
	s.Count("delete")
	var asked struct {
		ObjectID   string `json:"objectId"`
		IDProperty string `json:"idProperty"`
	}
	if json.Unmarshal(body, &asked) != nil || asked.ObjectID == "" {
		fail(w, http.StatusBadRequest, "VALIDATION_ERROR", "Invalid input JSON")
		return
	}
	id, c := s.find(asked.IDProperty, asked.ObjectID)
	if _, gone := s.gone[id]; gone {
		s.Repeat()
		c = nil
	}
	switch {
	case c == nil:
		fail(w, http.StatusNotFound, "OBJECT_NOT_FOUND", "Contact does not exist")
		return
	case s.Locked():
		fail(w, http.StatusLocked, "LOCKED", "The resource is locked")
		return
	}
	if err := s.Append(change{ID: id}); err != nil {
		fail(w, http.StatusInternalServerError, "INTERNAL_ERROR", "internal error")
		return
	}
	s.gone[id] = s.config.Clock()
	w.WriteHeader(http.StatusNoContent)
}

// answer tells what was found: HTTP 207 where something is missing.
func answer(w http.ResponseWriter, results []map[string]any, missing []string) {
	if results == nil {
		results = []map[string]any{}
	}
	out := map[string]any{"status": "COMPLETE", "results": results}
	status := http.StatusOK
	if len(missing) > 0 {
		status = http.StatusMultiStatus
		out["numErrors"] = 1
		out["errors"] = []map[string]any{{
			"status": "error", "category": "OBJECT_NOT_FOUND", "context": map[string]any{"ids": missing},
			"message": "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
		}}
	}
	send(w, status, out)
}

func fail(w http.ResponseWriter, status int, category, message string) {
	send(w, status, map[string]string{"status": "error", "message": message, "correlationId": uuid.NewString(), "category": category})
}

// limited refuses a call by one of the two limits.
func limited(w http.ResponseWriter, policy string) {
	send(w, http.StatusTooManyRequests, map[string]string{"status": "error", "errorType": "RATE_LIMIT", "policyName": policy,
		"message": "You have reached your " + strings.ToLower(policy) + " limit.", "correlationId": uuid.NewString()})
}

func send(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	w.Write(b)
}
