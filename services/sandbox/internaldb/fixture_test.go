package internaldb_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/internal/pgtest"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/systems"
)

// today is the clock of the tests, within the years that people promises for.
var today = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func manifests(t testing.TB) []*manifest.Manifest {
	t.Helper()
	var out []*manifest.Manifest
	for _, name := range internaldb.Systems() {
		m, err := systems.Manifest(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// fixture is the systems' workers on seeded databases, and a vault.
type fixture struct {
	testing.TB
	people  *people.Population
	vault   *workertest.Desk
	plans   map[string]*dsar.Object // by request and system
	workers map[string]*worker.Worker
	known   map[int][]worker.Identifier // by person
	attempt int
}

// onEach runs a test on SQLite and, where there is one, on PostgreSQL.
func onEach(t *testing.T, p *people.Population, test func(*testing.T, *fixture)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, newFixture(t, p, onSQLite(t, p)))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, newFixture(t, p, onPostgres(t, p)))
	})
}

func onSQLite(t testing.TB, p *people.Population) func(system string) string {
	files, err := internaldb.Create(t.Context(), t.TempDir(), p)
	if err != nil {
		t.Fatal(err)
	}
	return func(system string) string { return files[system] }
}

func onPostgres(t testing.TB, p *people.Population) func(system string) string {
	server := pgtest.Start(t)
	return func(system string) string {
		url := server.Database(t)
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := internaldb.SeedPostgres(t.Context(), db, system, p); err != nil {
			t.Fatal(err)
		}
		return url
	}
}

func newFixture(t testing.TB, p *people.Population, source func(system string) string) *fixture {
	t.Helper()
	w := &fixture{TB: t, people: p, vault: workertest.NewDesk(t), plans: map[string]*dsar.Object{}, workers: map[string]*worker.Worker{}, known: map[int][]worker.Identifier{}}
	for _, m := range manifests(t) {
		s, err := sqlsystem.Open(t.Context(), m, source(m.System), sqlsystem.WithClock(func() time.Time { return today }))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		if w.workers[m.System], err = worker.New(m, s); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range p.People {
		w.known[who.Number] = []worker.Identifier{{Type: "email", Value: who.Email, Assurance: dsar.AssuranceVerified}}
	}
	return w
}

func requestID(person int) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, person)).String()
}

// do has a system do one action for some people, all in one batch, and returns
// the reports by person.
func (w *fixture) do(system string, action dsar.Action, right dsar.Right, persons ...int) map[int]dsar.Report {
	w.Helper()
	w.attempt++
	tasks := make([]event.Event, len(persons))
	byRequest := map[string]int{}
	for i, person := range persons {
		request := requestID(person)
		byRequest[request] = person
		t := dsar.Task{RequestID: request, System: system, Action: action, Attempt: w.attempt, Right: right, Jurisdiction: "EEA", ReceivedAt: today}
		if action == dsar.Restrict {
			t.Purposes = map[dsar.Right][]string{dsar.Objection: {"marketing"}, dsar.ConsentWithdrawal: {"event-media"}}[right]
		}
		if action == dsar.Erase || action == dsar.Prove {
			t.Plan = w.plans[request+system]
		}
		tasks[i] = workertest.Seal(w, w.vault, t, w.known[person])
	}
	out := map[int]dsar.Report{}
	for _, e := range w.vault.Handle(w.Context(), w.workers[system], tasks) {
		var r dsar.Report
		if err := json.Unmarshal(e.Data, &r); err != nil {
			w.Fatal(err)
		}
		if r.Kind == dsar.ReportProgress {
			continue
		}
		if r.Kind != dsar.ReportEnded {
			w.Fatalf("%s %s of person %d: %s %s %s", system, action, byRequest[r.RequestID], r.Kind, r.Code, r.Reason)
		}
		if r.Code == dsar.CodePlanUnmet {
			w.Errorf("%s of person %d doesn't keep to its plan: %s", system, byRequest[r.RequestID], r.Reason)
		}
		if action == dsar.Plan && len(r.Objects) > 0 {
			w.plans[r.RequestID+system] = &r.Objects[0]
		} else if action == dsar.Plan {
			w.plans[r.RequestID+system] = workertest.LeavePlan(w, w.vault, system, r.RequestID)
		}
		out[byRequest[r.RequestID]] = r
	}
	if len(out) != len(persons) {
		w.Fatalf("%d reports of %d tasks", len(out), len(persons))
	}
	return out
}

// resolve finds what account and billing can find of some people.
func (w *fixture) resolve(persons ...int) {
	w.Helper()
	for _, system := range []string{people.Account, people.Billing} {
		for person, r := range w.do(system, dsar.Resolve, dsar.Access, persons...) {
			keys, err := w.vault.Keys(w.Context(), r.RequestID)
			if err != nil {
				w.Fatal(err)
			}
			for _, id := range r.Identifiers {
				value, err := keys.Open(id.Sealed, vault.Identifier)
				if err != nil {
					w.Fatal(err)
				}
				if id.From == "" {
					w.Errorf("%s doesn't say what it found %s by", system, id.Type)
				}
				w.known[person] = append(w.known[person], worker.Identifier{Type: id.Type, Value: string(value)})
			}
		}
	}
}

// gather returns what a system gathers of some people: by person, each record as
// "dataset {json}", in the order that it came.
func (w *fixture) gather(system string, persons ...int) map[int][]string {
	w.Helper()
	out := map[int][]string{}
	for person, r := range w.do(system, dsar.Gather, dsar.Access, persons...) {
		out[person] = nil
		for _, rec := range workertest.RecordsOf(w, w.vault, r) {
			out[person] = append(out[person], rec.Line(w))
		}
	}
	return out
}

// held returns what, by the population, a system holds of a person, sorted.
func (w *fixture) held(system string, person int, keep func(people.Row) bool) []string {
	var out []string
	for _, r := range w.people.RowsIn(person, system) {
		if keep == nil || keep(r) {
			out = append(out, workertest.Record{Dataset: r.Dataset, Values: r.Values}.Line(w))
		}
	}
	slices.Sort(out)
	return out
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
