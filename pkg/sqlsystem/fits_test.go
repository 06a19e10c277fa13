package sqlsystem

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestFits: what the database would refuse of the values that an erasure sets is
// found at start, by the catalogue, all of it at once, each with its line and cure;
// what it takes isn't.
func TestFits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		table          string // its columns and constraints, beside id and person
		anonymise      string // beside person: null
		want           []string
		postgres, lite bool // on that one only
	}{
		{"a constant into a unique column", "uid VARCHAR(40) NOT NULL UNIQUE", "uid: erased", []string{`"uid" is unique`, `"erased-{id}"`}, false, false},
		{"one of its own", "uid VARCHAR(40) NOT NULL UNIQUE", `uid: "erased-{id}"`, nil, false, false},
		{"null into a unique column", "uid VARCHAR(40) UNIQUE", "uid: null", nil, false, false},
		{"a constant into a unique pair", "tenant INTEGER, uid TEXT, UNIQUE (tenant, uid)", "uid: erased", []string{`"uid" is unique`}, false, false},
		{"a constant beside the key", "uid TEXT, UNIQUE (id, uid)", "uid: erased", nil, false, false},
		{"null into NOT NULL", "name TEXT NOT NULL", "name: null", []string{`"name" takes no null`}, false, false},
		{"a CHECK", "mail TEXT CHECK (mail LIKE '%@%')", "mail: erased", []string{`"mail" breaks the constraint`}, false, false},
		{"a CHECK that it keeps", "mail TEXT CHECK (mail LIKE '%@%')", `mail: "nobody@example.invalid"`, nil, false, false},
		{"a CHECK on another column too", "kind TEXT, mail TEXT, CHECK (kind = 'x' OR mail <> 'erased')", "mail: erased", nil, false, false},
		{"a named CHECK in brackets", "age INTEGER CONSTRAINT grown CHECK ((age >= (18)) AND age < 150)", "age: 0", []string{"grown"}, false, false},
		{"a foreign key to nobody", "boss INTEGER REFERENCES bosses (id)", "boss: 9", []string{"refers to rows of bosses"}, false, false},
		{"a foreign key to somebody", "boss INTEGER REFERENCES bosses (id)", "boss: 0", nil, false, false},
		{"too long", "name VARCHAR(5)", "name: removed", []string{"takes 5 characters"}, true, false},
		{"no number", "age INTEGER", "age: old", []string{"doesn't take the value"}, true, false},
		{"no label", "mood small_mood", "mood: gone", []string{"doesn't take the value"}, true, false},
		{"a domain's CHECK", "mail small_mail", "mail: gone", []string{"doesn't take the value"}, true, false},
		{"a domain without null", "mail small_full", "mail: null", []string{"takes no null"}, true, false},
		{"an identity", "n INTEGER GENERATED ALWAYS AS IDENTITY", "n: 0", []string{"no value can be given"}, true, false},
		{"a unique expression", "mail TEXT", "mail: gone", []string{`"mail" is unique (lower_mail)`}, false, false},
		{"a unique part that erased rows leave", "slug TEXT, state TEXT", "slug: gone, state: deleted", nil, false, false},
		{"a unique part that erased rows stay in", "slug TEXT, state TEXT", "slug: gone, state: live", []string{`"slug" is unique (live_slug)`}, false, false},
		{"a generated column", "a INTEGER, b INTEGER GENERATED ALWAYS AS (a + 1) STORED", "b: 0", []string{"no value can be given"}, false, false},
		{"all at once", "uid TEXT UNIQUE, name TEXT NOT NULL", "uid: gone, name: null", []string{`"uid" is unique`, `"name" takes no null`}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			schema := `CREATE TABLE bosses (id INTEGER PRIMARY KEY); INSERT INTO bosses VALUES (0); CREATE TABLE people (id INTEGER PRIMARY KEY, person INTEGER, ` + c.table + `)`
			if strings.HasPrefix(c.name, "a unique expression") {
				schema += "; CREATE UNIQUE INDEX lower_mail ON people (lower(mail))"
			}
			if strings.HasPrefix(c.name, "a unique part") {
				schema += "; CREATE UNIQUE INDEX live_slug ON people (slug) WHERE state = 'live'"
			}
			test := func(t *testing.T, d database) {
				m := small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "people | table: people, key: [id], subject: {person: person}, erase: anonymise, anonymise: {person: null, "+c.anonymise+"}")
				s, err := Open(t.Context(), m, d.source)
				if err == nil {
					s.Close()
				}
				if (err == nil) != (c.want == nil) {
					t.Fatalf("got %v, want %q", err, c.want)
				}
				if err == nil {
					return
				}
				for _, part := range c.want {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%v lacks %q", err, part)
					}
				}
				for line := range strings.SplitSeq(err.Error(), "\n") {
					if !strings.HasPrefix(line, "small.yaml:") || !strings.Contains(line, "; ") {
						t.Errorf("not a line with its place and cure: %s", line)
					}
				}
			}
			if !c.postgres {
				t.Run("SQLite", func(t *testing.T) {
					t.Parallel()
					test(t, sqliteDB(t, schema))
				})
			}
			t.Run("PostgreSQL", func(t *testing.T) {
				t.Parallel()
				test(t, postgresDB(t, `CREATE TYPE small_mood AS ENUM ('sad', 'ok'); CREATE DOMAIN small_mail AS TEXT CHECK (VALUE LIKE '%@%'); CREATE DOMAIN small_full AS TEXT NOT NULL; `+schema))
			})
		})
	}
}

