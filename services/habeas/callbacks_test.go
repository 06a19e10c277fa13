package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
)

// hearing is a caller that hears of its requests.
type hearing struct {
	mu      sync.Mutex
	changes []upstream.Change
	more    chan struct{}
}

func (h *hearing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	change, err := upstream.Hear(r, callbackSecret, time.Now())
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	h.mu.Lock()
	h.changes = append(h.changes, change)
	h.mu.Unlock()
	select {
	case h.more <- struct{}{}:
	default:
	}
	w.WriteHeader(http.StatusNoContent)
}

// of waits until a request is in a status, and returns the statuses that were heard of it.
func (h *hearing) of(t *testing.T, id, status string) []string {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		h.mu.Lock()
		var heard []string
		version := 0
		for _, c := range h.changes {
			if c.RequestID != id {
				continue
			}
			if c.Version > version { // else it came again
				heard, version = append(heard, c.Status), c.Version
			}
		}
		h.mu.Unlock()
		if len(heard) > 0 && heard[len(heard)-1] == status {
			return heard
		}
		select {
		case <-h.more:
		case <-late.C:
			t.Fatalf("request %s: heard of %v", id, heard)
		}
	}
}

const callbackSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="

// TestCallerHearsAndPersonIsTold: by the whole of Habeas, a caller hears of each change of its
// request and nobody else's; and the request is completed once the mail that the answer is
// there has gone, and not before.
func TestCallerHearsAndPersonIsTold(t *testing.T) {
	t.Parallel()
	post, heard := newPostOffice(t), &hearing{more: make(chan struct{}, 1)}
	hook := httptest.NewServer(heard)
	t.Cleanup(hook.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(callbackSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPipelineOf(t, 200, false, func(c *config.Config) {
		c.Letters = config.Letters{SMTP: post.address, From: "privacy@example.com", Plain: true}
		c.Callers = map[string]config.Caller{"signup-page": {Believed: true, Reads: true, Callback: config.Callback{URL: hook.URL, SecretFile: secret}}, "other": {Believed: true, Fetches: true, Tells: true}}
	})
	tokens := map[string]string{} // before the door has looked who there is
	for _, caller := range []string{"signup-page", "other"} {
		token, _, err := callers.CreateToken(t.Context(), p.n.Installation.Journal, caller, "test", now(), now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		tokens[caller] = token
	}
	ask := func(caller string) string {
		r := upstream.Request{ID: uuid.NewString(), Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: caller, ReceivedAt: now(), Email: p.people.Person(3).Email}
		if _, err := upstream.Post(t.Context(), p.n.URL(), tokens[caller], r.JSON()); err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	other := ask("other")
	id := ask("signup-page")
	statuses := heard.of(t, id, "completed")
	if statuses[0] != "accepted" || !slices.Contains(statuses, "gathering") || statuses[len(statuses)-2] != "delivering" {
		t.Errorf("heard %v", statuses)
	}
	p.wait(other)
	if s, err := p.n.Installation.Requests.State(t.Context(), other); err != nil || s.Accepted.ToldBy != core.ChannelCaller || s.Accepted.CallsBack {
		t.Errorf("that of a caller that tells its people itself: %+v, %v", s.Accepted.ToldBy, err)
	}
	s, err := p.n.Installation.Requests.State(t.Context(), id)
	if err != nil || s.AnsweredAt.IsZero() || s.Letters[len(s.Letters)-1].Channel != "smtp" || s.AnsweredAt.Before(s.Letters[len(s.Letters)-1].At) {
		t.Errorf("answered %s, letters %+v, %v", s.AnsweredAt, s.Letters, err)
	}
	heard.mu.Lock()
	defer heard.mu.Unlock()
	for _, c := range heard.changes {
		if c.RequestID != id {
			t.Errorf("it hears of another's request %s", c.RequestID)
		}
	}
	if logs := p.logs.String(); strings.Contains(logs, strings.TrimPrefix(callbackSecret, "whsec_")) {
		t.Error("the secret is logged")
	}
}
