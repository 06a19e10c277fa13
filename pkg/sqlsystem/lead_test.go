package sqlsystem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
)

// TestLeadGoesFirst: rows whose lead another system erased first are erased by the
// plan's keys, and the proof finds them as long as they are there.
func TestLeadGoesFirst(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, body TEXT)", func(t *testing.T, d database) {
		m := small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "notes | table: notes, key: [id], via: [{table: users, on: {user_id: id}}], subject: {email: users.email}, erase: delete | id body")
		s := open(t, d, m)
		rapid.Check(t, func(t *rapid.T) {
			for _, table := range []string{"notes", "users"} {
				if _, err := d.Exec("DELETE FROM " + table); err != nil {
					t.Fatal(err)
				}
			}
			for id, mail := range []string{"ann@example.com", "bob@example.com", "ann@example.com"} {
				d.insert(t, "users", id, mail)
			}
			note := func(id int) {
				d.insert(t, "notes", id, rapid.IntRange(0, 2).Draw(t, "of"), "words")
			}
			n := rapid.IntRange(1, 6).Draw(t, "notes")
			for id := range n {
				note(id)
			}
			mine := d.column(t, "SELECT id FROM notes WHERE user_id <> 1")
			others := d.column(t, "SELECT id FROM notes WHERE user_id = 1")
			jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
			if err := s.planAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			// In between: leads go, records go, others come, also in the place of gone ones.
			users := rapid.SampledFrom([]string{"", "0", "2", "0, 2"}).Draw(t, "leads gone")
			if users != "" {
				if _, err := d.Exec("DELETE FROM users WHERE id IN (" + users + ")"); err != nil {
					t.Fatal(err)
				}
			}
			gone := 0
			for _, id := range mine {
				if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
					gone++
					if _, err := d.Exec("DELETE FROM notes WHERE id = " + id); err != nil {
						t.Fatal(err)
					}
				}
			}
			for id := range rapid.IntRange(0, 2).Draw(t, "new") {
				note(n + id)
			}
			late := len(d.column(t, fmt.Sprintf("SELECT n.id FROM notes n JOIN users u ON u.id = n.user_id WHERE n.id >= %d AND u.email = 'ann@example.com'", n)))
			check := jobsOf(dsar.Erasure, ids("email ann@example.com"))
			check[0].plan = jobs[0].plan
			if err := s.countAll(t.Context(), check); err != nil {
				t.Fatal(err)
			}
			if left := int64(len(mine) - gone + late); foundIn(check[0].Counts) != left {
				t.Fatalf("the proof before finds %+v, want %d", check[0].Counts, left)
			}
			if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			var got dsar.Counts
			if len(jobs[0].Counts) > 0 {
				got = jobs[0].Counts[0]
			}
			if got.Gone != int64(gone) || got.Late != int64(late) || got.Erased != int64(len(mine)-gone+late) {
				t.Fatalf("%+v, want %d of %d gone, %d late", got, gone, len(mine), late)
			}
			if unmet := dsar.Unmet(jobs[0].plan.Counts(), jobs[0].Counts); unmet != "" {
				t.Fatal(unmet)
			}
			left := d.column(t, fmt.Sprintf("SELECT id FROM notes WHERE id < %d", n))
			if !slices.Equal(slices.Sorted(slices.Values(left)), slices.Sorted(slices.Values(others))) {
				t.Fatalf("left %v, others' are %v", left, others)
			}
			check[0].Counts = nil
			if err := s.countAll(t.Context(), check); err != nil || foundIn(check[0].Counts) != 0 {
				t.Fatalf("the proof finds %+v, %v", check[0].Counts, err)
			}
		})
	})
}

func foundIn(counts []dsar.Counts) (n int64) {
	for _, c := range counts {
		n += c.Found
	}
	return n
}

