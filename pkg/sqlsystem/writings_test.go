package sqlsystem

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// handled is a system whose people have handles, by which posts are found; owner and post are
// what the columns are declared as.
func handled(t testing.TB, make func(testing.TB, string) database, before, owner, post string) (database, *System) {
	d := make(t, before+`; CREATE TABLE people (id INTEGER PRIMARY KEY, handle `+owner+`, email VARCHAR(100)); CREATE TABLE posts (id INTEGER PRIMARY KEY, handle `+post+`)`)
	return d, open(t, d, small(t, "abilities: [resolve, gather, erase]\nneeds: [email, handle]\nfinds: [handle]\nsql: {resolve: [{find: handle, table: people, column: handle, by: {email: email}}]}",
		"people | table: people, key: [id], subject: {email: email}, erase: delete",
		"posts | table: posts, key: [id], subject: {handle: handle}, erase: delete"))
}

// handlesOf returns what the system knows of people by their addresses, as the coordinator
// tells it.
func handlesOf(t tester, s *System, emails ...string) [][]worker.Identifier {
	out := make([][]worker.Identifier, len(emails))
	for i, e := range emails {
		out[i] = ids("email " + e)
	}
	jobs := resolveJobs(out...)
	if err := s.Resolve(context.Background(), jobs); err != nil {
		t.Fatal(err)
	}
	for i, j := range jobs {
		for _, f := range j.Found {
			out[i] = append(out[i], worker.Identifier{Type: f.Type, Value: f.Value, FoundHere: true})
		}
	}
	return out
}

// collated is how people's handles are declared, and those of what is theirs.
type collated struct {
	make                func(testing.TB, string) database
	before, owner, post string
	equal               string // as the owners' column has it
}

// collations returns ways to declare them, by database.
func collations() map[string]collated {
	citext := func(t testing.TB, schema string) database {
		d := postgresDB(t, "")
		d.Exec("CREATE EXTENSION IF NOT EXISTS citext SCHEMA public") // which another test may make at once
		for stmt := range strings.SplitSeq(schema, ";") {
			if strings.TrimSpace(stmt) != "" {
				d.run(t, stmt)
			}
		}
		return d
	}
	const icu = "CREATE COLLATION ci (provider=icu, locale='und-u-ks-level2', deterministic=false)"
	return map[string]collated{
		"SQLite/nocase":          {sqliteDB, "", "TEXT COLLATE NOCASE", "TEXT COLLATE NOCASE", "p.handle = q.handle"},
		"SQLite/nocase, binary":  {sqliteDB, "", "TEXT COLLATE NOCASE", "TEXT", "p.handle = q.handle"},
		"SQLite/binary, nocase":  {sqliteDB, "", "TEXT", "TEXT COLLATE NOCASE", "p.handle = q.handle"},
		"SQLite/rtrim":           {sqliteDB, "", "TEXT COLLATE RTRIM", "TEXT COLLATE RTRIM", "p.handle = q.handle"},
		"PostgreSQL/citext":      {citext, "", "public.citext", "public.citext", "p.handle OPERATOR(public.=) q.handle"},
		"PostgreSQL/citext,text": {citext, "", "public.citext", "text", "p.handle OPERATOR(public.=) q.handle::public.citext"},
		"PostgreSQL/text,citext": {citext, "", "varchar(40)", "public.citext", "p.handle = q.handle::text"},
		"PostgreSQL/icu":         {postgresDB, icu, "text COLLATE ci", "varchar(40) COLLATE ci", "p.handle = q.handle"},
		"PostgreSQL/icu,text":    {postgresDB, icu, "varchar(40) COLLATE ci", "text", "p.handle = q.handle COLLATE ci"},
		"MariaDB/unicode":        {mariaDB, "", "VARCHAR(40)", "VARCHAR(40)", "p.handle = q.handle"},
		"MariaDB/unicode,bin":    {mariaDB, "", "VARCHAR(40)", "VARCHAR(40) COLLATE utf8mb4_bin", "p.handle = q.handle COLLATE utf8mb4_unicode_ci"},
		"MariaDB/bin,unicode":    {mariaDB, "", "VARCHAR(40) COLLATE utf8mb4_bin", "VARCHAR(40)", "p.handle = q.handle COLLATE utf8mb4_bin"},
		"MariaDB/latin,unicode":  {mariaDB, "", "VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci", "VARCHAR(40)", "p.handle = CONVERT(q.handle USING latin1) COLLATE latin1_swedish_ci AND q.handle NOT LIKE '%日%'"},
		"MariaDB/general,latin":  {mariaDB, "", "VARCHAR(40) COLLATE utf8mb4_general_ci", "VARCHAR(40) CHARACTER SET latin1", "p.handle = CONVERT(q.handle USING utf8mb4) COLLATE utf8mb4_general_ci"},
	}
}

