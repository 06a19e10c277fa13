package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
)

// TestConsole runs the console as a process of its own beside the others: it shows
// what they do, how each system is, and of a request the same as the command line.
// What is nearly due is told to whoever is to be told.
func TestConsole(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	b, err := broker.Start(t.Context(), broker.Config{Dir: filepath.Join(t.TempDir(), "kafka")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	f := newFleet(t, []string{b.Addr()}, "", 20)
	door := f.start("intake", "--listen", "127.0.0.1:0")
	hook := newHook(t)
	cfg := f.cfg
	cfg.Console.URL = "https://habeas.example.com"
	cfg.Notify = config.Notify{Every: time.Second, Digest: time.Second, DueWithin: 10 * 24 * time.Hour, Webhooks: []config.Webhook{{URL: hook.url, SecretFile: hook.secretFile}}}
	notifying := filepath.Join(f.cfg.Data, "notifying.yaml")
	f.write(notifying, cfg)
	coordinator := f.startWith(notifying, "coordinator")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the coordinator: %s", coordinator.logs.String())
		}
	})
	f.start("aggregator")
	f.start("letters")
	// No worker is there yet: a request that is nearly due can't be answered.
	old := upstream.Request{ID: uuid.NewString(), Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: now().AddDate(0, 0, -28), Email: f.people.Person(4).Email}
	if _, err := upstream.Post(t.Context(), door.url, "", old.JSON()); err != nil {
		t.Fatal(err)
	}
	hook.tells(`"kind":"due-soon","request_id":"`+old.ID+`"`, old.Email)
	f.start(append([]string{"worker"}, slices.Sorted(maps.Keys(f.cfg.Systems))...)...)
	desk := f.start("console", "--listen", "127.0.0.1:0", "--monitor", "127.0.0.1:0")
	f.settle()
	console, health, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(desk.said), "habeas console is up: "), ", health ")
	if !ok {
		t.Fatalf("%q", desk.said)
	}
	for path, want := range map[string]string{"/healthz": `"ok"`, "/readyz": `"ok"`, "/metrics": "# TYPE"} {
		if text := fetched(t, health+path); !strings.Contains(text, want) {
			t.Errorf("%s: %.200s", path, text)
		}
	}
	// What came to an agent by telephone is a claim.
	told := url.Values{"request_id": {uuid.NewString()}, "email": {f.people.Person(5).Email}, "right": {"access"}, "law": {"EEA"}, "language": {"fr"}, "way": {"telephone"}, "received": {now().Format(time.DateOnly)}}
	answer, err := http.PostForm(console+"/new", told)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if s, err := f.in.Requests.State(t.Context(), told.Get("request_id")); err != nil || answer.StatusCode != http.StatusOK || s.Accepted.Source != "console" || s.Assignee == "" ||
		s.Status != core.StatusAwaitingProof || s.Identifiers[0].Assurance != dsar.AssuranceClaimed {
		t.Errorf("what an agent took in: %d, %s, %v", answer.StatusCode, s.Status, err)
	}
	r := upstream.Request{ID: uuid.NewString(), Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: f.people.Person(3).Email}
	if _, err := upstream.Post(t.Context(), door.url, "", r.JSON()); err != nil {
		t.Fatal(err)
	}
	(&pipeline{T: t, people: f.people, n: &node.Node{Config: f.cfg, Installation: f.in}}).wait(r.ID)

	// The letter that says so may be a fact more, between the two.
	same := func() bool {
		printed, err := command(t.Context(), "trace", r.ID, "--json", "--data", f.cfg.Data).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(printed) == fetched(t, console+"/requests/"+r.ID+"/trace.json")
	}
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	limit := time.After(patience)
	for !same() {
		select {
		case <-beat.C:
		case <-limit:
			t.Fatal("the console's JSON isn't that of habeas trace --json")
		}
	}
	// What is known of the systems is noted every few seconds, and what a worker
	// has done a moment after it has.
	for {
		page := fetched(t, console+"/systems")
		if strings.Contains(page, r.Email) {
			t.Fatalf("somebody's address is there: %s", page)
		}
		if strings.Count(page, "answers</span>") == len(f.cfg.Systems) && strings.Count(page, "<dt>Tasks waiting</dt><dd>0<") == len(f.cfg.Systems) {
			break
		}
		select {
		case <-beat.C:
		case <-limit:
			t.Fatalf("not every system is seen to answer, with no tasks that wait:\n%s", page)
		}
	}
	if log := desk.logs.String(); strings.Contains(log, r.Email) || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log: %s", log)
	}
	desk.stopGently()
}

// hook receives webhooks.
type hook struct {
	*testing.T
	url, secretFile string
	got             chan string
}

func newHook(t *testing.T) *hook {
	t.Helper()
	key := []byte("a secret of at least 24 bytes")
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	h := &hook{T: t, secretFile: filepath.Join(t.TempDir(), "hook"), got: make(chan string, 100)}
	if err := os.WriteFile(h.secretFile, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !signedWith(key, r.Header, body) {
			t.Errorf("a webhook without its signature: %v", err)
			http.Error(w, "", http.StatusBadRequest)
			return
		}
		h.got <- string(body)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// signedWith reports whether a webhook is signed as Standard Webhooks says: the MAC of
// its id, time and body. Their own library takes it too (services/tests/notify).
func signedWith(key []byte, head http.Header, body []byte) bool {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", head.Get("Webhook-Id"), head.Get("Webhook-Timestamp"), body)
	return head.Get("Webhook-Signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// tells waits until it was told something, and never something else.
func (h *hook) tells(what, never string) {
	h.Helper()
	limit := time.After(patience)
	for {
		select {
		case body := <-h.got:
			if strings.Contains(body, never) {
				h.Errorf("it was told who it is: %s", body)
			}
			if strings.Contains(body, what) {
				return
			}
		case <-limit:
			h.Fatalf("it isn't told %s", what)
		}
	}
}

func fetched(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, answer.StatusCode, err)
	}
	return string(text)
}
