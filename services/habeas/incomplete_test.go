package main

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/sandbox/people"
)

// TestIncomplete: Salesforce doesn't show one object. Everything else is gathered
// and erased, a person is called, and what they leave it at is an answer that
// names what it lacks.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen = "127.0.0.1:0"
	cfg.Sandbox = &config.Sandbox{Seed: 7, People: 40, Faults: "salesforce:forbid=Task"}
	n, err := node.Start(t.Context(), cfg, node.Options{Logs: &workertest.Log{}}, node.Everything())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	population := people.Generate(people.Config{Seed: 7, People: 40})

	for _, right := range []dsar.Right{dsar.Access, dsar.Erasure} {
		r := upstream.Request{ID: uuid.NewString(), Right: right, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: population.Person(people.Camille).Email}
		if _, err := upstream.Post(t.Context(), n.URL(), "", r.JSON()); err != nil {
			t.Fatal(err)
		}
		if row := waitFor(t, n.Installation.Journal, r.ID); row.Status != core.StatusNeedsAttention || len(row.Waiting) != 1 || row.Waiting[0] != people.Salesforce {
			t.Fatalf("%s is %s and waits for %v", right, row.Status, row.Waiting)
		}
		leave := core.Attest{By: "lea", Reason: "tasks are kept elsewhere", System: people.Salesforce, Outcome: dsar.Incomplete, Now: now()}
		if _, err := n.Installation.Requests.Do(t.Context(), r.ID, leave); err != nil {
			t.Fatal(err)
		}
		if row := waitFor(t, n.Installation.Journal, r.ID); row.Status != core.StatusCompleted {
			t.Fatalf("%s is %s", right, row.Status)
		}
		files := payload(t, n, r.ID)
		a, err := statement.Read(files[bundle.AnswerFile(right)])
		if err != nil {
			t.Fatal(err)
		}
		covered := int64(0)
		for _, sys := range a.Systems {
			if is := a.AnswerOf(sys.System) == statement.PartlyReached; is != (sys.System == people.Salesforce) {
				t.Errorf("%s: %s is %s", right, sys.System, a.AnswerOf(sys.System))
			}
			for _, d := range sys.Datasets {
				unreached := len(a.About(sys.System, d.Dataset, statement.NotReached)) > 0
				if d.Dataset == "tasks" && sys.System == people.Salesforce && !unreached {
					t.Errorf("%s: %s isn't said to be uncovered", right, d.Dataset)
				}
				if sys.System == people.Salesforce && !unreached {
					covered += a.Records(sys.System, d.Dataset, statement.Shown, statement.Erased)
				}
			}
		}
		if covered == 0 {
			t.Errorf("%s: nothing of the rest of Salesforce was done", right)
		}
		if page := string(files["index.html"]); !strings.Contains(page, "We could not reach this part") || strings.Contains(page, "grant read access") {
			t.Errorf("%s: the page doesn't say what it lacks, or says what is for the staff", right)
		}
	}
}