// TestLeadInAView: rows that a view finds through another dataset's rows go before
// those, in one system.
func TestLeadInAView(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE wp_posts (id INTEGER PRIMARY KEY, title TEXT); CREATE TABLE wp_postmeta (meta_id INTEGER PRIMARY KEY, post_id INTEGER, meta_key TEXT, meta_value TEXT);
		CREATE VIEW billed AS SELECT post_id, meta_value AS email FROM wp_postmeta WHERE meta_key = '_billing_email';
		INSERT INTO wp_posts VALUES (1, 'order of ann'), (2, 'order of bob'), (3, 'page'); INSERT INTO wp_postmeta VALUES (10, 1, '_billing_email', 'ann@example.com'), (11, 1, '_total', '12'), (12, 2, '_billing_email', 'bob@example.com')`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		m := small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			"meta | table: wp_postmeta, key: [meta_id], via: [{table: billed, on: {post_id: post_id}}], subject: {email: billed.email}, erase: delete | meta_id",
			"posts | table: wp_posts, key: [id], via: [{table: billed, on: {id: post_id}}], subject: {email: billed.email}, erase: delete")
		s := open(t, d, m)
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		slices.SortFunc(jobs[0].Counts, func(a, b dsar.Counts) int { return cmp.Compare(a.Dataset, b.Dataset) })
		if got := brief(jobs[0].Counts); !slices.Equal(got, []string{"meta 2 gone 2", "posts 1 gone 1"}) {
			t.Errorf("got %v", got)
		}
		if left := d.column(t, "SELECT id FROM wp_posts UNION ALL SELECT meta_id FROM wp_postmeta ORDER BY 1"); !slices.Equal(left, []string{"2", "3", "12"}) {
			t.Errorf("left %v", left)
		}
	})
}

// TestKeyOfSomebodyElse: a row that has the key of a planned one and is somebody
// else's by now is left, and said to be.
func TestKeyOfSomebodyElse(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER)", func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "notes | table: notes, key: [id], subject: {person: person}, erase: delete"))
		d.insert(t, "notes", 7, 1)
		d.insert(t, "notes", 8, 1)
		jobs := jobsOf(dsar.Erasure, ids("person 1"))
		if err := s.planAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec("UPDATE notes SET person = 2 WHERE id = 7"); err != nil {
			t.Fatal(err)
		}
		if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if left := d.column(t, "SELECT id FROM notes"); !slices.Equal(left, []string{"7"}) || jobs[0].Counts[0].Erased != 1 || !strings.Contains(jobs[0].Counts[0].Uncovered, "plan the erasure anew") {
			t.Errorf("left %v: %+v", left, jobs[0].Counts)
		}
	})
}

// TestKeys: rows are planned and erased by keys of any type, of one column or more,
// and those alone.
func TestKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, lite, pg, key string
		values              [][]string // two rows of Ann's, then one of Bob's, as literals
	}{
		{"a number", "k INTEGER PRIMARY KEY", "k BIGINT PRIMARY KEY", "k", [][]string{{"1"}, {"-9007199254740993"}, {"2"}}},
		{"a text", "k TEXT PRIMARY KEY", "k TEXT PRIMARY KEY", "k", [][]string{{`'a"b\ é'`}, {"'\\x41'"}, {"'A'"}}},
		{"a short text", "k VARCHAR(20) PRIMARY KEY", "k VARCHAR(20) PRIMARY KEY", "k", [][]string{{"'a '"}, {"' a'"}, {"'a'"}}},
		{"a uuid", "k TEXT PRIMARY KEY", "k UUID PRIMARY KEY", "k", [][]string{{"'0f8fad5b-d9cb-469f-a165-70867728950e'"}, {"'7c9e6679-7425-40de-944b-e07fc1f90ae7'"}, {"'7c9e6679-7425-40de-944b-e07fc1f90ae8'"}}},
		{"bytes", "k BLOB PRIMARY KEY", "k BYTEA PRIMARY KEY", "k", [][]string{{"x'ff00'", `'\xff00'`}, {"x'01'", `'\x01'`}, {"x'02'", `'\x02'`}}},
		{"a time", "k TIMESTAMP PRIMARY KEY", "k TIMESTAMPTZ PRIMARY KEY", "k", [][]string{{"'2020-01-31 10:00:00+00'"}, {"'2020-01-31 10:00:00.000001+00'"}, {"'2020-01-31 10:00:01+00'"}}},
		{"a decimal", "k NUMERIC PRIMARY KEY", "k NUMERIC PRIMARY KEY", "k", [][]string{{"1.5"}, {"2"}, {"1.25"}}},
		{"two", "k INTEGER, l TEXT, PRIMARY KEY (k, l)", "k INTEGER, l TEXT, PRIMARY KEY (k, l)", "k, l", [][]string{{"1", "'a'"}, {"11", `'"],["'`}, {"1", "'b'"}}},
		{"three", "k INTEGER, l TEXT, m DATE, PRIMARY KEY (k, l, m)", "k INTEGER, l TEXT, m DATE, PRIMARY KEY (k, l, m)", "k, l, m", [][]string{{"1", "'a'", "'2020-01-01'"}, {"1", "'a'", "'2020-01-02'"}, {"1", "'a'", "'2020-01-03'"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			test := func(t *testing.T, d database) {
				for i, v := range c.values {
					if len(v) == 2 && !strings.Contains(c.key, ",") {
						n := 0
						if d.dialect == PostgreSQL {
							n = 1
						}
						v = v[n : n+1]
					}
					values := strings.Join(v, ", ")
					if d.dialect == MariaDB { // its times have no zone
						values = strings.ReplaceAll(values, "+00'", "'")
					}
					if _, err := d.Exec(fmt.Sprintf("INSERT INTO things VALUES (%d, %s)", i/2, values)); err != nil {
						t.Fatal(err)
					}
				}
				s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "things | table: things, key: ["+c.key+"], subject: {person: person}, erase: delete | person"))
				jobs := jobsOf(dsar.Erasure, ids("person 0"))
				if err := s.planAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
					t.Fatal(err, jobs[0].Err)
				}
				// By the keys alone: nothing leads to the rows any more.
				if _, err := d.Exec("UPDATE things SET person = NULL"); err != nil {
					t.Fatal(err)
				}
				if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
					t.Fatal(err, jobs[0].Err)
				}
				if left := d.column(t, "SELECT person FROM things"); len(left) != 1 || len(jobs[0].Counts) != 1 || jobs[0].Counts[0].Erased != 2 {
					t.Errorf("left %d rows: %+v", len(left), jobs[0].Counts)
				}
			}
			t.Run("SQLite", func(t *testing.T) {
				t.Parallel()
				test(t, sqliteDB(t, "CREATE TABLE things (person INTEGER, "+c.lite+")"))
			})
			t.Run("PostgreSQL", func(t *testing.T) {
				t.Parallel()
				test(t, postgresDB(t, "CREATE TABLE things (person INTEGER, "+c.pg+")"))
			})
			t.Run("MariaDB", func(t *testing.T) {
				t.Parallel()
				test(t, mariaExactDB(t, "CREATE TABLE things (person INTEGER, "+strings.NewReplacer("k TEXT PRIMARY", "k VARCHAR(190) PRIMARY", "l TEXT,", "l VARCHAR(190),", "BYTEA", "VARBINARY(20)", "TIMESTAMPTZ", "DATETIME(6)", "NUMERIC PRIMARY", "DECIMAL(9, 2) PRIMARY").Replace(c.pg)+")"))
			})
		})
	}
}

// TestNumbersAsWritten: a number is asked for as it is written, in columns of numbers and of
// texts, and where a join leads from one to the other: 0017 is another account than 17.
func TestNumbersAsWritten(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE bills (id INTEGER PRIMARY KEY, account INTEGER); INSERT INTO bills VALUES (1, 17), (2, 18);
		CREATE TABLE notes (id INTEGER PRIMARY KEY, account VARCHAR(20)); INSERT INTO notes VALUES (3, '0017'), (4, '17'), (5, '18');
		CREATE TABLE accounts (account VARCHAR(20), email VARCHAR(99)); INSERT INTO accounts VALUES ('0017', 'ann@example.com'), ('17', 'bob@example.com')`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		via := "via: [{table: accounts, on: {account: account}}], subject: {account: account, email: accounts.email}, erase: delete"
		if d.dialect == PostgreSQL { // which compares no number with a text
			via = "subject: {account: account}, erase: delete"
		}
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [account, email]\nsql: {technical: [accounts]}", "bills | table: bills, key: [id], "+via, "notes | table: notes, key: [id], subject: {account: account}, erase: delete"))
		for _, c := range []struct{ who, left string }{{"email ann@example.com", "1 2 3 4 5"}, {"account 0017", "1 2 4 5"}, {"account +17", "1 2 4 5"}, {"account 17.0", "1 2 4 5"}, {"account 17", "2 5"}} {
			jobs := jobsOf(dsar.Erasure, ids(c.who))
			if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
				t.Fatal(err)
			}
			if left := strings.Join(slices.Concat(d.column(t, "SELECT id FROM bills ORDER BY id"), d.column(t, "SELECT id FROM notes ORDER BY id")), " "); left != c.left {
				t.Fatalf("after %s: left %s, want %s", c.who, left, c.left)
			}
		}
	})
}

