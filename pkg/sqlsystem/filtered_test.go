package sqlsystem

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// TestFilteredByPolicies: a dataset is covered only where no policy of row security may hide some
// of what it reads: its table, one that leads to it, one that a view reads for who asks it.
func TestFilteredByPolicies(t *testing.T) {
	t.Parallel()
	enable := func(table string) string { return "ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY" }
	for _, c := range []struct {
		name       string
		statements []string
		showsAll   string
		hidden     string // the table that the reason names; empty: all is covered
		datasets   []string
	}{
		{"none", nil, "", "", nil},
		{"no policy, so that nothing is shown", []string{enable("notes")}, "", "notes", []string{"notes"}},
		{"some rows", []string{enable("notes"), "CREATE POLICY few ON notes USING (id < 0)"}, "", "notes", []string{"notes"}},
		{"all rows", []string{enable("notes"), "CREATE POLICY few ON notes USING (id < 0)", "CREATE POLICY all_read ON notes FOR SELECT USING (true)"}, "", "", nil},
		{"all rows, to somebody else", []string{enable("notes"), "CREATE POLICY all_read ON notes FOR SELECT TO pg_monitor USING (true)"}, "", "notes", []string{"notes"}},
		{"all rows, restricted", []string{enable("notes"), "CREATE POLICY all_read ON notes FOR SELECT USING (true)", "CREATE POLICY less ON notes AS RESTRICTIVE USING (id > 0)"}, "", "notes", []string{"notes"}},
		{"all rows may be written only", []string{enable("notes"), "CREATE POLICY all_written ON notes FOR INSERT WITH CHECK (true)"}, "", "notes", []string{"notes"}},
		{"the manifest says all", []string{enable("notes"), "CREATE POLICY few ON notes USING (id >= 0)"}, "notes", "", nil},
		{"what leads there", []string{enable("orders"), "CREATE POLICY few ON orders USING (customer < 0)"}, "", "orders", []string{"orders", "lines"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := limitedDB(t, postgresShop)
			d.fill(t)
			m := shop(t)
			if c.showsAll != "" {
				m.SQL.ShowsAll = []string{c.showsAll}
			}
			s := d.mySystem(t, m) // which started before
			for _, statement := range c.statements {
				d.run(t, statement)
			}
			who := ids("customer 1")
			why := map[string]string{}
			var causes []dsar.Cause
			task := worker.Task{Action: dsar.Gather, Right: dsar.Access, Identifiers: who}
			g := &worker.GatherJob{Job: worker.Job{Task: task}, Records: worker.NewRecords(m, dsar.Access, nil, func(string, record.Record) error { return nil })}
			if err := s.Gather(t.Context(), []*worker.GatherJob{g}); err != nil || g.Err != nil {
				t.Fatal(err, g.Err)
			}
			p := &worker.PlanJob{Job: worker.Job{Task: worker.Task{Action: dsar.Plan, Right: dsar.Erasure, Identifiers: who}}, Plan: worker.NewPlanWriter(m)}
			if err := s.Plan(t.Context(), []*worker.PlanJob{p}); err != nil || p.Err != nil {
				t.Fatal(err, p.Err)
			}
			e := jobsOf(dsar.Erasure, who)
			if err := s.countAll(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			for action, counts := range map[dsar.Action][]dsar.Counts{dsar.Gather: g.Records.Counts(), dsar.Plan: p.Plan.Counts(), dsar.Prove: e[0].Counts} {
				var uncovered []string
				for _, count := range counts {
					if count.Uncovered == "" {
						continue
					}
					uncovered = append(uncovered, count.Dataset)
					why[count.Uncovered] = count.Dataset
					causes = append(causes, *count.Cause)
				}
				for _, name := range c.datasets {
					if !slices.Contains(uncovered, name) {
						t.Errorf("%s: %s isn't told as not covered: %v", action, name, uncovered)
					}
				}
				if (len(uncovered) > 0) != (c.hidden != "") {
					t.Errorf("%s: not covered are %v", action, uncovered)
				}
			}
			_, err := s.Elsewhere(t.Context(), &worker.Task{Identifiers: who}, worker.Identifier{Type: "customer", Value: "999"})
			if told := (*worker.Error)(nil); (err != nil) != (c.hidden != "") || err != nil && (!errors.As(err, &told) || !told.Permanent()) {
				t.Errorf("whose an identifier is: %v", err)
			} else if err != nil {
				why[told.Reason] = told.Cause.Dataset
				causes = append(causes, told.Cause)
			}
			for reason := range why {
				if !strings.Contains(reason, "row security may hide rows of "+c.hidden+" ") || !strings.Contains(reason, "sql.shows_all") {
					t.Errorf("the reason is %q", reason)
				}
			}
			for _, cause := range causes {
				if cause.Permission != "BYPASSRLS" || !cause.Fits() {
					t.Errorf("the cause is %+v", cause)
				}
			}
			advice, err := s.Copies(t.Context())
			if said := slices.ContainsFunc(advice, func(a Advice) bool { return strings.Contains(a.What, "row security") }); err != nil || said != (c.hidden != "") {
				t.Errorf("lint says %v, %v", advice, err)
			}
		})
	}
}

// TestFilteredViews: a view shows what its owner is shown, or, with security_invoker, what who asks
// it is.
func TestFilteredViews(t *testing.T) {
	t.Parallel()
	for options, hidden := range map[string]bool{"": false, "WITH (security_invoker)": true, "WITH (security_invoker = off)": false} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			d := limitedDB(t, postgresShop)
			d.run(t, "CREATE VIEW inner_people "+options+" AS SELECT id, mail AS email FROM people")
			d.run(t, "CREATE VIEW all_people WITH (security_invoker) AS SELECT * FROM inner_people")
			d.run(t, "ALTER TABLE people ENABLE ROW LEVEL SECURITY")
			d.run(t, "GRANT SELECT ON inner_people, all_people TO "+d.user)
			m, err := manifest.Parse("people.yaml", []byte(`
system: shop
title: {en: Shop}
abilities: [gather]
needs: [email]
sql: {}
datasets:
  - name: people
    title: {en: People}
    category: identifiers
    origin: provided
    purpose: {en: To sell}
    legal_basis: contract
    storage: {en: A year}
    columns: [id, email]
    sql: {table: all_people, key: [id], subject: {email: email}}
`))
			if err != nil {
				t.Fatal(err)
			}
			s := d.mySystem(t, m)
			if is := s.filteredOf(s.datasets[0].reads); is != "" != hidden || hidden && is != "people" {
				t.Errorf("hidden are rows of %q", is)
			}
		})
	}
}

// TestFilteredFinders: what is found in a table that doesn't show all fails for a person.
func TestFilteredFinders(t *testing.T) {
	t.Parallel()
	d := limitedDB(t, postgresShop)
	d.fill(t)
	m := shop(t)
	if len(m.SQL.Resolve) == 0 {
		t.Skip("the shop finds nothing")
	}
	s := d.mySystem(t, m)
	d.run(t, "ALTER TABLE "+m.SQL.Resolve[0].Table+" ENABLE ROW LEVEL SECURITY")
	j := &worker.ResolveJob{Job: worker.Job{Task: worker.Task{Action: dsar.Resolve, Identifiers: []worker.Identifier{{Type: "email", Value: "a@example.com"}}}}}
	err := s.Resolve(t.Context(), []*worker.ResolveJob{j})
	var typed *worker.Error
	if !errors.As(err, &typed) || typed.Code != "no-permission" || !strings.Contains(typed.Reason, "row security") {
		t.Error(err)
	}
}
