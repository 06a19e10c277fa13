package systems_test

import (
	"cmp"
	"database/sql"
	_ "embed"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/pgtest"
)

// shopYAML is the manifest of a small shop: orders must stay for ten years, their
// lines with them, people and notes needn't.
//
//go:embed testdata/shop.yaml
var shopYAML []byte

const sqliteShop = `
CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, "tele phone" TEXT, born TEXT, seen TEXT, score REAL, active BOOLEAN, prefs TEXT, restricted BOOLEAN);
CREATE TABLE orders (number TEXT PRIMARY KEY, customer INTEGER, placed TEXT, disputed TEXT);
CREATE TABLE order_lines ("order" TEXT REFERENCES orders (number), n INTEGER, text TEXT, PRIMARY KEY ("order", n));
CREATE TABLE notes (id INTEGER PRIMARY KEY, customer INTEGER, mail TEXT, body TEXT);`

const postgresShop = `
CREATE TABLE people (id BIGINT PRIMARY KEY, mail VARCHAR(200), "tele phone" TEXT, born DATE, seen TIMESTAMPTZ, score NUMERIC(12, 4), active BOOLEAN, prefs JSONB, restricted BOOLEAN);
CREATE TABLE orders (number TEXT PRIMARY KEY, customer BIGINT, placed DATE, disputed TIMESTAMPTZ);
CREATE TABLE order_lines ("order" TEXT, n INTEGER, text TEXT, PRIMARY KEY ("order", n));
CREATE TABLE notes (id INTEGER PRIMARY KEY, customer INTEGER, mail TEXT, body TEXT);`

func shop(t *testing.T) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse("shop.yaml", shopYAML)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// database is a shop in some database, and a connection of the test's own.
type database struct {
	*sql.DB
	source   string
	postgres bool
}

func openDatabase(t *testing.T, driver, source, schema string) database {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.ExecContext(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	return database{DB: db, source: source, postgres: driver == "pgx"}
}

// onEach runs a test on SQLite and, where there is one, on PostgreSQL.
func onEach(t *testing.T, test func(*testing.T, database)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, openDatabase(t, "sqlite", filepath.Join(t.TempDir(), "shop.db"), sqliteShop))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, openDatabase(t, "pgx", pgtest.Start(t).Database(t), postgresShop))
	})
}

