package training_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/internal/webhook"
	"habeas.dev/services/sandbox/conform"
	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/training"
	"habeas.dev/services/systems"
	"habeas.dev/services/systems/httpsystem"
)

// TestConformance holds the stand-in, and the worker that calls it, to the kit.
func TestConformance(t *testing.T) {
	t.Parallel()
	m, err := systems.Manifest(people.Training)
	if err != nil {
		t.Fatal(err)
	}
	p := people.Generate(people.Config{Seed: 14, People: 12})
	workertest.Run(t, func(t testing.TB, _ *slog.Logger) workertest.System {
		clock := conform.NewClock()
		s, url := serve(t, training.Config{Population: p, Clock: clock.Now})
		c := httpsystem.Config{URL: url, Secret: vendorapi.SecretValue(training.DefaultSecret), Manifest: m}
		c.Now, c.Pause = clock.Now, clock.Pass
		w, err := httpsystem.New(c)
		if err != nil {
			t.Fatal(err)
		}
		return workertest.System{
			Manifest: m, Worker: w, Nobody: conform.Nobody(),
			Subjects: conform.Subjects(p, people.Training, conform.Email, nil, people.Leaver, people.Camille, people.Californian),
			Break: func(how workertest.How) bool {
				broken := map[workertest.How]fault.Config{
					workertest.Working: {}, workertest.Failing: {ServerError: 1}, workertest.RateLimited: {Quota: time.Hour},
				}
				c, can := broken[how]
				if can {
					s.SetFaults(c)
				}
				return can && (how != workertest.Working || clock.Pass(t.Context(), 2*time.Hour) == nil)
			},
		}
	})
}

func serve(t testing.TB, c training.Config) (*training.Server, string) {
	t.Helper()
	s, err := training.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, server.URL
}

// call posts lines, signed.
func call(t *testing.T, url, action string, lines ...string) {
	t.Helper()
	body := strings.Join(lines, "\n") + fmt.Sprintf("\n{\"end\":{\"lines\":%d}}\n", len(lines))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/"+action, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	keys, err := webhook.ParseSecrets(training.DefaultSecret)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := webhook.Sign(keys, "a-call", at, func(w io.Writer) error {
		_, err := io.WriteString(w, body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{webhook.HeaderID: {"a-call"}, webhook.HeaderTimestamp: {at}, webhook.HeaderSignature: {signature}}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s (%v)", action, res.Status, err)
	}
}

// TestDeclared: the manifest declares exactly what people have.
func TestDeclared(t *testing.T) {
	t.Parallel()
	m, err := systems.Manifest(people.Training)
	if err != nil {
		t.Fatal(err)
	}
	conform.Declared(t, m, people.Training)
}

// TestUnsigned: who doesn't sign is told nothing.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	s, url := serve(t, training.Config{Population: people.Generate(people.Config{Seed: 14, People: 12})})
	for _, path := range []string{"/v1", "/v1/gather", "/v1/erase"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader("{\"end\":{\"lines\":0}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s (%v)", path, res.Status, err)
		}
	}
	if calls := s.Calls(); calls["unsigned"] != 3 || len(calls) != 1 {
		t.Errorf("calls: %v", calls)
	}
}

// TestKept: what was erased stays so after a start.
func TestKept(t *testing.T) {
	t.Parallel()
	c := training.Config{Population: people.Generate(people.Config{Seed: 14, People: 12}), Dir: t.TempDir()}
	email := c.Population.Person(people.Leaver).Email
	s, url := serve(t, c)
	had := s.Holds(email)
	call(t, url, "erase", `{"task":"1","plan":"`+strings.Repeat("0", 64)+`","identifiers":[{"type":"email","value":"`+email+`"}]}`)
	if again, _ := serve(t, c); had == 0 || again.Holds(email) != 0 {
		t.Errorf("of %d records %d are back", had, again.Holds(email))
	}
}
