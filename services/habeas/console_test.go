package main

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/broker"
)

// TestConsole runs the console as a process of its own beside the others: it shows
// what they do, how each system is, and of a request the same as the command line.
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
	f.start("coordinator")
	f.start("aggregator")
	f.start("worker", "account", "billing", "marketplace", "events", "salesforce", "marketo", "paymentech")
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
	r := demoRequest{id: uuid.NewString(), right: dsar.Access, jurisdiction: "EEA", locale: "en", source: "test", receivedAt: received, email: f.people.Person(3).Email}
	if _, err := post(t.Context(), door.url, r.data()); err != nil {
		t.Fatal(err)
	}
	(&pipeline{T: t, people: f.people, n: &node{cfg: f.cfg, in: f.in}}).wait(r.id)

	// The letter that says so may be a fact more, between the two.
	same := func() bool {
		printed, err := command(t.Context(), "trace", r.id, "--json", "--data", f.cfg.Data).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(printed) == fetched(t, console+"/requests/"+r.id+"/trace.json")
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for try := 0; !same(); try++ {
		if try == 20 {
			t.Fatal("the console's JSON isn't that of habeas trace --json")
		}
		<-again.C
	}
	// What is known of the systems is noted every few seconds.
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	limit := time.After(time.Minute)
	for {
		page := fetched(t, console+"/systems")
		if strings.Count(page, ">answers<") == len(f.cfg.Systems) {
			break
		}
		select {
		case <-beat.C:
		case <-limit:
			t.Fatalf("not every system is seen to answer:\n%s", page)
		}
	}
	if page := fetched(t, console+"/systems"); strings.Contains(page, r.email) || strings.Count(page, `data-label="Tasks waiting">0<`) != len(f.cfg.Systems) {
		t.Errorf("no tasks wait, and nobody's address is there: %s", page)
	}
	if log := string(desk.logs.Bytes()); strings.Contains(log, r.email) || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log: %s", log)
	}
	desk.stopGently()
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