// run runs a statement; ? stands for a parameter on both databases.
func (d database) run(t *testing.T, statement string, args ...any) {
	t.Helper()
	if d.postgres {
		for i := range args {
			statement = strings.Replace(statement, "?", fmt.Sprintf("$%d", i+1), 1)
		}
	}
	if _, err := d.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// column returns a column's values as texts, sorted.
func (d database) column(t *testing.T, query string) []string {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s sql.NullString
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// limited is a shop in PostgreSQL and a role that may do with its tables what is
// granted to it. SQLite forbids no single table.
type limited struct {
	database
	role string
	mine string // the source as which the role connects
}

func limitedDatabase(t *testing.T) limited {
	t.Helper()
	source := pgtest.Start(t).Database(t)
	d := limited{database: openDatabase(t, "pgx", source, postgresShop)}
	u, err := url.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	schema := u.Query().Get("search_path")
	d.role = strings.Replace(schema, "test", "role", 1)
	d.run(t, "CREATE ROLE "+d.role+" LOGIN PASSWORD 'invented'")
	t.Cleanup(func() {
		d.Exec("DROP OWNED BY " + d.role) // the schema goes anyway
		d.Exec("DROP ROLE " + d.role)
	})
	d.run(t, "GRANT USAGE ON SCHEMA "+schema+" TO "+d.role)
	d.grantAll(t)
	u.User = url.UserPassword(d.role, "invented")
	d.mine = u.String()
	return d
}

func (d limited) grantAll(t *testing.T) {
	t.Helper()
	d.run(t, "GRANT SELECT, UPDATE, DELETE ON people, orders, order_lines, notes TO "+d.role)
}

// open makes the system of a database, on a clock of the test's.
func open(t *testing.T, m *manifest.Manifest, source string, now func() time.Time) *sqlsystem.System {
	t.Helper()
	s, err := sqlsystem.Open(t.Context(), m, source, sqlsystem.WithClock(now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// played is the request of one customer that the core decides on and a database
// answers.
type played struct {
	*testing.T
	system   *sqlsystem.System
	customer string
	now      func() time.Time
	state    core.State
	manifest *manifest.Manifest
	plan     *worker.PlanWriter // the last
}

// play submits an erasure of a shop's customer.
func play(t *testing.T, s *sqlsystem.System, m *manifest.Manifest, customer string, now func() time.Time) *played {
	t.Helper()
	def := m.Definition()
	def.Abilities = []dsar.Action{dsar.Erase}
	p := &played{T: t, system: s, manifest: m, customer: customer, now: now}
	p.decide(core.Submit{Accepted: core.Accepted{
		RequestID: "r", Right: dsar.Erasure, ReceivedAt: now(), AcceptedAt: now(), DueAt: now().AddDate(0, 1, 0), Digest: "d",
		Systems: []dsar.System{def}, Identifiers: []dsar.Identifier{{Type: "customer", Fingerprint: "fp", Assurance: dsar.AssuranceVerified}},
	}})
	return p
}

func (p *played) decide(c core.Command) {
	p.Helper()
	facts, err := core.Decide(p.state, c)
	if err != nil {
		p.Fatalf("%T: %v", c, err)
	}
	for _, f := range facts {
		p.state = core.Evolve(p.state, f)
	}
}

// answer does a task that the core has sent, on the database, and reports it.
func (p *played) answer(action dsar.Action) {
	p.Helper()
	task := p.state.Task("shop", action)
	if task == nil || task.Status != core.TaskIsSent {
		p.Fatalf("%s isn't asked for: %+v", action, p.state.Tasks)
	}
	own := worker.Job{Task: worker.Task{Right: dsar.Erasure, Identifiers: []worker.Identifier{{Type: "customer", Value: p.customer}}}}
	counts, err := p.call(action, own)
	if err != nil {
		p.Fatal(err)
	}
	outcome := map[dsar.Action]dsar.Outcome{dsar.Plan: dsar.Found, dsar.Erase: dsar.Erased, dsar.Prove: dsar.Proven}[action]
	r := dsar.Report{RequestID: "r", System: "shop", Action: action, Attempt: task.Attempt, Kind: dsar.ReportEnded, Outcome: outcome, Counts: counts}
	if action == dsar.Plan {
		r.Objects = []dsar.Object{{Name: "shop/plan/1-a", SHA256: "it is p.plan"}}
	}
	p.decide(core.TakeReport{Now: p.now(), Report: r})
}

// call has the system do one action, and returns its counts.
func (p *played) call(action dsar.Action, own worker.Job) ([]dsar.Counts, error) {
	if action == dsar.Plan {
		plan := &worker.PlanJob{Job: own, Plan: worker.NewPlanWriter(p.manifest)}
		err := p.system.Plan(p.Context(), []*worker.PlanJob{plan})
		p.plan = plan.Plan
		return plan.Plan.Counts(), cmp.Or(err, plan.Err)
	}
	plan, err := p.plan.Plan()
	if err != nil {
		return nil, err
	}
	job := &worker.EraseJob{Job: own, Plan: plan}
	if action == dsar.Erase {
		err = p.system.Erase(p.Context(), []*worker.EraseJob{job})
	} else {
		err = p.system.Prove(p.Context(), []*worker.EraseJob{job})
	}
	return job.Counts, cmp.Or(err, job.Err)
}

// finish answers whatever the core sends until the request is completed.
func (p *played) finish() {
	p.Helper()
	for p.state.Status != core.StatusCompleted {
		i := slices.IndexFunc(p.state.Tasks, func(task *core.TaskState) bool { return task.Status == core.TaskIsSent })
		if i < 0 {
			p.Fatalf("nothing was sent: %s, %+v", p.state.Status, p.state.Tasks)
		}
		task := p.state.Tasks[i]
		if task.System != dsar.Aggregator {
			p.answer(task.Action)
			continue
		}
		p.decide(core.TakeReport{Now: p.now(), Report: dsar.Report{
			System: task.System, Action: task.Action, Attempt: task.Attempt, Kind: dsar.ReportEnded, Outcome: dsar.Assembled, Objects: []dsar.Object{{Name: "certificate"}},
		}})
	}
}
