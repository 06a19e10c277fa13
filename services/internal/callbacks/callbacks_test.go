package callbacks_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/callbacks"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

const (
	requestID = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	canary    = "camille@example.com"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// receiver is a caller that hears of its requests, by the example of an upstream's own.
type receiver struct {
	*testing.T
	url, secretFile string

	mu     sync.Mutex
	secret string
	now    time.Time
	status int                    // what it answers; 0: 204
	wait   func() <-chan struct{} // it answers when this is closed; nil: at once
	heard  []string
	ids    []string
	bodies bytes.Buffer
}

func secretOf(text string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(text, 32)))
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{T: t, secret: secretOf("a"), now: start, secretFile: filepath.Join(t.TempDir(), "secret")}
	r.keep(r.secret)
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.url = s.URL + "/hook?key=in-the-address"
	return r
}

// keep has Habeas sign by these secrets.
func (r *receiver) keep(secrets ...string) {
	r.Helper()
	if err := os.WriteFile(r.secretFile, []byte(strings.Join(secrets, "\n")), 0o600); err != nil {
		r.Fatal(err)
	}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	wait := r.wait
	r.mu.Unlock()
	var body bytes.Buffer
	_, _ = body.ReadFrom(q.Body) // only then does the server see that it was given up
	if wait != nil {
		select {
		case <-wait():
		case <-q.Context().Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	r.bodies.Write(body.Bytes())
	q.Body = http.NoBody
	again := q.Clone(q.Context())
	again.Body = readCloser{bytes.NewReader(body.Bytes())}
	change, err := upstream.Hear(again, r.secret, r.now)
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.heard = append(r.heard, fmt.Sprintf("%s %d", change.Status, change.Version))
	r.ids = append(r.ids, q.Header.Get("Webhook-Id"))
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// house has one request of the caller's.
type house struct {
	*receiver
	requests *lifecycle.Lifecycle
	calls    *callbacks.Callbacks
	log      *bytes.Buffer
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{receiver: newReceiver(t), requests: lifecycle.New(memjournal.New(memjournal.Config{})), log: &bytes.Buffer{}}
	h.opens(map[string]config.Callback{"signup-page": {URL: h.url, SecretFile: h.secretFile}})
	h.accept(requestID)
	return h
}

func (h *house) accept(id string) {
	h.Helper()
	_, err := h.requests.Accept(h.Context(), core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 1, 0), Source: "signup-page", Digest: "d", CallsBack: true,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "print", Sealed: []byte(canary), Assurance: dsar.AssuranceVerified}},
		Systems:     []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
	h.must(err)
}

func (h *house) opens(all map[string]config.Callback) {
	h.Helper()
	var err error
	h.calls, err = callbacks.New(callbacks.Config{Requests: h.requests, Callbacks: all, Local: local, Meters: noop.NewMeterProvider(), Now: h.clock, Log: slog.New(slog.NewTextHandler(h.log, nil))})
	h.must(err)
}

func (h *house) clock() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// later lets time pass, has the receiver answer so, and calls where a call is due.
func (h *house) later(d time.Duration, answers int) core.State {
	h.Helper()
	h.mu.Lock()
	h.now, h.status = h.now.Add(d), answers
	h.mu.Unlock()
	return h.call(requestID)
}

// call calls about a request where that is due.
func (h *house) call(id string) core.State {
	h.Helper()
	s, err := h.requests.State(h.Context(), id)
	h.must(err)
	if slices.Contains(s.Duties(h.clock()), core.DutyCallBack) {
		h.must(h.calls.CallBack(h.Context(), id))
	}
	s, err = h.requests.State(h.Context(), id)
	h.must(err)
	return s
}

// answers has the receiver answer when what wait returns is closed.
func (h *house) answers(wait func() <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wait = wait
}

func (h *house) do(c core.Command) {
	h.Helper()
	_, err := h.requests.Do(h.Context(), requestID, c)
	h.must(err)
}

// TestCallerIsTold: each change comes once, in order, by a signature that the example of a
// receiver believes, and an other secret's not at all.
func TestCallerIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.later(0, 0)
	h.do(core.AskProof{By: "lea", Reason: canary, Now: start})
	if s := h.later(time.Second, 0); len(s.Changes) > 0 {
		t.Errorf("%+v is still owed", s.Changes)
	}
	h.later(time.Second, 0)
	if due := start.AddDate(0, 1, -1); !strings.Contains(h.bodies.String(), `"due_on":"`+due.Format(time.DateOnly)+`"`) {
		t.Errorf("it isn't told the day: %s", h.bodies.String())
	}
	if got := strings.Join(h.heard, ", "); got != "accepted 1, gathering 2, awaiting-proof 5" {
		t.Errorf("heard: %s", got)
	}
	if slices.Sort(h.ids); len(slices.Compact(h.ids)) != 3 {
		t.Errorf("%v", h.ids)
	}
}

