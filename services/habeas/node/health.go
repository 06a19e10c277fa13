package node

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/telemetry"
)

// CheckTime bounds the checks of one call of /readyz.
const CheckTime = 2 * time.Second

// check says what is wrong, nil where nothing is.
type check func(context.Context) error

// health answers whether this process is up (/healthz), and whether what it
// stands on answers and its work gets on (/readyz).
type health struct {
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	doors   bool // this process takes work on from outside
	checks  map[string]registered
	failing map[string]time.Time // since when, by name: each failure is logged once
}

type registered struct {
	check  check
	needed bool
}

func newHealth(log *slog.Logger, now func() time.Time) *health {
	return &health{log: log, now: now, checks: map[string]registered{}, failing: map[string]time.Time{}}
}

// mustAnswer adds a check without which no work can be taken on.
func (h *health) mustAnswer(name string, c check) { h.add(name, registered{c, true}) }

// watch adds a check that fails while work doesn't get on. Work is still taken
// on: what is accepted is in the journal, and waits there.
func (h *health) watch(name string, c check) { h.add(name, registered{c, false}) }

func (h *health) add(name string, r registered) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks[name] = r
}

// takesWork says that this process has a door: it is ready while what taking work on
// needs answers, whatever of its other work stands still.
func (h *health) takesWork() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.doors = true
}

func (h *health) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, state{Status: "ok"}) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		s, status := h.state(r.Context())
		answer(w, status, s)
	})
	return mux
}

// state is what /readyz answers.
type state struct {
	// Status is ok; degraded: some work stands still, and more is taken on; failing:
	// no work is to be sent here.
	Status   string    `json:"status"`
	Problems []string  `json:"problems,omitempty"`
	Checks   []checked `json:"checks,omitempty"`
}

// checked is what one check says.
type checked struct {
	Check  string     `json:"check"`
	OK     bool       `json:"ok"`
	Needed bool       `json:"needed,omitempty"` // without it no work is taken on
	Cause  string     `json:"cause,omitempty"`
	Since  *time.Time `json:"since,omitempty"`
}

// state asks every check, and returns what /readyz says with its HTTP status.
func (h *health) state(ctx context.Context) (s state, status int) {
	s.Status, status = "ok", http.StatusOK
	s.Checks = h.ask(ctx)
	h.mu.Lock()
	doors := h.doors
	h.mu.Unlock()
	for _, c := range s.Checks {
		if c.OK {
			continue
		}
		s.Problems = append(s.Problems, c.Check+": "+c.Cause)
		if c.Needed || !doors {
			s.Status, status = "failing", http.StatusServiceUnavailable
		} else if s.Status == "ok" {
			s.Status = "degraded"
		}
	}
	return s, status
}

// ask asks all checks at once, so that one that hangs takes no other's time, and
// returns what they say in order of name.
func (h *health) ask(ctx context.Context) []checked {
	ctx, cancel := context.WithTimeout(ctx, CheckTime)
	defer cancel()
	h.mu.Lock()
	said := make([]checked, 0, len(h.checks))
	checks := make([]check, 0, len(h.checks))
	for name, r := range h.checks {
		said, checks = append(said, checked{Check: name, Needed: r.needed}), append(checks, r.check)
	}
	h.mu.Unlock()
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() { h.heard(&said[i], c(ctx)) })
	}
	all.Wait()
	slices.SortFunc(said, func(a, b checked) int { return strings.Compare(a.Check, b.Check) })
	return said
}

// heard writes down what a check said, and logs a change. Why it fails is told whole
// in the log alone: an error may name addresses, its cause here doesn't.
func (h *health) heard(c *checked, err error) {
	c.OK = err == nil
	h.mu.Lock()
	since, failed := h.failing[c.Check]
	switch {
	case err != nil && !failed:
		since = h.now()
		h.failing[c.Check] = since
	case err == nil && failed:
		delete(h.failing, c.Check)
	}
	h.mu.Unlock()
	switch {
	case err == nil && failed:
		h.log.Info("healthy again", "check", c.Check, "after", h.now().Sub(since).Round(time.Second))
	case err != nil && !failed:
		h.log.Warn("unhealthy", "check", c.Check, "error", err)
	}
	if err != nil {
		c.Cause, c.Since = telemetry.Cause(err), &since
	}
}

func answer(w http.ResponseWriter, status int, s state) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(s)
}
