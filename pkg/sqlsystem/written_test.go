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

// TestOthersStayAsWritten: what isn't the person's in JSON is left as it is written, to the digit, the
// order of keys and those that come twice; of PostgreSQL's jsonb, which has its own writing, the value.
func TestOthersStayAsWritten(t *testing.T) {
	t.Parallel()
	const schema = "CREATE TABLE rooms (id INTEGER PRIMARY KEY, owner VARCHAR(99), meta %s, list %s)"
	for name, make := range map[string]func(*testing.T) database{
		"SQLite":             func(t *testing.T) database { return sqliteDB(t, fmt.Sprintf(schema, "TEXT", "TEXT")) },
		"PostgreSQL json":    func(t *testing.T) database { return postgresDB(t, fmt.Sprintf(schema, "JSON", "TEXT")) },
		"PostgreSQL varchar": func(t *testing.T) database { return postgresDB(t, fmt.Sprintf(schema, "VARCHAR(2000)", "JSON")) },
		"PostgreSQL jsonb":   func(t *testing.T) database { return postgresDB(t, fmt.Sprintf(schema, "JSONB", "JSONB")) },
		"MariaDB":            func(t *testing.T) database { return mariaDB(t, fmt.Sprintf(schema, "JSON", "TEXT")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := make(t)
			s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
				`rooms | table: rooms, key: [id], ways: [{subject: {email: owner}, set: {owner: null, meta->by->name: nobody, meta->by->mail: "{remove}", meta->note: null}},
				{subject: {email: "meta->by->cc[]"}, set: {"meta->by->cc[]": "{remove}"}}, {subject: {email: "list[]"}, set: {"list[]": "{remove}"}}]`))
			rapid.Check(t, func(t *rapid.T) {
				if _, err := d.Exec("DELETE FROM rooms"); err != nil {
					t.Fatal(err)
				}
				const ann = `"ann@example.com"`
				others := []string{"1.10", "1e5", "-0.0", "12345678901234567890123", "0.1000000000000000055", `"1.10"`, `"\u00e9\/"`, "true", "null", `{"k":1.50,"a":[1.0]}`, `[]`, `"bob@example.com"`}
				if d.dialect != MariaDB { // beyond a double
					others = append(others, "1e400")
				}
				one := rapid.SampledFrom(append(slices.Clone(others), ann))
				list := func(what string) (with, without string) {
					all := rapid.SliceOfN(one, 0, 5).Draw(t, what)
					left := slices.DeleteFunc(slices.Clone(all), func(e string) bool { return e == ann })
					return "[" + strings.Join(all, ",") + "]", "[" + strings.Join(left, ",") + "]"
				}
				cc, ccLeft := list("cc")
				top, topLeft := list("list")
				n, m := rapid.SampledFrom(others).Draw(t, "n"), rapid.SampledFrom(others).Draw(t, "m")
				owned := rapid.Bool().Draw(t, "owned")
				form := `{"z":%[1]s,"by":{"zz":%[2]s,"name":"%[4]s","cc":%[3]s,"b":%[1]s%[5]s},"é":%[2]s,"note":%[6]s,"a":[%[1]s,%[2]s]%[7]s}`
				twice := ""
				if d.dialect == PostgreSQL { // the others take the first of two
					twice = `,"z":` + m
				}
				before := fmt.Sprintf(form, n, m, cc, "Ann", `,"mail":`+ann, `"n"`, twice)
				owner, after := any(nil), fmt.Sprintf(form, n, m, ccLeft, "Ann", `,"mail":`+ann, `"n"`, twice)
				if owned {
					owner, after = "ann@example.com", fmt.Sprintf(form, n, m, ccLeft, "nobody", "", "null", twice)
				}
				d.insert(t, "rooms", 1, owner, before, top)
				jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
				if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
					t.Fatal(err)
				}
				for column, want := range map[string]string{"meta": after, "list": topLeft} {
					query := "SELECT " + column + " FROM rooms"
					if strings.Contains(name, "jsonb") {
						query, want = "SELECT meta = '"+after+"'::jsonb AND list = '"+topLeft+"'::jsonb FROM rooms", "true"
					}
					got := d.column(t, query)[0]
					if d.dialect == MariaDB {
						got = strings.ReplaceAll(got, " ", "")
					}
					if got != want {
						t.Fatalf("%s of %s and %s:\ngot  %s\nwant %s", column, before, top, got, want)
					}
				}
			})
		})
	}
}
