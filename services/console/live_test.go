package console_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served returns a console on a real connection: streams need one.
func (d *desk) served(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config = d.Server()
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// listen opens a request's stream.
func (d *desk) listen(t *testing.T, server *httptest.Server, role console.Role, id string) io.ReadCloser {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/requests/"+id+"/live?version=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	for _, c := range d.as(role) {
		r.AddCookie(c)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("%d %s", answer.StatusCode, got)
	}
	return answer.Body
}

// until reads a stream up to a line that holds a text; false where it ends before.
func until(stream io.Reader, text string) (seen string, ok bool) {
	var b strings.Builder
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		b.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), text) {
			return b.String(), true
		}
	}
	return b.String(), false
}

// TestLiveAcrossConsoles has a page of one console show what happens through
// another one: both read the journal.
func TestLiveAcrossConsoles(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	server := d.served(t)
	d.open() // calls go to another console from now on
	stream := d.listen(t, server, console.Viewer, id)
	if _, ok := until(stream, "event: acts"); !ok {
		t.Fatal("no state at the beginning")
	}
	if w := d.call(d.as(console.Agent), "POST", "/requests/"+id+"/cancel", d.form(id)); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code)
	}
	seen, ok := until(stream, `data-status="cancelled"`)
	if !ok || !strings.Contains(seen, "event: head") || !strings.Contains(seen, "because of ticket 4711") {
		t.Errorf("%t: %s", ok, seen)
	}
	if strings.Contains(seen, canary) {
		t.Error("who it is")
	}
}

// TestLiveIsForViewers has a stream for whoever may see the request, and no page to
// sign in on for whoever may not: nothing would show it.
func TestLiveIsForViewers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	for path, want := range map[string]int{"/requests/" + id + "/live": http.StatusUnauthorized, "/requests/x/live": http.StatusUnauthorized} {
		if w := d.call(nil, "GET", path, nil); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, id := range []string{"x", "00000000-0000-0000-0000-000000000000"} {
		w := d.call(d.as(console.Viewer), "GET", "/requests/"+id+"/live", nil)
		if strings.Contains(w.Body.String(), "event:") {
			t.Errorf("%s: %s", id, w.Body)
		}
	}
}

// TestLiveLimits refuses a stream where a person, or all, have as many as they may.
func TestLiveLimits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	console.Streams(d.Console, "a.viewer", console.MaxStreamsEach)
	if w := d.call(d.as(console.Viewer), "GET", "/requests/"+id+"/live", nil); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more of one person: %d", w.Code)
	}
	console.Streams(d.Console, "", console.MaxStreams)
	if w := d.call(d.as(console.Agent), "GET", "/requests/"+id+"/live", nil); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one more of all: %d", w.Code)
	}
}

// TestLiveEnds ends open streams when the console stops, and gives their places
// back when a page is closed.
func TestLiveEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	server := d.served(t)
	first, second := d.listen(t, server, console.Viewer, id), d.listen(t, server, console.Agent, id)
	for _, one := range []io.Reader{first, second} {
		if _, ok := until(one, "event: acts"); !ok {
			t.Fatal("no stream")
		}
	}
	_ = first.Close()
	d.do(id, core.Extend{By: "b", Reason: "so that a write fails", Calendar: d.book, Now: start.Add(time.Hour)})
	wait(t, "a closed page's place", func() bool { return console.Open(d.Console) == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Errorf("streams keep it from stopping: %v", err)
	}
	if _, ok := until(second, "never"); ok {
		t.Error("it goes on")
	}
	wait(t, "the other one's", func() bool { return console.Open(d.Console) == 0 })
}

// wait waits for a condition.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	beat := time.NewTicker(5 * time.Millisecond)
	defer beat.Stop()
	limit := time.After(time.Minute)
	for !ok() {
		select {
		case <-beat.C:
		case <-limit:
			t.Fatalf("no %s within a minute", what)
		}
	}
}
