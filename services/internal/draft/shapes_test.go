package draft

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"go.yaml.in/yaml/v3"
	_ "modernc.org/sqlite"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/internal/pgtest"
)

//go:embed testdata/*.sql
var shapes embed.FS

// example is a database of a shape that real ones have. Every text in it says whose it is:
// ann's, who asks, bob's or cleo's, with whom she shares things.
type example struct {
	name, root string
	// second is a further root, and asks an address in it by which ann asks.
	second, asks string
	// keep are the datasets whose rows a person has decided to keep.
	keep []string
	// own are the datasets whose rows don't go with what they hang on.
	own []string
	// more are datasets that the draft doesn't have.
	more string
	// technical are tables that a person has found to say nothing of anybody.
	technical []string
	// shown are texts of others that ann is shown, each by what it is about.
	shown []string
	// left are texts with her name that outlive her erasure, since others said them.
	left []string
	// lost are texts of others that go with what was hers.
	lost []string
}

var examples = []example{
	{name: "addresses", root: "users.email", second: "user_emails.email"},
	{name: "addresses", root: "users.email", second: "user_emails.email", asks: "second.ann@example.org"},
	{name: "social", root: "users.email", shown: []string{"bob reports"}},
	{name: "desk", root: "users.email", technical: []string{"avatars"}, shown: []string{"answer to bob", "bob", "bob is", "bob was"}},
	{name: "shop", root: "wp_users.user_email", technical: []string{"wp_options"},
		shown: []string{"cleo for a present"}, lost: []string{"wp_wc_order_addresses.first_name cleo for a present"}},
	{name: "billing", root: "accounts.email", technical: []string{"tenants"}, shown: []string{"kite for bob"},
		more: "[{name: notifications, title: {en: Notifications}, columns: [event_json], sql: {via: [{table: accounts, on: {search_key1: record_id}}], subject: {account_id: accounts.id}}}]"},
	{name: "map", root: "users.email", keep: []string{"changesets", "nodes", "node_tags", "ways", "way_nodes"}, own: []string{"changeset_comments", "changesets_subscribers"},
		shown: []string{"bob hello", "bob was rude", "bob writes"}},
}

// databases makes an example's database of each kind.
func (e example) databases(t *testing.T) map[string]func(*testing.T) (dsn string, db *sql.DB) {
	text, err := shapes.ReadFile("testdata/" + e.name + ".sql")
	if err != nil {
		t.Fatal(err)
	}
	fill := func(t *testing.T, driver, source string) *sql.DB {
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if _, err := db.ExecContext(t.Context(), string(text)); err != nil {
			t.Fatal(err)
		}
		return db
	}
	return map[string]func(*testing.T) (string, *sql.DB){
		"SQLite": func(t *testing.T) (string, *sql.DB) {
			file := filepath.Join(t.TempDir(), e.name+".db")
			return file, fill(t, "sqlite", file)
		},
		"PostgreSQL": func(t *testing.T) (string, *sql.DB) {
			dsn := pgtest.Shared(t).Database(t)
			return dsn, fill(t, "pgx", dsn)
		},
	}
}

