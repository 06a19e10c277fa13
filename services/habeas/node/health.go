package node

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// CheckTime bounds the checks of one call of /readyz.
const CheckTime = 2 * time.Second

// check says what is wrong, nil where nothing is.
type check func(context.Context) error

// health answers whether this process is up (/healthz), and whether what it
// stands on answers and its work gets on (/readyz).
type health struct {
	log *slog.Logger

	mu      sync.Mutex
	needed  map[string]check
	watched map[string]check
	said    map[string]bool // which failures were logged
}

func newHealth(log *slog.Logger) *health {
	return &health{log: log, needed: map[string]check{}, watched: map[string]check{}, said: map[string]bool{}}
}

// mustAnswer adds a check without which no work can be taken on.
func (h *health) mustAnswer(name string, c check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.needed[name] = c
}

// watch adds a check that fails while work doesn't get on. Work is still taken
// on: what is accepted is in the journal, and waits there.
func (h *health) watch(name string, c check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watched[name] = c
}

func (h *health) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { h.answer(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		problems := append(h.problems(r.Context(), h.needed), h.problems(r.Context(), h.watched)...)
		h.mu.Unlock()
		h.answer(w, problems)
	})
	return mux
}

// well tells for each check whether it is.
func (h *health) well(ctx context.Context) map[string]bool {
	ctx, cancel := context.WithTimeout(ctx, CheckTime)
	defer cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	well := map[string]bool{}
	for _, checks := range []map[string]check{h.needed, h.watched} {
		for name, c := range checks {
			well[name] = c(ctx) == nil
		}
	}
	return well
}

func (h *health) answer(w http.ResponseWriter, problems []string) {
	status, word := http.StatusOK, "ok"
	if len(problems) > 0 {
		status, word = http.StatusServiceUnavailable, "failing"
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Status   string   `json:"status"`
		Problems []string `json:"problems,omitempty"`
	}{word, problems})
}

// summary is an error that has a text for anyone.
type summary interface{ Summary() string }

// problems names the checks that fail, in order of name. Why is for the log, once:
// an error may name addresses; its summary doesn't. Holds h.mu.
func (h *health) problems(ctx context.Context, checks map[string]check) (failing []string) {
	ctx, cancel := context.WithTimeout(ctx, CheckTime)
	defer cancel()
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		err := checks[name](ctx)
		if err == nil {
			if h.said[name] {
				delete(h.said, name)
				h.log.Info("healthy again", "check", name)
			}
			continue
		}
		problem := name
		var s summary
		if errors.As(err, &s) {
			problem += ": " + s.Summary()
		}
		failing = append(failing, problem)
		if !h.said[name] {
			h.said[name] = true
			h.log.Warn("unhealthy", "check", name, "error", err)
		}
	}
	return failing
}
