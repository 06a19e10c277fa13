package sqlsystem

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestOddTables: an erasure takes what is the person's, and nothing else, of
// partitioned tables, of views, with and without triggers in place of it, and of
// tables in another schema than the connection's.
func TestOddTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, lite, pg, table, cascades string
		path                            string // by which it is refused; empty: it isn't
	}{
		{"a view", "", "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER); CREATE VIEW things AS SELECT * FROM base", "things", "", ""},
		{"a view with a trigger", "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER); CREATE VIEW things AS SELECT * FROM base; CREATE TRIGGER instead INSTEAD OF DELETE ON things BEGIN DELETE FROM base WHERE id = old.id! END", "", "things", "", ""},
		{"a view with a rule", "", "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER); CREATE VIEW things AS SELECT id, person FROM base GROUP BY id; CREATE RULE instead AS ON DELETE TO things DO INSTEAD DELETE FROM base WHERE id = old.id", "things", "", ""},
		{"partitions", "", "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER) PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF base FOR VALUES FROM (0) TO (2); CREATE TABLE high PARTITION OF base FOR VALUES FROM (2) TO (10)", "base", "", ""},
		{"what refers to partitions", "", "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER) PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF base FOR VALUES FROM (0) TO (2); CREATE TABLE high PARTITION OF base FOR VALUES FROM (2) TO (10); CREATE TABLE marks (id INTEGER REFERENCES base (id) ON DELETE CASCADE)", "base", "", "base ← marks (id)"},
		{"what refers to a partition", "", "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER) PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF base FOR VALUES FROM (0) TO (2); CREATE TABLE high PARTITION OF base FOR VALUES FROM (2) TO (10); CREATE TABLE marks (id INTEGER REFERENCES low (id) ON DELETE CASCADE)", "base", "", "base ← marks (id)"},
		{"heirs of a table", "", "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER); CREATE TABLE heir (more INTEGER, PRIMARY KEY (id)) INHERITS (base)", "base", "", ""},
		{"a table that refers to itself", "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER, up INTEGER DEFAULT 1 REFERENCES base (id) ON DELETE CASCADE)", "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER, up INTEGER DEFAULT 1 REFERENCES base (id) ON DELETE CASCADE)", "base", "", "base ← base (up)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			test := func(t *testing.T, d database, schema string) {
				for stmt := range strings.SplitSeq(schema, ";") {
					if _, err := d.Exec(strings.ReplaceAll(stmt, "!", ";")); err != nil {
						t.Fatalf("%s: %v", stmt, err)
					}
				}
				for i, person := range []int{1, 2, 1} {
					d.insert(t, "base (id, person)", i+1, person)
				}
				if strings.Contains(schema, "marks") {
					d.insert(t, "marks", 1)
				}
				m := small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "things | table: "+c.table+", key: [id], subject: {person: person}, erase: delete")
				if d.dialect == PostgreSQL { // a search path that leads elsewhere
					u, err := url.Parse(d.source)
					if err != nil {
						t.Fatal(err)
					}
					q := u.Query()
					m.SQL.Schema = q.Get("search_path")
					q.Set("search_path", "public")
					u.RawQuery = q.Encode()
					d.source = u.String()
				}
				s := open(t, d, m)
				jobs := jobsOf(dsar.Erasure, ids("person 1"))
				err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err)
				left := d.column(t, "SELECT id FROM base ORDER BY id")
				if c.path != "" {
					refusedBy(t, err, c.path)
					if len(left) != 3 {
						t.Errorf("left %v", left)
					}
					if c.name == "a table that refers to itself" {
						return
					}
					m.Dataset("things").SQL.Cascades = []string{"marks"}
					jobs = jobsOf(dsar.Erasure, ids("person 1"))
					s = open(t, d, m)
					err = cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err)
					left = d.column(t, "SELECT id FROM base ORDER BY id")
				}
				if err != nil || !slices.Equal(left, []string{"2"}) || jobs[0].Counts[0].Erased != 2 {
					t.Errorf("%v, left %v, %+v", err, left, jobs[0].Counts)
				}
			}
			if c.lite != "" {
				t.Run("SQLite", func(t *testing.T) {
					t.Parallel()
					test(t, sqliteDB(t, ""), c.lite)
				})
			}
			if c.pg != "" {
				t.Run("PostgreSQL", func(t *testing.T) {
					t.Parallel()
					test(t, postgresDB(t, ""), c.pg)
				})
			}
		})
	}
}

// TestRowsThatTakeEachOther: rows of one person that the database deletes with one
// another are all counted as erased.
func TestRowsThatTakeEachOther(t *testing.T) {
	t.Parallel()
	const schema = "CREATE TABLE posts (id INTEGER PRIMARY KEY, person INTEGER, up INTEGER REFERENCES posts (id) ON DELETE CASCADE); INSERT INTO posts VALUES (1, 1, NULL), (2, 1, 1), (3, 1, 2), (4, 2, NULL)"
	everyDatabase(t, schema, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "posts | table: posts, key: [id], subject: {person: person}, erase: delete"))
		jobs := jobsOf(dsar.Erasure, ids("person 1"))
		if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil || jobs[0].Counts[0].Erased != 3 {
			t.Errorf("%v, %+v", err, jobs[0].Counts)
		}
		if left := d.column(t, "SELECT id FROM posts"); !slices.Equal(left, []string{"4"}) {
			t.Errorf("left %v", left)
		}
	})
}
