package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/bus"
)

// TestHealth: what is needed refuses work, what is watched doesn't; both fail
// /readyz, with the cause, and neither shows an address.
func TestHealth(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := newHealth(slog.New(slog.NewTextHandler(&log, nil)))
	var journal, stalled error
	h.mustAnswer("journal", func(context.Context) error { return journal })
	h.watch("habeas.intake", func(context.Context) error { return stalled })
	server := httptest.NewServer(h.handler())
	defer server.Close()
	ask := func(path string, want int) string {
		t.Helper()
		res, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var body struct{ Problems []string }
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil || res.StatusCode != want {
			t.Errorf("%s: %d %v, want %d", path, res.StatusCode, err, want)
		}
		return strings.Join(body.Problems, "; ")
	}
	if got := ask("/readyz", http.StatusOK); got != "" {
		t.Error(got)
	}
	stalled = &bus.StalledError{Topic: "dsar.requests", Group: "habeas.intake", Partition: 3, Offset: 17, How: bus.Unhandled, For: 6 * time.Minute, Cause: errors.New("10.0.0.1:9092 is away")}
	for range 2 {
		if got, want := ask("/readyz", http.StatusServiceUnavailable), "habeas.intake: topic dsar.requests, partition 3, offset 17, group habeas.intake: its oldest message isn't done for 6m0s"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	ask("/healthz", http.StatusOK)
	journal = errors.New("dial db.internal")
	if got := ask("/readyz", http.StatusServiceUnavailable); !strings.HasPrefix(got, "journal; ") {
		t.Errorf("%q", got)
	}
	journal, stalled = nil, nil
	ask("/readyz", http.StatusOK)
	for text, times := range map[string]int{"10.0.0.1:9092": 1, "dial db.internal": 1, "healthy again": 2} {
		if n := strings.Count(log.String(), text); n != times {
			t.Errorf("%q was logged %d times, want %d: %s", text, n, times, log.String())
		}
	}
}