// TestValueOfItsOwn: everybody is erased, each row with a value that no other has.
func TestValueOfItsOwn(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE people (tenant INTEGER, n INTEGER, person INTEGER, uid VARCHAR(40) NOT NULL UNIQUE, PRIMARY KEY (tenant, n))", func(t *testing.T, d database) {
		var subjects [][]worker.Identifier
		for i := range 6 {
			d.insert(t, "people", i%2, i, i, fmt.Sprintf("ann-%d", i))
			subjects = append(subjects, ids(fmt.Sprintf("person %d", i)))
		}
		m := small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", `people | table: people, key: [tenant, n], subject: {person: person}, erase: anonymise, anonymise: {person: null, uid: "erased-{tenant}/{n}!"} | tenant n`)
		s := open(t, d, m)
		for _, batch := range [][][]worker.Identifier{subjects[:1], subjects[1:]} {
			jobs := jobsOf(dsar.Erasure, batch...)
			if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
		}
		got := slices.Sorted(slices.Values(d.column(t, "SELECT uid FROM people")))
		if want := []string{"erased-0/0!", "erased-0/2!", "erased-0/4!", "erased-1/1!", "erased-1/3!", "erased-1/5!"}; !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	})
}

// TestGeneratedColumns: a column that the database works out is found at the start wherever a
// value is to be given to it: by an erasure, whole or in part, a correction, or a restriction.
func TestGeneratedColumns(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"STORED", "VIRTUAL"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, "", func(t *testing.T, d database) {
				if d.dialect == PostgreSQL && kind == "VIRTUAL" {
					t.Skip("not before PostgreSQL 18")
				}
				typ := map[Dialect]string{PostgreSQL: "jsonb"}[d.dialect]
				if typ == "" {
					typ = "VARCHAR(200)"
				}
				d.run(t, "CREATE TABLE people (id INTEGER PRIMARY KEY, email VARCHAR(100), other VARCHAR(100), doc "+typ+", copy "+typ+" GENERATED ALWAYS AS (doc) "+kind+", shout VARCHAR(100) GENERATED ALWAYS AS (upper(email)) "+kind+", locked INTEGER)")
				for sets, column := range map[string]string{
					"erase: anonymise, anonymise: {email: null, doc: null, shout: gone}": "shout",
					"erase: anonymise, anonymise: {email: null, shout: null}":            "shout",
					`erase: anonymise, anonymise: {email: null, copy->name: "{remove}"}`: "copy",
					"erase: delete, rectify: [shout]":                                    "shout",
					"erase: delete, ways: [{subject: {email: other}, rectify: [shout]}]": "shout",
					"erase: delete, restrict: [{column: shout, value: x}]":               "shout",
				} {
					more := ""
					for _, ability := range []string{"rectify", "restrict"} {
						if strings.Contains(sets, ability) {
							more = ", " + ability
						}
					}
					if _, err := Open(t.Context(), small(t, "abilities: [gather, erase"+more+"]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], subject: {email: email}, "+sets+" | id shout"), d.source); err == nil || !strings.Contains(err.Error(), `no value can be given to the column "`+column) {
						t.Errorf("%s: %v", sets, err)
					}
				}
			})
		})
	}
}