// TestSecretIsChanged: while the secret is changed both are signed by, and afterwards the old
// one is believed no more.
func TestSecretIsChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep(secretOf("b"), secretOf("a"))
	if s := h.later(0, 0); len(s.Changes) > 0 {
		t.Errorf("%+v", s.Changes)
	}
	h.keep(secretOf("b"))
	h.do(core.AskProof{By: "lea", Now: start})
	if s := h.later(time.Minute, 0); len(s.Changes) != 1 {
		t.Errorf("a receiver that has the old secret alone believes the new one: %v", h.heard)
	}
	h.mu.Lock()
	h.secret = secretOf("b")
	h.mu.Unlock()
	if s := h.later(time.Hour, 0); len(s.Changes) > 0 {
		t.Errorf("%+v", s.Changes)
	}
}

// TestAwayAndBack: a receiver that is down is called again later, hears all in order once it
// is back, and isn't called for a while by anybody; one that says that it is gone isn't called
// again.
func TestAwayAndBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if s := h.later(0, http.StatusBadGateway); s.CallsFailed != 1 || len(s.Changes) != 2 || s.Changes[0].Fact != 1 {
		t.Fatalf("%d failures, %+v", s.CallsFailed, s.Changes)
	}
	h.do(core.AskProof{By: "lea", Now: start})
	if h.later(time.Second, 0); len(h.heard) > 0 {
		t.Error("it is called before its time")
	}
	h.later(2*time.Minute, 0)
	if got := strings.Join(h.heard, ", "); got != "accepted 1, gathering 2, awaiting-proof 5" {
		t.Errorf("heard: %s", got)
	}
	h.do(core.Cancel{By: "lea", Now: start})
	if s := h.later(time.Minute, http.StatusGone); len(s.Changes) > 0 {
		t.Errorf("%+v", s.Changes)
	}
	if !strings.Contains(h.log.String(), "it is given up") {
		t.Errorf("nobody is told that it was given up: %s", h.log)
	}
}

// TestRestingIsNotCalled: what one request's call has failed for is no try of another's, which is
// told as soon as the caller has rested.
func TestRestingIsNotCalled(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const other = "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	h.accept(other)
	h.later(0, http.StatusBadGateway)
	for range 3 * core.MaxCalls { // each time right after a call that fails
		s := h.call(other)
		if s.CallsFailed > 0 || len(s.Changes) == 0 {
			t.Fatalf("%d tries, %+v: it wasn't called", s.CallsFailed, s.Changes)
		}
		h.mu.Lock()
		h.now = s.CallUntil
		h.mu.Unlock()
		third := fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f0f-%012d", s.Version)
		h.accept(third)
		h.call(third)
	}
	h.mu.Lock()
	h.now, h.status = h.now.Add(time.Minute), 0
	h.mu.Unlock()
	if s := h.call(other); s.CallUntil.After(h.clock()) { // it wasn't due yet
		h.mu.Lock()
		h.now = s.CallUntil
		h.mu.Unlock()
	}
	if s := h.call(other); len(s.Changes) > 0 {
		t.Errorf("%+v", s.Changes)
	}
}

