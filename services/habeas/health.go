package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"
)

// checkTime bounds the checks of one call.
const checkTime = 2 * time.Second

// health answers whether this process is up (/healthz), and whether what it
// stands on answers (/readyz).
type health struct {
	mu    sync.Mutex
	ready map[string]func(context.Context) error
}

func newHealth() *health {
	return &health{ready: map[string]func(context.Context) error{}}
}

// mustAnswer adds a check without which no work can be taken on.
func (h *health) mustAnswer(name string, check func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready[name] = check
}

// isReady is the first failure among all checks.
func (h *health) isReady(ctx context.Context) error {
	var errs []error
	for _, problem := range h.problems(ctx) {
		errs = append(errs, errors.New(problem))
	}
	return errors.Join(errs...)
}

func (h *health) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { h.answer(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { h.answer(w, h.problems(r.Context())) })
	return mux
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

// problems names the checks that fail. Why is for the log: an error may name
// addresses.
func (h *health) problems(ctx context.Context) (failing []string) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, check := range h.ready {
		if check(ctx) != nil {
			failing = append(failing, name)
		}
	}
	return failing
}
