package sqlsystem

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// TestHold: of a dataset on hold nothing is erased of the person, and everything
// of others; the plan, the erasure and the proof say the same.
func TestHold(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		for i, mail := range []string{"ann@example.com", "bob@example.com"} {
			d.person(t, i+1, mail, nil)
			d.insert(t, "orders", mail+" old", i+1, "2001-01-01", nil)
			d.insert(t, "orders", mail+" new", i+1, "2025-01-01", nil)
		}
		s := open(t, d, shop(t))
		jobs := func() []*counted {
			jobs := jobsOf(dsar.Erasure, ids("customer 1"), ids("customer 2"))
			jobs[0].Holds = []string{"orders"}
			return jobs
		}
		tax := dsar.Retention{Ground: "tax-records", Records: 1, Until: time.Date(2035, 1, 2, 0, 0, 0, 0, time.UTC)}
		held := []dsar.Retention{{Ground: dsar.LegalHold, Records: 1}, tax}
		orders := func(j *counted) dsar.Counts {
			t.Helper()
			i := slices.IndexFunc(j.Counts, func(c dsar.Counts) bool { return c.Dataset == "orders" })
			if i < 0 || j.Err != nil {
				t.Fatalf("%+v", j)
			}
			slices.SortFunc(j.Counts[i].Retained, func(a, b dsar.Retention) int { return strings.Compare(a.Ground, b.Ground) })
			return j.Counts[i]
		}
		plan, done, proof := jobs(), jobs(), jobs()
		for _, err := range []error{s.countAll(t.Context(), plan), s.eraseAll(t.Context(), done), s.countAll(t.Context(), proof)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for what, c := range map[string]struct{ got, want dsar.Counts }{
			"the held plan":    {orders(plan[0]), dsar.Counts{Dataset: "orders", Found: 2, Retained: held}},
			"the held erasure": {orders(done[0]), dsar.Counts{Dataset: "orders", Found: 2, Retained: held}},
			"the held proof":   {orders(proof[0]), dsar.Counts{Dataset: "orders", Found: 2, Retained: held}},
			"the free plan":    {orders(plan[1]), dsar.Counts{Dataset: "orders", Found: 2, Retained: []dsar.Retention{tax}}},
			"the free erasure": {orders(done[1]), dsar.Counts{Dataset: "orders", Found: 2, Erased: 1, Retained: []dsar.Retention{tax}}},
		} {
			if !reflect.DeepEqual(c.got, c.want) {
				t.Errorf("%s:\ngot  %+v\nwant %+v", what, c.got, c.want)
			}
		}
		left := d.column(t, "SELECT number FROM orders")
		slices.Sort(left)
		if !slices.Equal(left, []string{"ann@example.com new", "ann@example.com old", "bob@example.com new"}) {
			t.Errorf("left %v", left)
		}
	})
}

// TestKeptIsFlaggedAndSaidToBe: what an erasure must leave is flagged where its dataset
// has a flag, and only then reported as restricted.
func TestKeptIsFlaggedAndSaidToBe(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		d.insert(t, "orders", "old", 1, "2001-01-01", nil)
		d.insert(t, "orders", "new", 1, "2025-01-01", nil)
		d.insert(t, "orders", "newer", 1, "2026-01-01", nil)
		d.insert(t, "orders", "another's", 2, "2026-01-01", nil)
		stamp := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		for _, flags := range []struct {
			restrict []manifest.SQLRestrict
			want     int64
		}{
			{nil, 0},
			{[]manifest.SQLRestrict{{Column: "disputed", Value: stamp.Format(time.RFC3339), Stops: []string{"marketing"}}}, 0},
			{[]manifest.SQLRestrict{{Column: "disputed", Value: stamp.Format(time.RFC3339)}}, 2},
		} {
			m := shop(t)
			m.Dataset("orders").SQL.Restrict = flags.restrict
			s := open(t, d, m)
			jobs := jobsOf(dsar.Erasure, ids("customer 1"))
			if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			i := slices.IndexFunc(jobs[0].Counts, func(c dsar.Counts) bool { return c.Dataset == "orders" })
			if i < 0 || jobs[0].Counts[i].Kept() != 2 || jobs[0].Counts[i].Restricted != flags.want {
				t.Errorf("%v: %+v", flags.restrict, jobs[0].Counts)
			}
			if got := len(d.column(t, "SELECT number FROM orders WHERE disputed IS NOT NULL")); int64(got) != flags.want {
				t.Errorf("%v: %d are flagged", flags.restrict, got)
			}
		}
	})
}

