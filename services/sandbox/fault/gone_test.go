package fault

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestCallerGone: a slow answer isn't waited for once its caller has gone, also
// where the call has a body, so that a stand-in can be closed.
func TestCallerGone(t *testing.T) {
	t.Parallel()
	slow := New(Config{Latency: time.Hour}, Vendor{}).Wrap(http.NotFoundHandler())
	arrived, ended := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		slow.ServeHTTP(w, r)
		close(ended)
	}))
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-arrived
		leave()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, strings.NewReader("a body"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(req); !errors.Is(err, context.Canceled) { //nolint:bodyclose // there is none
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it waits for nobody")
	}
	srv.Close()
}

// TestSlowCallIsWhole: what is read before the wait is there after it.
func TestSlowCallIsWhole(t *testing.T) {
	t.Parallel()
	slow := New(Config{Latency: time.Millisecond}, Vendor{}).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.Write(w)
	}))
	answer := httptest.NewRecorder()
	slow.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("a body")))
	if !strings.Contains(answer.Body.String(), "a body") {
		t.Errorf("got %q", answer.Body.String())
	}
}
