package intake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"habeas.dev/services/intake"
	"habeas.dev/services/internal/core"
)

// counted counts what is read of a body.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// endless is JSON that goes on.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestLargeBody: of 50 MB nothing is read where the length is known, and little
// more than the limit where it isn't.
func TestLargeBody(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{50 << 20, -1} {
		w := newFixture(t)
		body := &counted{Reader: io.LimitReader(endless{}, 50<<20)}
		r := newRequest(http.MethodPost, "/v1/requests", body)
		r.ContentLength = length
		r.Header.Set("Content-Type", "application/json")
		answer := w.ask(r, "/v1/requests")
		most := int64(intake.MaxBody + 1)
		if length > 0 {
			most = 0
		}
		if answer.Code != http.StatusRequestEntityTooLarge || code(t, answer) != "too-large" || body.n > most {
			t.Errorf("length %d: %d, after %d bytes", length, answer.Code, body.n)
		}
	}
}

// TestBody: bodies that aren't JSON by their headers, or don't arrive.
func TestBody(t *testing.T) {
	t.Parallel()
	good := string(text(t, request()))
	for name, c := range map[string]struct {
		status  int
		code    string
		body    io.Reader
		headers []string
	}{
		"no content type": {415, "content-type", strings.NewReader(good), []string{"Content-Type", ""}},
		"plain text":      {415, "content-type", strings.NewReader(good), []string{"Content-Type", "text/plain"}},
		"a form":          {415, "content-type", strings.NewReader(good), []string{"Content-Type", "application/x-www-form-urlencoded"}},
		"Latin-1":         {415, "content-type", strings.NewReader(good), []string{"Content-Type", "application/json; charset=iso-8859-1"}},
		"compressed":      {415, "content-type", strings.NewReader(good), []string{"Content-Encoding", "gzip"}},
		"cut off":         {408, "timeout", io.MultiReader(strings.NewReader(good[:20]), iotest.ErrReader(io.ErrUnexpectedEOF)), nil},
		"empty":           {400, "not-json", strings.NewReader(""), nil},
		"in UTF-8":        {202, "", strings.NewReader(good), []string{"Content-Type", "application/json; charset=UTF-8"}},
	} {
		w := newFixture(t)
		r := newRequest(http.MethodPost, "/v1/requests", c.body)
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(c.headers); i += 2 {
			r.Header.Set(c.headers[i], c.headers[i+1])
		}
		if answer := w.ask(r, "/v1/requests"); answer.Code != c.status || code(t, answer) != c.code {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
	}
}

// TestSlowloris (case 28): connections whose bodies don't come hold up nobody, however
// many they are.
func TestSlowloris(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	h := w.Handler()
	const slow = 4 * intake.MaxInFlight
	hold, arrived, done := make(chan struct{}), make(chan struct{}, slow), make(chan int, slow)
	for range slow {
		go func() { done <- submit(h, waiting{arrived, hold}) }()
	}
	for range slow {
		<-arrived
	}
	if answer := w.post(text(t, request())); answer.Code != http.StatusAccepted {
		t.Errorf("beside slow ones: %d %s", answer.Code, answer.Body)
	}
	close(hold)
	for range slow {
		if got := <-done; got != http.StatusBadRequest {
			t.Errorf("a slow one got %d", got)
		}
	}
}

// TestBusy: more submissions than there are slots are told to come again, and the
// slots are free again afterwards.
func TestBusy(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	h := w.Handler()
	hold, arrived, done := make(chan struct{}), make(chan struct{}, intake.MaxInFlight), make(chan int, intake.MaxInFlight)
	quick := w.Requests
	w.Requests = stuck{quick, arrived, hold}
	for range intake.MaxInFlight {
		go func() { done <- submit(h, bytes.NewReader(text(t, request()))) }()
	}
	for range intake.MaxInFlight {
		<-arrived
	}
	if answer := w.post(text(t, request())); answer.Code != http.StatusTooManyRequests || code(t, answer) != "busy" || answer.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	close(hold)
	for range intake.MaxInFlight {
		if got := <-done; got != http.StatusAccepted {
			t.Errorf("one who held a slot got %d", got)
		}
	}
	w.Requests = quick
	if answer := w.post(text(t, request())); answer.Code != http.StatusAccepted {
		t.Errorf("afterwards: %d %s", answer.Code, answer.Body)
	}
}

// TestMuchIsRead: bodies that don't end hold no more memory than there is for them.
func TestMuchIsRead(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	h := w.Handler()
	const large = intake.MaxReading/(intake.MaxBody-1) + 1
	hold, arrived, done := make(chan struct{}), make(chan struct{}, large), make(chan int, large)
	for range large {
		go func() { done <- submit(h, &filling{left: intake.MaxBody - 1, waiting: waiting{arrived, hold}}) }()
	}
	if got := <-done; got != http.StatusTooManyRequests { // one too many
		t.Errorf("beyond what there is: %d", got)
	}
	close(hold)
	for range large - 1 {
		<-done
	}
	if answer := w.post(text(t, request())); answer.Code != http.StatusAccepted {
		t.Errorf("afterwards: %d %s", answer.Code, answer.Body)
	}
}

// submit posts a body to the door.
func submit(h http.Handler, body io.Reader) int {
	r := newRequest(http.MethodPost, "/v1/requests", body)
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer.Code
}

// waiting is a body that arrives when it is let.
type waiting struct {
	arrived chan<- struct{}
	hold    <-chan struct{}
}

func (b waiting) Read([]byte) (int, error) {
	b.arrived <- struct{}{}
	<-b.hold
	return 0, io.EOF
}

// filling is a body of a length, which doesn't end until it is let.
type filling struct {
	left int
	waiting
}

func (b *filling) Read(p []byte) (int, error) {
	if b.left == 0 {
		return b.waiting.Read(p)
	}
	n := min(len(p), b.left)
	clear(p[:n])
	b.left -= n
	return n, nil
}

// stuck is a lifecycle that answers when it is let.
type stuck struct {
	intake.Requests
	arrived chan<- struct{}
	hold    <-chan struct{}
}

func (s stuck) State(ctx context.Context, id string) (core.State, error) {
	select {
	case s.arrived <- struct{}{}:
	default:
	}
	<-s.hold
	return s.Requests.State(ctx, id)
}

// TestState: where a request stands, by the document.
func TestState(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	const template = "/v1/requests/{request_id}"
	for path, want := range map[string]int{requestID: 404, "x": 400, strings.ToUpper(requestID): 400, "00000000-0000-0000-0000-000000000000": 400, canary: 400} {
		if answer := w.do(http.MethodGet, "/v1/requests/"+path, template, nil); answer.Code != want {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
	accepted := w.post(text(t, request()))
	if accepted.Code != http.StatusAccepted || accepted.Header().Get("Location") != "/v1/requests/"+requestID {
		t.Fatalf("%d, at %s", accepted.Code, accepted.Header().Get("Location"))
	}
	answer := w.do(http.MethodGet, accepted.Header().Get("Location"), template, nil)
	var state struct {
		Status     string
		WaitingFor []string  `json:"waiting_for"`
		DueAt      time.Time `json:"due_at"`
	}
	must(t, json.Unmarshal(answer.Body.Bytes(), &state))
	if answer.Code != 200 || state.Status != string(core.StatusGathering) || len(state.WaitingFor) != 1 || state.DueAt.Month() != time.December {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	w.set(context.DeadlineExceeded, nil)
	if answer := w.do(http.MethodGet, accepted.Header().Get("Location"), template, nil); answer.Code != 503 {
		t.Errorf("while the journal is down: %d", answer.Code)
	}
}

// TestDueWhereTheLawIs: the day on which the answer is due is told as letters tell it, which in
// UTC is another: in a receipt, and of how the request stands.
func TestDueWhereTheLawIs(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	r := request()
	r["jurisdiction"] = "California"
	accepted := w.post(text(t, r))
	answer := w.do(http.MethodGet, accepted.Header().Get("Location"), "/v1/requests/{request_id}", nil)
	for _, body := range []string{accepted.Body.String(), answer.Body.String()} {
		var told struct {
			DueAt time.Time `json:"due_at"`
			DueOn string    `json:"due_on"`
		}
		must(t, json.Unmarshal([]byte(body), &told))
		if told.DueOn == "" || told.DueOn != told.DueAt.AddDate(0, 0, -1).Format(time.DateOnly) {
			t.Errorf("due at %s, on %q", told.DueAt, told.DueOn)
		}
	}
}

// TestOtherPaths: what the document doesn't know is answered in its form.
func TestOtherPaths(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/", 404, "not-found"}, {"GET", "/v1/" + canary, 404, "not-found"}, {"DELETE", "/v1/requests", 405, "method"},
		{"PUT", "/v1/requests", 405, "method"}, {"POST", "/v1/requests/" + requestID, 405, "method"}, {"GET", "/healthz", 404, "not-found"},
	} {
		answer := httptest.NewRecorder()
		w.Handler().ServeHTTP(answer, newRequest(c.method, c.path, nil))
		if answer.Code != c.status || code(t, answer) != c.code || answer.Code == 405 && answer.Header().Get("Allow") == "" {
			t.Errorf("%s %s: %d %s", c.method, c.path, answer.Code, answer.Body)
		}
		w.discreet("an answer", answer.Body.String())
	}
}

// TestReboundName: a door without callers answers on its own machine and by its name
// alone: a page from elsewhere, in a browser here, that has its name resolve to this
// machine reads, asks and cancels nothing.
func TestReboundName(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	good := text(t, request())
	if answer := w.post(good); answer.Code != http.StatusAccepted {
		t.Fatalf("from here: %d %s", answer.Code, answer.Body)
	}
	for _, from := range [][2]string{{"127.0.0.1:5000", "rebound.example.com:8420"}, {"127.0.0.1:5000", "localhost.example.com"}, {"127.0.0.1:5000", ""}, {"192.0.2.1:5000", "localhost:8420"}} {
		for _, c := range [][3]string{
			{http.MethodPost, "/v1/requests", "/v1/requests"}, {http.MethodGet, "/v1/requests", "/v1/requests"},
			{http.MethodGet, "/v1/requests/" + requestID, "/v1/requests/{request_id}"}, {http.MethodDelete, "/v1/requests/" + requestID, "/v1/requests/{request_id}"},
		} {
			r := newRequest(c[0], c[1], bytes.NewReader(good))
			r.Header.Set("Content-Type", "application/json")
			r.RemoteAddr, r.Host = from[0], from[1]
			if answer := w.ask(r, c[2]); answer.Code != http.StatusForbidden || code(t, answer) != "forbidden" {
				t.Errorf("%s %s from %s: %d %s", c[0], c[1], from, answer.Code, answer.Body)
			}
		}
	}
}