// TestTurnIsBounded: a caller that answers slowly to each of many changes has one turn of two
// calls' time at most; what that has no time for is owed, and isn't counted as a failure.
func TestTurnIsBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 10 {
		h.do(core.AskProof{By: "lea", Now: start})
		h.do(core.JudgeProof{By: "lea", Accepted: true, Calendar: coretest.Calendar{}, Now: start})
	}
	const callTime = 300 * time.Millisecond
	h.calls.Hurry(callTime, callTime)
	h.answers(func() <-chan struct{} {
		ends := make(chan struct{})
		time.AfterFunc(callTime*3/4, func() { close(ends) })
		return ends
	})
	began := time.Now()
	s := h.later(0, 0)
	if took := time.Since(began); took > 3*callTime {
		t.Errorf("one turn took %s", took)
	}
	if s.CallsFailed > 0 || len(h.heard) == 0 || len(s.Changes) == 0 {
		t.Errorf("%d failures, heard %v", s.CallsFailed, h.heard)
	}
	h.answers(nil)
	for len(s.Changes) > 0 {
		before := len(s.Changes)
		if s = h.later(0, 0); len(s.Changes) == before {
			t.Fatalf("it stops at %+v", s.Changes)
		}
	}
}

// TestSlowAmongItsOwn: of one caller's many requests only a few are called about at once; the
// others are put off when it is slow, soon and without a try.
func TestSlowAmongItsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.calls.Hurry(10*time.Second, 10*time.Millisecond)
	may := make(chan struct{})
	h.answers(func() <-chan struct{} { return may })
	var all sync.WaitGroup
	ids := []string{requestID}
	for i := range 20 {
		ids = append(ids, fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f0f-%012d", i))
		h.accept(ids[i+1])
	}
	off := make(chan string, len(ids))
	for _, id := range ids {
		all.Go(func() {
			if err := h.calls.CallBack(h.Context(), id); err != nil {
				h.Error(err)
			}
			if s, err := h.requests.State(h.Context(), id); err != nil || s.CallsRested == 1 && s.CallsFailed == 0 {
				off <- id
			}
		})
	}
	for range len(ids) - callbacks.AtOnce { // while the others are called
		<-off
	}
	close(may)
	all.Wait()
	if n := len(h.heard); n != 2*callbacks.AtOnce {
		t.Errorf("%d calls", n)
	}
}

// TestAddressIsGone: a caller whose address was taken out of the configuration is given up.
func TestAddressIsGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.opens(nil)
	if s := h.later(0, 0); len(s.Changes) > 0 || len(h.heard) > 0 {
		t.Errorf("%+v, %v", s.Changes, h.heard)
	}
}

// TestNothingPersonal: what is posted and logged holds nothing about the person, no reason of
// an agent's, and not the address of the receiver.
func TestNothingPersonal(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.do(core.AskProof{By: "lea of the desk", Reason: canary, Now: start})
	h.later(0, http.StatusInternalServerError)
	h.later(time.Hour, 0)
	h.do(core.Cancel{By: "lea of the desk", Reason: canary, Now: start})
	h.later(time.Minute, http.StatusGone)
	if len(h.heard) == 0 {
		t.Fatal("nothing was posted: the test proves nothing")
	}
	for _, secret := range []string{canary, "lea", "print", "in-the-address", strings.TrimPrefix(h.secret, "whsec_")} {
		if strings.Contains(h.bodies.String(), secret) || strings.Contains(h.log.String(), secret) {
			t.Errorf("%q is told", secret)
		}
	}
}

// TestForgedCalls: the example of a receiver believes nothing that was changed, is old, or is
// by another secret.
func TestForgedCalls(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.later(0, 0)
	for name, change := range map[string]func(*http.Request) *http.Request{
		"no signature": func(r *http.Request) *http.Request { r.Header.Del("Webhook-Signature"); return r },
		"another id":   func(r *http.Request) *http.Request { r.Header.Set("Webhook-Id", "x"); return r },
		"old":          func(r *http.Request) *http.Request { r.Header.Set("Webhook-Timestamp", "1700000000"); return r },
		"no time":      func(r *http.Request) *http.Request { r.Header.Set("Webhook-Timestamp", "now"); return r },
	} {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "/", strings.NewReader(`{"data":{}}`))
		h.must(err)
		r.Header.Set("Webhook-Id", "m")
		r.Header.Set("Webhook-Timestamp", fmt.Sprint(start.Unix()))
		r.Header.Set("Webhook-Signature", "v1,AAAA")
		if _, err := upstream.Hear(change(r), h.secret, start); err == nil {
			t.Errorf("%s: believed", name)
		}
	}
}

// local returns an instant where the law of the tests is, twelve hours west of UTC.
func local(_ string, at time.Time) time.Time { return at.In(time.FixedZone("", -12*60*60)) }
