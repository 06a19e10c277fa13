package sqlsystem

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
)

// TestJoinedAsCompared holds, for handles under any of a database's collations, joins both ways
// against what the database itself takes for equal by the column in which no two people have the same
// handle: what that gives the person is shown and erased, and nothing else is.
func TestJoinedAsCompared(t *testing.T) {
	t.Parallel()
	for name, c := range collations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := c.make(t, c.before+`; CREATE TABLE people (id INTEGER PRIMARY KEY, handle `+c.owner+` UNIQUE, email VARCHAR(100)); CREATE TABLE posts (id INTEGER PRIMARY KEY, handle `+c.post+`, email VARCHAR(100))`)
			out := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "posts | table: posts, key: [id], via: [{table: people, on: {handle: handle}}], subject: {email: people.email}, erase: delete"))
			back := open(t, d, small(t, "abilities: [gather]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], via: [{table: posts, on: {handle: handle}}], subject: {email: posts.email}"))
			letters := []string{"a", "A", "e", "E", "é", "É", "日"}
			rapid.Check(t, func(t *rapid.T) {
				run := func(statement string) error { _, err := d.Exec(statement); return err }
				must := func(statement string) {
					if err := run(statement); err != nil {
						t.Fatal(err)
					}
				}
				must("DELETE FROM people")
				must("DELETE FROM posts")
				emails := []string{"ann@example.com", "bob@example.com"}
				word := func(what, column string) string {
					return strings.Join(rapid.SliceOfN(rapid.SampledFrom(latin(column, letters)), 1, 2).Draw(t, what), "")
				}
				for i := range rapid.IntRange(1, 4).Draw(t, "people") { // one who has another's handle isn't taken in
					_ = run(fmt.Sprintf("INSERT INTO people VALUES (%d, '%s', '%s')", i, word("handle", c.owner), emails[rapid.IntRange(0, 1).Draw(t, "who")]))
				}
				for i := range rapid.IntRange(1, 4).Draw(t, "posts") {
					must(fmt.Sprintf("INSERT INTO posts VALUES (%d, '%s', '%s')", i, word("post", c.post), emails[rapid.IntRange(0, 1).Draw(t, "whose")]))
				}
				led := func(query string, s *System, dataset string) {
					for _, email := range emails {
						want := d.column(t, "SELECT DISTINCT "+query+"'"+email+"'")
						var got []string
						for _, r := range gatherAll(t, s, ids("email "+email))[0] {
							got = append(got, strings.TrimPrefix(keyOf(r), dataset+" "))
						}
						slices.Sort(want)
						slices.Sort(got)
						if !slices.Equal(got, want) {
							t.Fatalf("%s of %s: %v, want %v", dataset, email, got, want)
						}
					}
				}
				led("q.id FROM people AS p JOIN posts AS q ON "+c.equal+" WHERE p.email = ", out, "posts")
				led("p.id FROM people AS p JOIN posts AS q ON "+c.equal+" WHERE q.email = ", back, "people")
				want := d.column(t, "SELECT id FROM posts WHERE id NOT IN (SELECT q.id FROM people AS p JOIN posts AS q ON "+c.equal+" WHERE p.email = 'ann@example.com') ORDER BY id")
				jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
				if err := out.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
					t.Fatal(err, jobs[0].Err)
				}
				if left := d.column(t, "SELECT id FROM posts ORDER BY id"); !slices.Equal(left, want) {
					t.Fatalf("left %v, want %v", left, want)
				}
			})
		})
	}
}

// TestJoinsByBytes: where several people may have a handle, or what says that each has it once tells
// texts apart otherwise than the column, rows are joined by their bytes, and lint says so.
func TestJoinsByBytes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make   func(testing.TB, string) database
		schema string
		notes  string // Ann's
		named  bool
	}{
		"SQLite, once":              {sqliteDB, "CREATE TABLE people (handle TEXT COLLATE NOCASE PRIMARY KEY, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle TEXT COLLATE NOCASE)", "[1 2]", false},
		"SQLite, often":             {sqliteDB, "CREATE TABLE people (handle TEXT COLLATE NOCASE, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle TEXT COLLATE NOCASE)", "[1]", true},
		"SQLite, often nowhere":     {sqliteDB, "CREATE TABLE people (handle TEXT, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle TEXT)", "[1]", false},
		"SQLite, once by bytes":     {sqliteDB, "CREATE TABLE people (handle TEXT COLLATE NOCASE, email TEXT); CREATE UNIQUE INDEX u ON people (handle COLLATE BINARY); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle TEXT COLLATE NOCASE)", "[1]", true},
		"SQLite, in one key":        {sqliteDB, "CREATE TABLE people (handle TEXT, email TEXT, PRIMARY KEY (handle COLLATE NOCASE)); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle TEXT COLLATE NOCASE)", "[1]", true},
		"SQLite, exact":             {sqliteDB, "CREATE TABLE people (handle TEXT PRIMARY KEY, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle TEXT COLLATE NOCASE)", "[1]", true},
		"PostgreSQL, often":         {postgresDB, "CREATE COLLATION ci (provider=icu, locale='und-u-ks-level2', deterministic=false); CREATE TABLE people (handle TEXT COLLATE ci, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle TEXT COLLATE ci)", "[1]", true},
		"PostgreSQL, once by bytes": {postgresDB, `CREATE COLLATION ci (provider=icu, locale='und-u-ks-level2', deterministic=false); CREATE TABLE people (handle TEXT COLLATE ci, email TEXT); CREATE UNIQUE INDEX ON people (handle COLLATE "C"); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle TEXT COLLATE ci)`, "[1]", true},
		"PostgreSQL, once":          {postgresDB, "CREATE COLLATION ci (provider=icu, locale='und-u-ks-level2', deterministic=false); CREATE TABLE people (handle TEXT COLLATE ci PRIMARY KEY, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle TEXT COLLATE ci REFERENCES people)", "[1 2]", false},
		"MariaDB, often":            {mariaDB, "CREATE TABLE people (handle VARCHAR(40), email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle VARCHAR(40))", "[1]", true},
		"MariaDB, once":             {mariaDB, "CREATE TABLE people (handle VARCHAR(40) PRIMARY KEY, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, handle VARCHAR(40) REFERENCES people (handle))", "[1 2]", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := c.make(t, c.schema+"; INSERT INTO people VALUES ('Ann', 'ann@example.com'); INSERT INTO notes VALUES (1, 'Ann'), (2, 'ANN')")
			s := open(t, d, small(t, "abilities: [gather]\nneeds: [email]\nsql: {}", "notes | table: notes, key: [id], via: [{table: people, on: {handle: handle}}], subject: {email: people.email}"))
			var got []string
			for _, r := range gatherAll(t, s, ids("email ann@example.com"))[0] {
				got = append(got, strings.TrimPrefix(keyOf(r), "notes "))
			}
			advice, err := s.Unlike(t.Context())
			if err != nil || fmt.Sprint(got) != c.notes || (len(advice) > 0) != c.named {
				t.Errorf("gathered %v, want %s; %v, %v", got, c.notes, advice, err)
			}
		})
	}
}