// latin leaves those letters that a column's characters have.
func latin(column string, letters []string) []string {
	if strings.Contains(column, "latin1") {
		return slices.DeleteFunc(slices.Clone(letters), func(l string) bool { return l == "日" })
	}
	return letters
}

// TestFoundAsCompared holds, for handles and posts under any of a database's collations, against what
// the database itself takes for equal by the column of the people's handles: what is somebody's
// alone is shown to them and erased, what is another's isn't, and what may be several people's
// is left, and named.
func TestFoundAsCompared(t *testing.T) {
	t.Parallel()
	for name, c := range collations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, s := handled(t, c.make, c.before, c.owner, c.post)
			letters := []string{"a", "A", "e", "E", "é", "É", "日"}
			rapid.Check(t, func(t *rapid.T) {
				handles := func(what string, of []string) []string {
					return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
						return strings.Join(rapid.SliceOfN(rapid.SampledFrom(of), 1, 2).Draw(t, "letters"), "")
					}), 0, 4).Draw(t, what)
				}
				ofPeople, ofPosts := latin(c.owner, letters), latin(c.post, letters)
				must := func(statement string, args ...any) {
					if d.dialect == PostgreSQL {
						for i := range args {
							statement = strings.Replace(statement, "?", fmt.Sprintf("$%d", i+1), 1)
						}
					}
					if _, err := d.Exec(statement, args...); err != nil {
						t.Fatal(err)
					}
				}
				must("DELETE FROM people")
				must("DELETE FROM posts")
				emails := []string{"ann@example.com", "bob@example.com"}
				has := [2]map[string]bool{{}, {}} // by person, the handles
				for i, h := range handles("people", ofPeople) {
					who := rapid.IntRange(0, 1).Draw(t, "who")
					must("INSERT INTO people VALUES (?, ?, ?)", i, h, emails[who])
					has[who][h] = true
				}
				for i, h := range handles("posts", ofPosts) {
					must("INSERT INTO posts VALUES (?, ?)", i, h)
				}
				// What the database says: by post, which people's handles are equal to its own.
				equal, held := map[string]map[string]bool{}, map[string]string{}
				read := func(query string, visit func(a, b string)) {
					rows, err := d.Query(query)
					if err != nil {
						t.Fatal(err)
					}
					defer rows.Close()
					for rows.Next() {
						var a, b string
						if err := rows.Scan(&a, &b); err != nil {
							t.Fatal(err)
						}
						visit(a, b)
					}
					if err := rows.Err(); err != nil {
						t.Fatal(err)
					}
				}
				read("SELECT id, handle FROM posts", func(id, handle string) { held[id], equal[id] = handle, map[string]bool{} })
				read("SELECT q.id, p.handle FROM people AS p JOIN posts AS q ON "+c.equal, func(id, handle string) { equal[id][handle] = true })
				subjects := handlesOf(t, s, emails...)
				shown := gatherAll(t, s, subjects...)
				gone := jobsOf(dsar.Erasure, subjects[0])
				if err := s.eraseAll(t.Context(), gone); err != nil || gone[0].Err != nil {
					t.Fatal(err, gone[0].Err)
				}
				left := d.column(t, "SELECT id FROM posts")
				for id, handle := range held {
					for i := range emails {
						hers, others := has[i][handle], false
						for h := range equal[id] {
							hers, others = hers || has[i][h], others || !has[i][h]
						}
						exact := has[0][handle] || has[1][handle]
						want, named := hers && !others, hers && others && !exact
						if exact {
							want = has[i][handle]
						}
						is := slices.ContainsFunc(shown[i], func(r string) bool {
							return r == fmt.Sprintf(`posts {"id":%s}`, id) || r == fmt.Sprintf(`posts {"id":"%s"}`, id)
						})
						told := slices.ContainsFunc(shown[i], func(r string) bool {
							return strings.HasPrefix(r, "posts: a handle of the person's is written in several ways")
						})
						if is != want || named && !told {
							t.Fatalf("post %s %q shown to %s: %t, want %t, named %t; of people %v, shown %v", id, handle, emails[i], is, want, told, has, shown[i])
						}
						if i == 0 && is == slices.Contains(left, id) {
							t.Fatalf("post %s %q: shown %t, erased %t", id, handle, is, !is)
						}
					}
				}
				gone[0].Counts = nil
				if err := s.countAll(t.Context(), gone); err != nil || foundIn(gone[0].Counts) != 0 {
					t.Fatal(err, outcomes(gone[0].Counts))
				}
			})
		})
	}
}

