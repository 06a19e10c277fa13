package sqlsystem

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// limited is a shop in PostgreSQL, and a user who may do with its tables what is
// granted. SQLite forbids no single table.
type limited struct {
	database
	user string
	mine string // the source as which the user connects
}

func limitedDB(t testing.TB, schema string) limited {
	t.Helper()
	d := limited{database: postgresDB(t, schema)}
	u, err := url.Parse(d.source)
	if err != nil {
		t.Fatal("DATABASE_URL is no URL")
	}
	d.user = strings.Replace(u.Query().Get("search_path"), "test", "user", 1)
	u.User = url.UserPassword(d.user, "canary")
	d.mine = u.String()
	t.Cleanup(func() {
		d.Exec("DROP OWNED BY " + d.user)
		d.Exec("DROP ROLE " + d.user)
	})
	d.run(t, "CREATE ROLE "+d.user+" LOGIN PASSWORD 'canary'")
	d.run(t, "GRANT USAGE ON SCHEMA "+u.Query().Get("search_path")+" TO "+d.user)
	d.grantAll(t)
	return d
}

func (d limited) run(t tester, statement string) {
	t.Helper()
	if _, err := d.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

var shopTables = []string{"people", "orders", "order_lines", "notes"}

func (d limited) grantAll(t tester) {
	t.Helper()
	d.run(t, "GRANT SELECT, UPDATE, DELETE ON "+strings.Join(shopTables, ", ")+" TO "+d.user)
}

// forbid takes a permission away: "SELECT ON orders".
func (d limited) forbid(t tester, what string) {
	t.Helper()
	d.run(t, "REVOKE "+what+" FROM "+d.user)
}

// mySystem returns the shop as the user sees it.
func (d limited) mySystem(t testing.TB, m *manifest.Manifest) *System {
	t.Helper()
	d.source = d.mine
	return open(t, d.database, m)
}

// fill puts in Ann, who has all kinds of records, Bob, who has no orders, and
// Cleo, whose number nobody knows.
func (d limited) fill(t testing.TB) (ann, bob, cleo []worker.Identifier) {
	t.Helper()
	d.person(t, 1, "ann@example.com", nil)
	d.person(t, 2, "bob@example.com", nil)
	d.person(t, 3, "cleo@example.com", nil)
	d.insert(t, "orders", "old", 1, "2001-01-01", nil)
	d.insert(t, "orders", "new", 1, "2025-01-01", nil)
	d.insert(t, "order_lines", "old", 1, "goes")
	d.insert(t, "order_lines", "new", 1, "stays")
	d.insert(t, "notes", 1, 1, nil, "words")
	return ids("customer 1", "email ann@example.com"), ids("customer 2"), ids("email cleo@example.com")
}

// brief returns what counts say, one dataset a line, without the wording of
// reasons.
func brief(counts []dsar.Counts) []string {
	out := []string{}
	for _, c := range counts {
		line := fmt.Sprintf("%s %d", c.Dataset, c.Found)
		for _, n := range []struct {
			word string
			n    int64
		}{{"gone", c.Erased + c.Anonymised}, {"kept", c.Kept()}, {"changed", c.Rectified + c.Restricted}} {
			if n.n > 0 {
				line += fmt.Sprintf(" %s %d", n.word, n.n)
			}
		}
		switch {
		case strings.HasPrefix(c.Uncovered, "left"):
			line += " left"
		case c.Uncovered != "":
			line += " forbidden"
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

// TestForbiddenTable: a table that may not be read, at start already, is named to
// whom it may concern, and the rest is gathered and counted.
func TestForbiddenTable(t *testing.T) {
	t.Parallel()
	d := limitedDB(t, postgresShop)
	ann, bob, cleo := d.fill(t)
	d.forbid(t, "SELECT ON order_lines")
	s := d.mySystem(t, shop(t))
	const reason = "the database's user may not read all of the tables order_lines, orders: grant it SELECT"
	got := gatherAll(t, s, ann, bob, cleo)
	if n := len(got[0]); n != 5 || !slices.Contains(got[0], "lines: "+reason) {
		t.Errorf("Ann: %v", got[0])
	}
	if len(got[1]) != 2 || len(got[2]) != 1 { // who is known by no number can have no order
		t.Errorf("Bob: %v\nCleo: %v", got[1], got[2])
	}
	jobs := jobsOf(dsar.Erasure, ann, cleo)
	if err := s.countAll(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	if got, want := brief(jobs[0].Counts), []string{"lines 0 forbidden", "notes 1", "orders 2 kept 1", "people 1"}; !slices.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	if got := brief(jobs[1].Counts); !slices.Equal(got, []string{"people 1"}) {
		t.Errorf("of Cleo: %v", got)
	}
}

// TestForbiddenResolve: what can't be looked up is a person's to mend, who is told
// the table.
func TestForbiddenResolve(t *testing.T) {
	t.Parallel()
	d := limitedDB(t, postgresShop)
	d.forbid(t, "SELECT ON people")
	var typed *worker.Error
	err := d.mySystem(t, shop(t)).Resolve(t.Context(), []*worker.ResolveJob{{Job: worker.Job{Task: worker.Task{Identifiers: ids("email a@example.com")}}}})
	if !errors.As(err, &typed) || typed.Code != "no-permission" || !strings.Contains(typed.Reason, `"people", in which customer is found`) {
		t.Errorf("%v", err)
	}
}

// TestForbiddenErase: what may not be read or erased stays and is named, with what
// leads to it; the rest is erased, and all of it once it is allowed.
func TestForbiddenErase(t *testing.T) {
	t.Parallel()
	const kept = " kept 1"
	for forbidden, want := range map[string][3][]string{
		"SELECT ON order_lines": {
			{"lines 0 forbidden", "notes 1 gone 1", "orders 2" + kept + " left", "people 1 left"},
			{"lines 0 forbidden", "people 1 left"}, // they may have lines, for all that is known
			{"people 1 gone 1"},
		},
		"DELETE ON order_lines": {
			{"lines 2" + kept + " forbidden", "notes 1 gone 1", "orders 2" + kept + " left", "people 1 left"},
			{"people 1 gone 1"},
			{"people 1 gone 1"},
		},
		"SELECT ON orders": {
			{"lines 0 forbidden", "notes 1 gone 1", "orders 0 forbidden", "people 1 left"},
			{"lines 0 forbidden", "orders 0 forbidden", "people 1 left"},
			{"people 1 gone 1"},
		},
		"DELETE ON orders": {
			{"lines 2 gone 1" + kept, "notes 1 gone 1", "orders 2" + kept + " forbidden", "people 1 left"},
			{"people 1 gone 1"},
			{"people 1 gone 1"},
		},
		"UPDATE ON notes": {
			{"lines 2 gone 1" + kept, "notes 1 forbidden", "orders 2 gone 1" + kept, "people 1 left"},
			{"people 1 gone 1"},
			{"people 1 gone 1"},
		},
		"SELECT ON people": {
			{"lines 2 gone 1" + kept, "notes 1 gone 1", "orders 2 gone 1" + kept, "people 0 forbidden"},
			{"people 0 forbidden"},
			{"people 0 forbidden"},
		},
	} {
		t.Run(forbidden, func(t *testing.T) {
			t.Parallel()
			d := limitedDB(t, postgresShop)
			ann, bob, cleo := d.fill(t)
			s := d.mySystem(t, shop(t))
			d.forbid(t, forbidden)
			erase := func() []*counted {
				t.Helper()
				jobs := jobsOf(dsar.Erasure, ann, bob, cleo)
				if err := s.eraseAll(t.Context(), jobs); err != nil {
					t.Fatal(err)
				}
				return jobs
			}
			for i, j := range erase() {
				if got := brief(j.Counts); j.Err != nil || !slices.Equal(got, want[i]) {
					t.Errorf("subject %d: %v, want %v (%v)", i, got, want[i], j.Err)
				}
			}
			d.grantAll(t)
			erase()
			proof := jobsOf(dsar.Erasure, ann, bob, cleo)
			if err := s.countAll(t.Context(), proof); err != nil {
				t.Fatal(err)
			}
			if got := brief(proof[0].Counts); !slices.Equal(got, []string{"lines 1" + kept, "orders 1" + kept}) || proof[1].Counts != nil || proof[2].Counts != nil {
				t.Errorf("after all was granted: %v, %v, %v", got, proof[1].Counts, proof[2].Counts)
			}
		})
	}
}

// TestForbiddenForeignKey: a row to which one that is out of reach refers stays,
// though the manifest doesn't know of it and the database would cascade.
func TestForbiddenForeignKey(t *testing.T) {
	t.Parallel()
	d := limitedDB(t, strings.Replace(postgresShop, "notes (id INTEGER PRIMARY KEY, customer INTEGER", "notes (id INTEGER PRIMARY KEY, customer BIGINT REFERENCES people (id) ON DELETE CASCADE", 1))
	ann, bob, _ := d.fill(t)
	m := shop(t, "after: [orders, notes]", "after: [orders]")
	m.Abilities, m.Finds, m.SQL.Resolve = []dsar.Action{dsar.Gather, dsar.Erase}, nil, nil
	s := d.mySystem(t, m)
	d.forbid(t, "UPDATE ON notes")
	jobs := jobsOf(dsar.Erasure, ann, bob)
	if err := s.eraseAll(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	if got, want := brief(jobs[0].Counts), []string{"lines 2 gone 1 kept 1", "notes 1 forbidden", "orders 2 gone 1 kept 1", "people 1 left"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if notes := d.column(t, "SELECT body FROM notes"); !slices.Equal(notes, []string{"words"}) {
		t.Errorf("notes are %v", notes)
	}
	if people := d.column(t, "SELECT id FROM people ORDER BY id"); !slices.Equal(people, []string{"1", "3"}) {
		t.Errorf("people are %v", people)
	}
}

// TestForbiddenRestrictionOfWhatStays: what need not stay is erased; that what must
// stay isn't restricted is named.
func TestForbiddenRestrictionOfWhatStays(t *testing.T) {
	t.Parallel()
	d := limitedDB(t, strings.Replace(postgresShop, "disputed TIMESTAMPTZ", "disputed TIMESTAMPTZ, frozen BOOLEAN", 1))
	d.person(t, 1, "ann@example.com", nil)
	d.insert(t, "orders", "old", 1, "2001-01-01", nil, nil)
	d.insert(t, "orders", "new", 1, "2025-01-01", nil, nil)
	m := shop(t)
	m.Dataset("orders").SQL.Restrict = []manifest.SQLRestrict{{Column: "frozen", Value: true}}
	s := d.mySystem(t, m)
	for _, want := range [][]string{{"orders 2 gone 1 kept 1 forbidden", "people 1 gone 1"}, {"orders 1 kept 1 forbidden"}, {"orders 1 kept 1 changed 1"}} {
		d.forbid(t, "UPDATE ON orders")
		if want[0] == "orders 1 kept 1 changed 1" {
			d.grantAll(t)
		}
		jobs := jobsOf(dsar.Erasure, ids("customer 1"))
		if err := s.eraseAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		if got := brief(jobs[0].Counts); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if frozen := d.column(t, "SELECT number FROM orders WHERE frozen"); !slices.Equal(frozen, []string{"new"}) {
		t.Errorf("restricted are %v", frozen)
	}
}

// TestForbiddenChange: corrections and restrictions are made where they may be.
func TestForbiddenChange(t *testing.T) {
	t.Parallel()
	d := limitedDB(t, strings.Replace(postgresShop, "body TEXT", "body TEXT, muted BOOLEAN", 1))
	d.person(t, 1, "ann@example.com", nil)
	d.insert(t, "notes", 1, 1, nil, "words", nil)
	d.insert(t, "orders", "a", 1, "2025-01-01", nil)
	m := shop(t)
	notes := m.Dataset("notes")
	notes.SQL.Rectify = []string{"body"}
	notes.SQL.Restrict = []manifest.SQLRestrict{{Column: "muted", Value: true}}
	s := d.mySystem(t, m)
	changes := []worker.Change{{Dataset: "people", Column: "mail", Value: "new@example.com"}, {Dataset: "notes", Column: "body", Value: "mine"}, {Dataset: "orders", Column: "placed", Value: "2025-02-02"}}
	for _, c := range []struct {
		forbidden           string
		rectify, restricted []string
	}{
		{"UPDATE ON notes", []string{"notes 1 forbidden", "orders 1", "people 1 changed 1"}, []string{"notes 1 forbidden", "people 1 changed 1"}},
		{"SELECT ON notes", []string{"notes 0 forbidden", "orders 1", "people 1 changed 1"}, []string{"notes 0 forbidden", "people 1 changed 1"}},
		{"SELECT ON orders", []string{"notes 1 changed 1", "orders 0 forbidden", "people 1 changed 1"}, []string{"notes 1 changed 1", "people 1 changed 1"}},
		{"INSERT ON orders", []string{"notes 1 changed 1", "orders 1", "people 1 changed 1"}, []string{"notes 1 changed 1", "people 1 changed 1"}},
	} {
		d.grantAll(t)
		d.forbid(t, c.forbidden)
		jobs := jobsOf(dsar.Rectification, ids("customer 1"), ids("customer 9"))
		jobs[0].Changes, jobs[1].Changes = changes, changes
		if err := s.rectifyAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		if got := brief(jobs[0].Counts); !slices.Equal(got, c.rectify) || jobs[0].Err != nil {
			t.Errorf("%s: rectified %v, want %v (%v)", c.forbidden, got, c.rectify, jobs[0].Err)
		}
		jobs = jobsOf(dsar.Restriction, ids("customer 1"))
		if err := s.restrictAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		if got := brief(jobs[0].Counts); !slices.Equal(got, c.restricted) || jobs[0].Err != nil {
			t.Errorf("%s: restricted %v, want %v (%v)", c.forbidden, got, c.restricted, jobs[0].Err)
		}
	}
}

// TestNothingIsLostToMissingPermissions holds, whatever is forbidden, that a record
// which need not stay is gone or its dataset named, that as many are told as erased
// as are gone, and that an erasure which is repeated when all is allowed ends as one
// that never met anything.
func TestNothingIsLostToMissingPermissions(t *testing.T) {
	t.Parallel()
	d := limitedDB(t, postgresShop)
	mine, all := d.mySystem(t, shop(t)), open(t, d.database, shop(t))
	rapid.Check(t, func(t *rapid.T) {
		c, w := someContent(t), someone(t)
		d.put(t, c)
		d.grantAll(t)
		for _, table := range shopTables {
			for _, what := range []string{"SELECT", "UPDATE", "DELETE"} {
				if rapid.IntRange(0, 4).Draw(t, what+" "+table) == 0 {
					d.forbid(t, what+" ON "+table)
				}
			}
		}
		stays := map[string]bool{}
		for _, o := range c.orders {
			stays["orders "+o.number] = o.stays()
			for _, l := range c.lines {
				if l.order == o.number {
					stays[fmt.Sprintf("lines %s/%d", l.order, l.n)] = o.stays()
				}
			}
		}
		left := func() (keys []string) {
			for _, r := range gatherAll(t, all, w.identifiers())[0] {
				keys = append(keys, keyOf(r))
			}
			return keys
		}
		erase := func(s *System) []dsar.Counts {
			jobs := jobsOf(dsar.Erasure, w.identifiers())
			if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			return jobs[0].Counts
		}
		before := left()
		counts := erase(mine)
		after := left()
		gone := int64(0)
		for _, n := range counts {
			gone += n.Erased + n.Anonymised
		}
		if int(gone) != len(before)-len(after) {
			t.Fatalf("told that %d were erased of %v, left are %v", gone, before, after)
		}
		for _, key := range after {
			dataset, _, _ := strings.Cut(key, " ")
			if !stays[key] && !slices.ContainsFunc(counts, func(n dsar.Counts) bool { return n.Dataset == dataset && n.Uncovered != "" }) {
				t.Fatalf("%s is left, and nobody says so: %+v", key, counts)
			}
		}
		d.grantAll(t)
		for _, n := range erase(mine) {
			if n.Uncovered != "" {
				t.Fatalf("though all is granted: %+v", n)
			}
		}
		for _, key := range left() {
			if !stays[key] {
				t.Fatalf("%s is left in the end", key)
			}
		}
	})
}