// TestLift: what was restricted goes on as before; for a flag that no manifest
// says how to undo, a person must.
func TestLift(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		d.person(t, 1, "ann@example.com", nil)
		d.person(t, 2, "bob@example.com", nil)
		s := open(t, d, shop(t))
		jobs := jobsOf(dsar.Restriction, ids("customer 1"), ids("customer 2"))
		if err := s.restrictAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		lift := jobsOf(dsar.Restriction, ids("customer 1"))
		lift[0].Lift = true
		if err := s.restrictAll(t.Context(), lift); err != nil || lift[0].Err != nil || lift[0].Counts[0].Restricted != 1 {
			t.Errorf("%+v, %v", lift[0], err)
		}
		if got := d.column(t, "SELECT id FROM people WHERE restricted"); !slices.Equal(got, []string{"2"}) {
			t.Errorf("restricted %v", got)
		}
	})
}

// TestPurposes: a withdrawal of one purpose leaves the flags of the others.
func TestPurposes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		d.person(t, 1, "ann@example.com", nil)
		m := shop(t)
		m.Dataset("people").Purposes = []string{"marketing", "news", "scoring", "research"}
		m.Dataset("people").SQL.Restrict = []manifest.SQLRestrict{
			{Column: "restricted", Value: true, Stops: []string{"marketing", "news"}},
			{Column: "score", Value: 0, Stops: []string{"scoring"}},
		}
		s := open(t, d, m)
		withdraw := func(purposes ...string) *counted {
			t.Helper()
			jobs := jobsOf(dsar.ConsentWithdrawal, ids("customer 1"))
			jobs[0].Purposes = purposes
			if err := s.restrictAll(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			return jobs[0]
		}
		restricted := func() int { return len(d.column(t, "SELECT id FROM people WHERE restricted")) }
		byHand := func(j *counted, purposes string) {
			t.Helper()
			var typed *worker.Error
			if !errors.As(j.Err, &typed) || typed.Code != "not-restrictable" || !strings.Contains(typed.Error(), "for "+purposes+":") {
				t.Errorf("%v, want %s by hand", j.Err, purposes)
			}
		}
		j := withdraw("research")
		if byHand(j, "research"); len(j.Counts) > 0 || restricted() != 0 {
			t.Errorf("a purpose that no flag ends: %+v", j.Counts)
		}
		j = withdraw("marketing", "scoring")
		if byHand(j, "marketing"); len(j.Counts) != 1 || restricted() != 0 {
			t.Errorf("a flag that ends more: %+v", j.Counts)
		}
		if j := withdraw("scoring"); j.Err != nil || len(j.Counts) != 1 || restricted() != 0 {
			t.Errorf("another purpose: %+v, %v", j.Counts, j.Err)
		}
		if j := withdraw("marketing", "news"); j.Err != nil || len(j.Counts) != 1 || restricted() != 1 {
			t.Errorf("both that it ends: %+v, %v", j.Counts, j.Err)
		}
		jobs := jobsOf(dsar.ConsentWithdrawal, ids("customer 1"))
		jobs[0].Lift, jobs[0].Purposes = true, []string{"scoring"}
		var typed *worker.Error
		if err := s.restrictAll(t.Context(), jobs); err != nil || !errors.As(jobs[0].Err, &typed) || typed.Code != "no-lift" {
			t.Errorf("lifted: %v, %v", err, jobs[0].Err)
		}
	})
}

// sentences returns the sentences of notes, each of which says in fields of which table it is.
func sentences(notes []worker.Note) (all []string) {
	for _, n := range notes {
		if n.Code != dsar.CodeUndeclaredColumn || n.Table == "" || len(n.Columns) == 0 {
			panic("a note without its fields")
		}
		all = append(all, n.Text)
	}
	return all
}

// TestNotes: a column that the manifest doesn't declare is named, until it is.
func TestNotes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		m := shop(t)
		before := open(t, d, m)
		own := sentences(before.Notes()) // what the shop's own manifest leaves out
		if _, err := d.Exec("ALTER TABLE people ADD COLUMN shoe_size INTEGER"); err != nil {
			t.Fatal(err)
		}
		if got := sentences(before.Notes()); !slices.Equal(got, own) {
			t.Errorf("asked again at once: %v", got)
		}
		noted := strings.Join(sentences(open(t, d, m).Notes()), "\n")
		if !strings.Contains(noted, "shoe_size") || !strings.Contains(noted, "table people") {
			t.Errorf("notes %q", noted)
		}
		declared := shop(t)
		people := declared.Dataset("people")
		people.SQL.Technical = append(people.SQL.Technical, "shoe_size")
		if noted := strings.Join(sentences(open(t, d, declared).Notes()), "\n"); strings.Contains(noted, "shoe_size") {
			t.Errorf("though it is declared: %q", noted)
		}
	})
}