// TestNumbersBesideTexts: a text is a number's where it is its digits, or what the database writes it
// as, with the zeros of its type; nothing else that would be that number is.
func TestNumbersBesideTexts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		make func(testing.TB, string) database
		typ  string
		yes  []string
	}{
		{mariaDB, "INT(6) ZEROFILL", []string{"10", "000010"}},
		{mariaExactDB, "BIGINT(8) UNSIGNED ZEROFILL", []string{"10", "00000010"}},
		{mariaDB, "INT", []string{"10"}},
		{mariaDB, "DECIMAL(8,2)", []string{"10", "10.00"}},
		{mariaDB, "DOUBLE", []string{"10"}},
		{sqliteDB, "INTEGER", []string{"10"}},
		{sqliteDB, "REAL", []string{"10", "10.0"}},
		{sqliteDB, "NUMERIC", []string{"10"}},
	} {
		t.Run(c.typ, func(t *testing.T) {
			t.Parallel()
			d := c.make(t, "CREATE TABLE orders (id "+c.typ+" PRIMARY KEY, email TEXT); CREATE TABLE meta (id INTEGER PRIMARY KEY, order_id VARCHAR(40))")
			d.insert(t, "orders", 10, "ann@example.com")
			all := []string{"10", "000010", "00000010", "10.0", "10.00", "010", "10a", "a10", "1e1", "+10", "11", "0", ""}
			for i, text := range all {
				d.insert(t, "meta", i, text)
			}
			s := open(t, d, small(t, "abilities: [gather]\nneeds: [email]\nsql: {}",
				"meta | table: meta, key: [id], via: [{table: orders, on: {order_id: id}}], subject: {email: orders.email} | order_id"))
			back := open(t, d, small(t, "abilities: [gather]\nneeds: [no]\nsql: {}",
				"orders | table: orders, key: [id], via: [{table: meta, on: {id: order_id}}], subject: {no: meta.id} | email"))
			var got []string
			for _, r := range gatherAll(t, s, ids("email ann@example.com"))[0] {
				_, text, _ := strings.Cut(r, `"order_id":"`)
				got = append(got, strings.TrimSuffix(text, `"}`))
			}
			slices.Sort(got)
			if want := slices.Sorted(slices.Values(c.yes)); !slices.Equal(got, want) {
				t.Errorf("of 10: %q, want %q", got, want)
			}
			for i, text := range all {
				if is := len(gatherAll(t, back, ids(fmt.Sprint("no ", i)))[0]) > 0; is != slices.Contains(c.yes, text) {
					t.Errorf("from %q: %v", text, is)
				}
			}
		})
	}
}

// TestZerosAreNamed: what is found in a column that writes zeros in front is looked for in texts
// without, and lint says so.
func TestZerosAreNamed(t *testing.T) {
	t.Parallel()
	for typ, named := range map[string]bool{"INT(6) ZEROFILL": true, "INT": false} {
		d := mariaExactDB(t, "CREATE TABLE people (no "+typ+" PRIMARY KEY, email VARCHAR(99)); CREATE TABLE posts (id INTEGER PRIMARY KEY, no VARCHAR(9)); CREATE TABLE likes (id INTEGER PRIMARY KEY, no INT)")
		s := open(t, d, small(t, "abilities: [resolve, gather]\nneeds: [email, no]\nfinds: [no]\nsql: {resolve: [{find: no, table: people, column: no, by: {email: email}}]}",
			"posts | table: posts, key: [id], subject: {no: no}", "likes | table: likes, key: [id], subject: {no: no}"))
		advice, err := s.Unlike(t.Context())
		if err != nil || (len(advice) == 1 && strings.Contains(advice[0].What, `the column "no" of posts`) && strings.Contains(advice[0].What, "ZEROFILL")) != named || len(advice) > 1 {
			t.Errorf("%s: %v, %v", typ, advice, err)
		}
	}
}
