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

// health answers whether this process is up and fit to work: /healthz is up
// while it isn't stuck, /readyz while what it stands on answers too.
type health struct {
	mu    sync.Mutex
	alive map[string]func(context.Context) error
	ready map[string]func(context.Context) error
}

func newHealth() *health {
	return &health{alive: map[string]func(context.Context) error{}, ready: map[string]func(context.Context) error{}}
}

// mustLive adds a check without which the process is to be started anew.
func (h *health) mustLive(name string, check func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alive[name] = check
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
	for _, problem := range h.problems(ctx, h.alive, h.ready) {
		errs = append(errs, errors.New(problem))
	}
	return errors.Join(errs...)
}

func (h *health) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, h.alive) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, h.alive, h.ready) })
	return mux
}

func (h *health) answer(w http.ResponseWriter, r *http.Request, checks ...map[string]func(context.Context) error) {
	problems := h.problems(r.Context(), checks...)
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
func (h *health) problems(ctx context.Context, checks ...map[string]func(context.Context) error) (failing []string) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, some := range checks {
		for name, check := range some {
			if check(ctx) != nil {
				failing = append(failing, name)
			}
		}
	}
	return failing
}
