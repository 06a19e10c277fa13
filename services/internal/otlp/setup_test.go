package otlp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"habeas.dev/services/internal/otlp"
)

func TestNothingByDefault(t *testing.T) {
	t.Parallel()
	tel, err := otlp.Setup(context.Background(), otlp.Config{Service: "test"})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracers().Tracer("test").Start(otlp.Begin(context.Background(), request), "door")
	if span.IsRecording() {
		t.Error("a span is recorded for nobody")
	}
	counter, err := tel.Meters().Meter("test").Int64Counter("n")
	if err != nil || counter.Enabled(context.Background()) {
		t.Errorf("a counter counts for nobody (%v)", err)
	}
	for range 2 {
		if err := tel.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestBadEndpoint(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"localhost:4318", "ftp://localhost", "http://collector:43x18", "http://collector:99999", "http://:4318", "http://", "://", "http://secret:pass word@%zz"} {
		_, err := otlp.Setup(context.Background(), otlp.Config{Endpoint: at})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// collector is a server of OTLP over HTTP.
type collector struct {
	mu   sync.Mutex
	got  map[string][]byte // the last body by path
	auth string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[r.URL.Path], c.auth = body, r.Header.Get("Authorization")
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func TestExport(t *testing.T) {
	t.Parallel()
	c := &collector{got: map[string][]byte{}}
	srv := httptest.NewServer(c)
	defer srv.Close()
	ctx := context.Background()
	tel, err := otlp.Setup(ctx, otlp.Config{Service: "habeas", Version: "1", Endpoint: srv.URL + "/otlp/", Headers: map[string]string{"Authorization": "Bearer x"}})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracers().Tracer("test").Start(otlp.Begin(ctx, request), "the door")
	span.End()
	counter, err := tel.Meters().Meter("test").Int64Counter("habeas.requests")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(ctx, 1)
	if err := tel.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	traceID := "\x9f\x0d\x6c\x0e\x6f\x0f\x4b\x43\x9f\x0f\x3a\x9c\x3c\x0f\x7a\x11"
	if got := string(c.got["/otlp/v1/traces"]); !strings.Contains(got, "the door") || !strings.Contains(got, traceID) || !strings.Contains(got, "habeas") {
		t.Errorf("traces: %q", got)
	}
	if got := string(c.got["/otlp/v1/metrics"]); !strings.Contains(got, "habeas.requests") {
		t.Errorf("metrics: %q", got)
	}
	if c.auth != "Bearer x" {
		t.Errorf("the headers didn't come: %q", c.auth)
	}
}

// TestCollectorIsDown: a program starts, works and stops without it.
func TestCollectorIsDown(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	tel, err := otlp.Setup(context.Background(), otlp.Config{Service: "test", Endpoint: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	for range 50_000 { // more than wait for the exporter
		_, span := tel.Tracers().Tracer("test").Start(context.Background(), "s")
		span.End()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	first := tel.Shutdown(ctx)
	if first == nil {
		t.Error("what was lost is not told")
	}
	if again := tel.Shutdown(context.Background()); again == nil || again.Error() != first.Error() {
		t.Errorf("a second stop says %v, the first %v", again, first)
	}
}