// TestNotesOfWhatIsLeft: a table that is gone doesn't hide what another has.
func TestNotesOfWhatIsLeft(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		s := open(t, d, shop(t))
		for _, stmt := range []string{"DROP TABLE notes", "ALTER TABLE people ADD COLUMN shoe_size INTEGER"} {
			if _, err := d.Exec(stmt); err != nil {
				t.Fatal(err)
			}
		}
		if noted := strings.Join(sentences(s.Notes()), "\n"); !strings.Contains(noted, "shoe_size") {
			t.Errorf("notes %q", noted)
		}
	})
}

// TestUncovered: a table that no dataset is of is named, until it is called
// technical.
func TestUncovered(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		m := shop(t)
		if _, err := d.Exec("CREATE TABLE newsletter (mail TEXT)"); err != nil {
			t.Fatal(err)
		}
		got, err := open(t, d, m).Uncovered(t.Context())
		if err != nil || !slices.Contains(got, "newsletter") || slices.Contains(got, "orders") {
			t.Errorf("%v, %v", got, err)
		}
		other := func(name string) bool { return strings.Contains(name, ".") } // another test's schema
		m = shop(t)
		m.SQL.Technical = slices.DeleteFunc(got, other)
		if got, err := open(t, d, m).Uncovered(t.Context()); err != nil || len(slices.DeleteFunc(got, other)) > 0 {
			t.Errorf("though they are called technical: %v, %v", got, err)
		}
	})
}

// TestCascade: what the database would erase with another row, by a foreign key that
// the manifest doesn't speak of, is counted, and stays where there is a hold on it.
func TestCascade(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, d database) {
		d.person(t, 1, "ann@example.com", nil)
		d.insert(t, "notes", 1, 1, nil, "words")
		s := open(t, d, shop(t, "after: [orders, notes]", "after: [orders]"))
		for _, c := range []struct{ holds, want []string }{
			{[]string{"notes"}, []string{"notes 1 kept 1", "people 1 left"}},
			{nil, []string{"notes 1 gone 1", "people 1 gone 1"}},
		} {
			jobs := jobsOf(dsar.Erasure, ids("customer 1"))
			jobs[0].Holds = c.holds
			if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			if got := brief(jobs[0].Counts); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		}
		m := shop(t)
		if _, err := d.Exec("ALTER TABLE notes ADD COLUMN written DATE"); err != nil {
			t.Fatal(err)
		}
		m.Dataset("notes").Retention = []manifest.Retention{{Ground: "tax-records", Column: "written", Period: "P10Y"}}
		if _, err := Open(t.Context(), m, d.source); err == nil || !strings.Contains(err.Error(), "the database deletes its rows with those of people") {
			t.Errorf("though it would delete what must stay: %v", err)
		}
	}
	cascade := func(schema, reference string) string {
		return strings.Replace(schema, "notes (id INTEGER PRIMARY KEY, customer INTEGER", "notes (id INTEGER PRIMARY KEY, customer "+reference+" REFERENCES people (id) ON DELETE CASCADE", 1)
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, sqliteDB(t, cascade(sqliteShop, "INTEGER")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, postgresDB(t, cascade(postgresShop, "BIGINT")))
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		test(t, mariaDB(t, cascade(mariaShop, "BIGINT")))
	})
}

// TestWhatStaysIsLockedAway: what an erasure had to leave, by a period or by a
// hold, is restricted as a person's restriction would have it, and nobody else's.
func TestWhatStaysIsLockedAway(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d database) {
		if _, err := d.Exec("ALTER TABLE orders ADD COLUMN frozen BOOLEAN"); err != nil {
			t.Fatal(err)
		}
		for i, mail := range []string{"ann@example.com", "bob@example.com", "cleo@example.com"} {
			d.person(t, i+1, mail, nil)
			d.insert(t, "orders", mail+" old", i+1, "2001-01-01", nil, nil)
			d.insert(t, "orders", mail+" new", i+1, "2025-01-01", nil, nil)
		}
		m := shop(t)
		m.Dataset("orders").SQL.Restrict = []manifest.SQLRestrict{{Column: "frozen", Value: true}}
		s := open(t, d, m)
		jobs := jobsOf(dsar.Erasure, ids("customer 1"), ids("customer 2"))
		jobs[1].Holds = []string{"orders"}
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil || jobs[1].Err != nil {
			t.Fatal(err, jobs[0].Err, jobs[1].Err)
		}
		if got := d.column(t, "SELECT number FROM orders WHERE frozen ORDER BY number"); !slices.Equal(got, []string{"ann@example.com new", "bob@example.com new", "bob@example.com old"}) {
			t.Errorf("restricted are %v", got)
		}
		if got := d.column(t, "SELECT number FROM orders WHERE frozen IS NULL ORDER BY number"); !slices.Equal(got, []string{"cleo@example.com new", "cleo@example.com old"}) {
			t.Errorf("as before are %v", got)
		}
	})
}
