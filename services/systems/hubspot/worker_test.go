package hubspot

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/conform"
	sandbox "habeas.dev/services/sandbox/hubspot"
	"habeas.dev/services/sandbox/people"
)

// open makes a worker and the stand-in that it calls.
func open(t testing.TB, p *people.Population, c conform.Config) (*Worker, *sandbox.Server) {
	t.Helper()
	server, err := sandbox.New(sandbox.Config{Population: p, Clock: c.Clock.Now, Settle: c.Settle})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	ts := httptest.NewServer(server)
	t.Cleanup(ts.Close)
	w, err := New(Config{BaseURL: ts.URL, Token: vendorapi.SecretValue(sandbox.DefaultToken), Access: vendorapi.Access{Rate: rate.Inf, Now: c.Clock.Now, Pause: c.Clock.Pass}})
	if err != nil {
		t.Fatal(err)
	}
	return w, server
}

func declared(t testing.TB, p *people.Population) workertest.System {
	t.Helper()
	m, err := Manifest()
	if err != nil {
		t.Fatal(err)
	}
	return workertest.System{
		Manifest: m, Nobody: conform.Nobody(),
		Subjects: conform.Subjects(p, people.HubSpot, conform.Email, nil, people.Camille, people.Californian, people.Leaver),
	}
}

// TestConformance holds the worker to the kit.
func TestConformance(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 12})
	workertest.Run(t, func(t testing.TB, _ *slog.Logger) workertest.System {
		s := declared(t, p)
		w, server := open(t, p, conform.Config{Clock: conform.NewClock()})
		s.Worker = w
		s.Break = func(how workertest.How) bool {
			if how == workertest.Refusing {
				server.Rotate("another")
				return true
			}
			server.Rotate(sandbox.DefaultToken)
			return conform.Break(server.SetFaults, how)
		}
		return s
	})
}

// TestFaults plays what vendors do.
func TestFaults(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 12})
	conform.Faults(t, func(t testing.TB, c conform.Config) conform.Faulty {
		s := declared(t, p)
		w, server := open(t, p, c)
		return conform.Faulty{
			Manifest: s.Manifest, Worker: w, Subjects: s.Subjects, Set: server.SetFaults, Spoils: server.Spoils(), Repeated: server.Repeated,
			Holds: func(i int) bool { return server.Holds(s.Subjects[i].Identifiers[0].Value) },
			Knows: true,
			Forbid: func() (string, func()) {
				server.Rotate("another")
				return "", func() { server.Rotate(sandbox.DefaultToken) }
			},
		}
	})
}

// TestOvertaken: a planned contact that has somebody else's address by now is left, and one
// without an address is erased by its id.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 12})
	conform.Overtaken(t, "contacts", "email", func(t *testing.T) *conform.Direct {
		w, _ := open(t, p, conform.Config{Clock: conform.NewClock()})
		return &conform.Direct{T: t, Manifest: declared(t, p).Manifest, Client: w, People: p, System: people.HubSpot}
	})
}

// TestBatches: 1,000 people are read by ten calls, and each is deleted by one.
func TestBatches(t *testing.T) {
	t.Parallel()
	const asked = 1000
	p := people.Generate(people.Config{Seed: 3, People: asked})
	w, server := open(t, p, conform.Config{Clock: conform.NewClock()})
	var held int64
	for chunk := 0; chunk < asked; chunk += MaxBatch {
		var jobs []*worker.EraseJob
		for n := chunk; n < min(chunk+MaxBatch, asked); n++ {
			held += int64(len(p.RowsIn(n+1, people.HubSpot)))
			jobs = append(jobs, &worker.EraseJob{Job: worker.Job{Task: worker.Task{Action: dsar.Erase, Identifiers: conform.Email(p.Person(n + 1))}}})
		}
		if err := w.Erase(context.Background(), jobs); err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			if j.Err != nil {
				t.Fatal(j.Err)
			}
		}
	}
	if calls := server.Calls(); calls["read"] != asked/maxInputs || calls["delete"] != held {
		t.Errorf("calls: %v; %d contacts", calls, held)
	}
}

func TestRectify(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 3, People: 12})
	w, _ := open(t, p, conform.Config{Clock: conform.NewClock()})
	who := p.Person(people.Leaver)
	task := worker.Task{Action: dsar.Rectify, Identifiers: conform.Email(who)}
	stands := map[string]any{}
	counts, err := w.rectify(t.Context(), task, []worker.Change{{Dataset: datasetContacts, Column: "city", Value: "Lyon"}, {Dataset: datasetContacts, Column: "id", Value: "1"}},
		func(_, column string, is any) { stands[column] = is })
	if len(stands) != 1 || stands["city"] != "Lyon" {
		t.Errorf("HubSpot answers that it holds %v", stands)
	}
	if err != nil || len(counts) != 1 || counts[0].Rectified != 1 || len(counts[0].Unchanged) != 1 {
		t.Errorf("%+v (%v)", counts, err)
	}
	found, err := w.read(t.Context(), "email", []string{who.Email})
	if err != nil || len(found) != 1 || vendorapi.Text(found[0].values["city"]) != "Lyon" {
		t.Errorf("%+v (%v)", found, err)
	}
}

// TestLacks: a column that HubSpot doesn't know is named, and the others are
// copied.
func TestLacks(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 3, People: 12})
	for lacks, notes := range map[string]int{"": 0, "jobtitle": 1} {
		server, err := sandbox.New(sandbox.Config{Population: p, Lacks: []string{lacks}})
		if err != nil {
			t.Fatal(err)
		}
		ts := httptest.NewServer(server)
		t.Cleanup(ts.Close)
		w, err := New(Config{BaseURL: ts.URL, Token: vendorapi.SecretValue(sandbox.DefaultToken), Access: vendorapi.Access{Rate: rate.Inf}})
		if err != nil {
			t.Fatal(err)
		}
		found, err := w.read(t.Context(), "email", []string{p.Person(people.Leaver).Email})
		if err != nil || len(found) != 1 || len(w.Notes()) != notes || notes == 1 && !strings.Contains(w.Notes()[0].Text, "jobtitle") {
			t.Errorf("without %s: %v %v (%v)", lacks, found, w.Notes(), err)
		}
	}
}

// TestTokenIsReadAgain: a token that was changed is taken without a restart.
func TestTokenIsReadAgain(t *testing.T) {
	p := people.Generate(people.Config{Seed: 3, People: 12})
	w, server := open(t, p, conform.Config{Clock: conform.NewClock()})
	t.Setenv("HUBSPOT_TEST_TOKEN", sandbox.DefaultToken)
	w.config.Token = vendorapi.SecretEnv("HUBSPOT_TEST_TOKEN")
	for _, token := range []string{sandbox.DefaultToken, "another"} {
		t.Setenv("HUBSPOT_TEST_TOKEN", token)
		server.Rotate(token)
		if _, err := w.read(t.Context(), "email", []string{people.NobodyEmail}); err != nil {
			t.Error(err)
		}
	}
}