// drafted drafts an example's manifest.
func (e example) drafted(t *testing.T, dsn string) *Draft {
	survey, err := sqlsystem.NewSurvey(t.Context(), dsn, "")
	if err != nil {
		t.Fatal(err)
	}
	defer survey.Close()
	roots := []string{e.root}
	if e.second != "" {
		roots = append(roots, e.second)
	}
	d, err := Make(t.Context(), survey, Options{Roots: roots, System: e.name})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// finish says what a draft leaves to a person.
func (e example) finish(t *testing.T, text string) *manifest.Manifest {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	doc["processing"] = map[string]any{"subjects": map[string]any{"en": "Customers"}}
	defaults := doc["defaults"].(map[string]any)
	delete(defaults, "purposes")
	defaults["purpose"] = map[string]any{"en": "To serve you"}
	defaults["legal_basis"] = "contract"
	defaults["storage"] = map[string]any{"en": "As long as the account"}
	if len(e.technical) > 0 {
		all, _ := doc["sql"].(map[string]any)["technical"].([]any)
		for _, name := range e.technical {
			all = append(all, name)
		}
		doc["sql"].(map[string]any)["technical"] = all
	}
	for _, d := range doc["datasets"].([]any) {
		d := d.(map[string]any)
		s, _ := d["sql"].(map[string]any)
		if slices.Contains(e.keep, d["name"].(string)) {
			if s == nil {
				s = map[string]any{}
				d["sql"] = s
			}
			s["erase"], s["why"] = "keep", map[string]any{"en": "The map is everybody’s"}
		}
		if slices.Contains(e.own, d["name"].(string)) {
			delete(s, "ways")
		}
		ways, _ := s["ways"].([]any)
		for _, w := range ways {
			if w := w.(map[string]any); w["why"] != nil {
				w["why"] = map[string]any{"en": "It is others’ too"}
			}
		}
	}
	var more []any
	if err := yaml.Unmarshal([]byte(e.more), &more); err != nil {
		t.Fatal(err)
	}
	doc["datasets"] = append(doc["datasets"].([]any), more...)
	whole, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse("finished.yaml", whole)
	if err != nil {
		t.Fatalf("%v\n%s", err, whole)
	}
	if left := m.Undecided(); len(left) > 0 {
		t.Fatalf("left: %v", left)
	}
	return m
}

// texts returns every text of a database that has a name in it, by table: the oracle looks
// at the tables by itself.
func texts(t *testing.T, db *sql.DB, tables []string, name string) []string {
	t.Helper()
	var out []string
	for _, table := range tables {
		rows, err := db.QueryContext(context.WithoutCancel(t.Context()), `SELECT * FROM "`+table+`"`)
		if err != nil {
			t.Fatal(err)
		}
		columns, _ := rows.Columns()
		held, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range held {
			into[i] = &held[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for i, v := range held {
				if s, ok := v.(string); ok && strings.Contains(strings.ToLower(s), name) {
					out = append(out, table+"."+columns[i]+" "+s)
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	slices.Sort(out)
	return out
}

// TestNoValueLeaves: nothing that the tables hold of people stands in a draft.
func TestNoValueLeaves(t *testing.T) {
	t.Parallel()
	for _, e := range examples {
		t.Run(e.name+e.asks, func(t *testing.T) {
			t.Parallel()
			dsn, _ := e.databases(t)["SQLite"](t)
			text := strings.ToLower(e.drafted(t, dsn).YAML())
			for _, value := range []string{"ann@", "ann ", "annsession", "bob", "cleo", "192.0.2", "75011", "fountain", "$2a$"} {
				if strings.Contains(text, value) {
					t.Error("a value stands in the draft")
				}
			}
		})
	}
}

// TestShapes drafts a manifest for each example, finishes it, gathers and erases ann, and
// holds both against what the tables say.
func TestShapes(t *testing.T) {
	t.Parallel()
	for _, e := range examples {
		for kind, make := range e.databases(t) {
			t.Run(e.name+" "+kind+" "+e.asks, func(t *testing.T) {
				t.Parallel()
				dsn, db := make(t)
				e.run(t, dsn, db)
			})
		}
	}
}

func (e example) run(t *testing.T, dsn string, db *sql.DB) {
	d := e.drafted(t, dsn)
	text := d.YAML()
	lines := 0
	for i, part := range strings.Split(text, "\n  - name: ")[1:] {
		n := strings.Count(part, "\n") + 1
		if part, _, more := strings.Cut(part, "\n\n#"); more {
			n = strings.Count(part, "\n") + 1
		}
		if lines += n; n > 15 {
			t.Errorf("dataset %d has %d lines", i, n)
		}
	}
	t.Logf("%d tables, %d datasets, %.1f lines each, %d in all", len(d.tables), d.Datasets(), float64(lines)/float64(d.Datasets()), strings.Count(text, "\n"))
	m := e.finish(t, text)
	s, err := sqlsystem.Open(t.Context(), m, dsn)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	defer s.Close()
	w, err := worker.New(m, s)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for _, table := range d.tables {
		tables = append(tables, table.Name)
	}
	ids := e.identifiers(t, w)
	e.gathered(t, workertest.Ask(t, w, dsar.Gather, ids...), m, db, tables)
	others := append(texts(t, db, tables, "bob"), texts(t, db, tables, "cleo")...)

	r := workertest.NewRequest(t, w, ids...)
	if plan := r.Ask(dsar.Plan); plan.Code != "" {
		t.Fatal(plan)
	}
	if erased := r.Ask(dsar.Erase); erased.Code != "" {
		t.Fatalf("%v\n%s\n%s", erased, erased.Underlying, text)
	}
	if proof := r.Ask(dsar.Prove); proof.Code != "" {
		t.Errorf("%v", proof)
	}
	for _, left := range texts(t, db, tables, "ann") {
		if !slices.Contains(e.left, left) {
			t.Errorf("left: %s", left)
		}
	}
	still := append(texts(t, db, tables, "bob"), texts(t, db, tables, "cleo")...)
	for _, was := range others {
		if !slices.Contains(still, was) && !slices.Contains(e.lost, was) {
			t.Errorf("lost: %s", was)
		}
	}
}

// identifiers returns what is known of ann once it was looked up.
func (e example) identifiers(t *testing.T, w *worker.Worker) []string {
	ids := []string{"email=" + cmp.Or(e.asks, "ann@example.com")}
	for range 3 {
		for _, f := range workertest.Ask(t, w, dsar.Resolve, ids...).Found {
			if id := string(f.Type) + "=" + f.Value; !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// gathered holds what ann was shown against the tables: every text with her name, but for
// secrets, and of others' what is said.
func (e example) gathered(t *testing.T, got workertest.Answer, m *manifest.Manifest, db *sql.DB, tables []string) {
	t.Helper()
	var shown strings.Builder
	secret := map[string]bool{}
	for i := range m.Datasets {
		for _, c := range m.Datasets[i].Columns {
			if c.Secret.Hides() {
				secret[m.Datasets[i].SQL.Table+"."+m.Datasets[i].SQL.Source(c.Name)] = true
			}
		}
	}
	foreign := map[string]bool{}
	for _, r := range got.Records {
		for _, v := range r.Values {
			text := fmt.Sprint(v)
			shown.WriteString(text + "\n")
			if low := strings.ToLower(text); (strings.Contains(low, "bob") || strings.Contains(low, "cleo")) && !strings.Contains(low, "ann") {
				foreign[text] = true
			}
		}
	}
	for _, want := range texts(t, db, tables, "ann") {
		place, text, _ := strings.Cut(want, " ")
		if !secret[place] && !strings.Contains(shown.String(), text) && !slices.Contains(e.left, want) {
			t.Errorf("not shown: %s", want)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(foreign)) {
		if !slices.Contains(e.shown, text) {
			t.Errorf("shown of others: %s", text)
		}
	}
}

// TestOtherSchemasAreNamed: a draft says which schemas it didn't look at.
func TestOtherSchemasAreNamed(t *testing.T) {
	t.Parallel()
	for name, make := range examples[0].databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn, db := make(t)
			want := ""
			if name == "PostgreSQL" {
				if err := db.QueryRowContext(t.Context(), "SELECT current_schema() || '_crm'").Scan(&want); err != nil {
					t.Fatal(err)
				}
				if _, err := db.ExecContext(t.Context(), fmt.Sprintf("CREATE SCHEMA %s; CREATE TABLE %[1]s.contacts (email TEXT)", want)); err != nil {
					t.Fatal(err)
				}
				defer db.Exec("DROP SCHEMA " + want + " CASCADE")
			}
			_, not, said := strings.Cut(examples[0].drafted(t, dsn).YAML(), "# Not looked at: ")
			if said != (want != "") || !strings.Contains(not, want) {
				t.Errorf("not looked at: %q", not)
			}
		})
	}
}