// TestUUIDsInAnyWriting: a UUID is found however it was asked for and however it is kept, in
// columns of its type and in texts, together with nobody else's.
func TestUUIDsInAnyWriting(t *testing.T) {
	t.Parallel()
	const one, other = "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f", "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e50"
	everyDatabase(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, person VARCHAR(60)); CREATE TABLE notes (id INTEGER PRIMARY KEY, person VARCHAR(60))", func(t *testing.T, d database) {
		if typed := map[Dialect]string{PostgreSQL: "ALTER person TYPE uuid USING person::uuid", MariaDB: "MODIFY person UUID"}[d.dialect]; typed != "" {
			d.run(t, "ALTER TABLE things "+typed)
		}
		for i, w := range []string{one, other} {
			d.insert(t, "things", i, w)
		}
		for i, w := range []string{strings.ToUpper(one), strings.ReplaceAll(one, "-", ""), "{" + one + "}", strings.ToUpper(other), strings.ReplaceAll(other, "-", "")} {
			d.insert(t, "notes", 10+i, w)
		}
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "things | table: things, key: [id], subject: {person: person}, erase: delete", "notes | table: notes, key: [id], subject: {person: person}, erase: delete"))
		for _, asked := range []string{strings.ToUpper(one), strings.ReplaceAll(one, "-", ""), "{" + strings.ToUpper(one) + "}", "urn:uuid:" + one, one} {
			if got := len(gatherAll(t, s, ids("person "+asked))[0]); got != 4 {
				t.Errorf("%d records are found by %q", got, asked)
			}
		}
		jobs := jobsOf(dsar.Erasure, ids("person "+strings.ToUpper(one)))
		if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
			t.Fatal(err)
		}
		if left := strings.Join(slices.Concat(d.column(t, "SELECT id FROM things"), d.column(t, "SELECT id FROM notes ORDER BY id")), " "); left != "1 13 14" {
			t.Errorf("left %s", left)
		}
	})
}

// TestUnsignedNumbers: a number beyond those with a sign is found where the database has such.
func TestUnsignedNumbers(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, person BIGINT UNSIGNED)")
	d.run(t, "INSERT INTO things VALUES (1, 18446744073709551615), (2, 18446744073709551614), (3, 7)")
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "things | table: things, key: [id], subject: {person: person}, erase: delete"))
	jobs := jobsOf(dsar.Erasure, ids("person 18446744073709551615"), ids("person 7"))
	if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err, jobs[1].Err); err != nil {
		t.Fatal(err)
	}
	if left := d.column(t, "SELECT id FROM things"); !slices.Equal(left, []string{"2"}) {
		t.Errorf("left %v", left)
	}
}
