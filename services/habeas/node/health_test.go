package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/pkg/bus"
)

// TestHealth: what is needed refuses work, what is watched doesn't where there is a
// door; each check is told apart, with its cause, and none shows an address.
func TestHealth(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := newHealth(slog.New(slog.NewTextHandler(&log, nil)), now)
	var journal, stalled error
	h.mustAnswer("journal", func(context.Context) error { return journal })
	h.watch("habeas.intake", func(context.Context) error { return stalled })
	server := httptest.NewServer(h.handler())
	defer server.Close()
	ask := func(path string, want int, status string) (said state) {
		t.Helper()
		res, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&said); err != nil || res.StatusCode != want || said.Status != status {
			t.Errorf("%s: %d %s %v, want %d %s", path, res.StatusCode, said.Status, err, want, status)
		}
		return said
	}
	if got := ask("/readyz", http.StatusOK, "ok"); len(got.Problems) > 0 || len(got.Checks) != 2 {
		t.Error(got)
	}
	away := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 9092}, Err: syscall.ECONNREFUSED}
	stalled = &bus.StalledError{Topic: "dsar.requests", Group: "habeas.intake", Partition: 3, Offset: 17, How: bus.Unhandled, For: 6 * time.Minute, Cause: away}
	const cause = "topic dsar.requests, partition 3, offset 17, group habeas.intake: its oldest message isn't done for 6m0s: dial tcp: connection refused"
	for range 2 {
		got := ask("/readyz", http.StatusServiceUnavailable, "failing")
		if len(got.Problems) != 1 || got.Problems[0] != "habeas.intake: "+cause || got.Checks[0].Cause != cause || got.Checks[0].Since == nil || !got.Checks[1].OK {
			t.Errorf("%+v", got)
		}
	}
	ask("/healthz", http.StatusOK, "ok")
	h.takesWork()
	if got := ask("/readyz", http.StatusOK, "degraded"); len(got.Problems) != 1 {
		t.Errorf("%+v", got)
	}
	journal = fmt.Errorf("db.internal: %w", away)
	if got := ask("/readyz", http.StatusServiceUnavailable, "failing"); len(got.Problems) != 2 || got.Problems[1] != "journal: dial tcp: connection refused" {
		t.Errorf("%+v", got)
	}
	journal, stalled = nil, nil
	ask("/readyz", http.StatusOK, "ok")
	for text, times := range map[string]int{"unhealthy": 2, "db.internal": 1, "healthy again": 2} {
		if n := strings.Count(log.String(), text); n != times {
			t.Errorf("%q was logged %d times, want %d: %s", text, n, times, log.String())
		}
	}
}

// TestHealthOfOneThatHangs: a check that hangs is told as that, and takes no other's
// time.
func TestHealthOfOneThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(slog.New(slog.DiscardHandler), now)
		h.takesWork()
		for _, name := range []string{"a", "b"} {
			h.watch(name, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}
		h.mustAnswer("journal", func(ctx context.Context) error { return ctx.Err() })
		began := time.Now()
		s, status := h.state(t.Context())
		if status != http.StatusOK || len(s.Problems) != 2 || time.Since(began) != CheckTime {
			t.Errorf("%d after %s: %+v", status, time.Since(began), s)
		}
	})
}