// TestWritingGivenAnew: a handle whose row is gone isn't its person's any more where somebody
// else has it in another writing.
func TestWritingGivenAnew(t *testing.T) {
	t.Parallel()
	d, s := handled(t, sqliteDB, "", "TEXT COLLATE NOCASE UNIQUE", "TEXT COLLATE NOCASE")
	d.run(t, "INSERT INTO people VALUES (1, 'Ann', 'ann@example.com')", "INSERT INTO posts VALUES (1, 'Ann'), (2, 'ANN')")
	ann := handlesOf(t, s, "ann@example.com")[0]
	d.run(t, "DELETE FROM people", "INSERT INTO people VALUES (2, 'ann', 'bob@example.com')", "INSERT INTO posts VALUES (3, 'ann')")
	if got := slices.Compact(gatherAll(t, s, ann)[0]); len(got) != 1 || !strings.Contains(got[0], "leads to somebody else by now") {
		t.Errorf("shown %v", got)
	}
	jobs := jobsOf(dsar.Erasure, ann)
	if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
		t.Fatal(err, jobs[0].Err)
	}
	if left := d.column(t, "SELECT id FROM posts ORDER BY id"); len(left) != 3 || jobs[0].Counts[0].Uncovered == "" {
		t.Errorf("left %v, %+v", left, jobs[0].Counts)
	}
}

// TestUnlike: lint names the columns in which identifiers are looked for by their bytes though
// the database compares them otherwise, and no others.
func TestUnlike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		owner, post string
		want        string
	}{
		{"TEXT", "TEXT", ""},
		{"TEXT COLLATE NOCASE", "TEXT COLLATE NOCASE", ""},
		{"TEXT COLLATE NOCASE", "TEXT", ""},
		{"TEXT", "TEXT COLLATE NOCASE", "as the column compares it in which it is found"},
	} {
		_, s := handled(t, sqliteDB, "", c.owner, c.post)
		got, err := s.Unlike(t.Context())
		if err != nil || (len(got) > 0) != (c.want != "") || len(got) > 0 && (!strings.Contains(got[0].What, c.want) || !strings.Contains(got[0].What, `the column "handle" of posts`)) {
			t.Errorf("%s, %s: %v, %v", c.owner, c.post, got, err)
		}
	}
	d := sqliteDB(t, `CREATE TABLE posts (id INTEGER PRIMARY KEY, handle TEXT COLLATE NOCASE)`)
	s := open(t, d, small(t, "abilities: [gather]\nneeds: [handle]\nsql: {}", "posts | table: posts, key: [id], subject: {handle: handle}"))
	if got, _ := s.Unlike(t.Context()); len(got) != 1 || !strings.Contains(got[0].What, "neither shown nor erased") {
		t.Errorf("%v", got)
	}
}

// TestElsewhereAsWritten: an identifier leads to somebody else also where the database takes it
// for equal to what stands there, and to nobody else where that is the person's own.
func TestElsewhereAsWritten(t *testing.T) {
	t.Parallel()
	d, s := handled(t, sqliteDB, "", "TEXT COLLATE NOCASE", "TEXT COLLATE NOCASE")
	d.run(t, "INSERT INTO people VALUES (1, 'Ann', 'ann@example.com'), (2, 'bob', 'bob@example.com')", "INSERT INTO posts VALUES (1, 'ANN')")
	of := handlesOf(t, s, "ann@example.com", "bob@example.com")
	for who, want := range []string{"", "posts"} {
		got, err := s.Elsewhere(t.Context(), &worker.Task{Identifiers: of[who]}, worker.Identifier{Type: "small.handle", Value: "ann"})
		if err != nil || got != want {
			t.Errorf("to %d it leads to %q, want %q; %v", who, got, want, err)
		}
	}
}
