package sqlsystem

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
)

// TestCopies: what keeps copies of a dataset's rows is named, until it is declared or
// mended.
func TestCopies(t *testing.T) {
	t.Parallel()
	publication := "p_" + strings.ToLower(rand.Text())
	d := postgresDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE others (id INTEGER PRIMARY KEY);
		CREATE VIEW names AS SELECT email FROM people; CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM names; CREATE MATERIALIZED VIEW strangers AS SELECT id FROM others;
		CREATE PUBLICATION `+publication+` FOR TABLE people WITH (publish = 'insert, update')`)
	t.Cleanup(func() { d.Exec("DROP PUBLICATION " + publication) })
	advised := func(technical string) []string {
		s := open(t, d, small(t, "abilities: [gather]\nneeds: [email]\nsql: {"+technical+"}", "people | table: people, key: [id], subject: {email: email}"))
		all, err := s.Copies(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, a := range all {
			if a.Where == "" || a.Cure == "" {
				t.Errorf("no place or no cure: %s", a)
			}
			out = append(out, a.What)
		}
		return out
	}
	want := []string{"the materialized view sums keeps what is erased of people until it is refreshed", "the publication " + publication + " tells replicas of people, and not what is deleted there: they keep it"}
	if got := advised(""); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if _, err := d.Exec("ALTER PUBLICATION " + publication + " SET (publish = 'insert, update, delete')"); err != nil {
		t.Fatal(err)
	}
	if got := advised("technical: [sums]"); len(got) > 0 {
		t.Errorf("declared and mended: %q", got)
	}
}
