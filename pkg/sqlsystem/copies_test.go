package sqlsystem

import (
	"cmp"
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

// TestReplicasThatAreToldLess: a publication is named that doesn't tell of what an erasure does to a table
// or a partition of it, and no other.
func TestReplicasThatAreToldLess(t *testing.T) {
	t.Parallel()
	const deletes, changes = "erase: delete", "erase: anonymise, anonymise: {email: null}"
	for _, c := range []struct{ name, of, publish, erase, want string }{
		{"deletions, of what is deleted", "people", "insert, update", deletes, "deleted"},
		{"changes, of what is changed", "people", "insert, delete", changes, "changed"},
		{"changes, of what is deleted", "people", "insert, delete", deletes, ""},
		{"deletions, of what is changed", "people", "insert, update", changes, "deleted"}, // those of the system itself
		{"of a partition", "old", "insert", changes, "deleted"},
		{"of nothing else", "others", "insert", deletes, ""},
		{"nothing", "people", "insert, update, delete", changes, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			publication := "p_" + strings.ToLower(rand.Text())
			d := postgresDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT) PARTITION BY LIST (id); CREATE TABLE old PARTITION OF people FOR VALUES IN (1); CREATE TABLE new PARTITION OF people DEFAULT;
				CREATE TABLE others (id INTEGER PRIMARY KEY); CREATE PUBLICATION `+publication+` FOR TABLE `+c.of+` WITH (publish = '`+c.publish+`')`)
			t.Cleanup(func() { d.Exec("DROP PUBLICATION " + publication) })
			s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], subject: {email: email}, "+c.erase))
			all, err := s.Kept(t.Context())
			if err != nil || len(all) != min(1, len(c.want)) || len(all) > 0 && !strings.Contains(all[0].What, publication+" tells replicas of people, and not what is "+c.want) {
				t.Errorf("%v, %v", all, err)
			}
		})
	}
}

// TestForeignTablesAreOnlyRead: nothing is erased by way of a foreign table, nor from a table of which one
// is a partition: what the other database does with it isn't seen.
func TestForeignTablesAreOnlyRead(t *testing.T) {
	t.Parallel()
	for name, foreign := range map[string]string{
		"itself":    "CREATE FOREIGN TABLE notes (id INTEGER, email TEXT) SERVER NAME",
		"partition": "CREATE TABLE notes (id INTEGER, email TEXT) PARTITION BY LIST (id); CREATE FOREIGN TABLE old PARTITION OF notes DEFAULT SERVER NAME",
		"heir":      "CREATE TABLE notes (id INTEGER PRIMARY KEY, email TEXT); CREATE FOREIGN TABLE old (CHECK (id > 0)) INHERITS (notes) SERVER NAME",
		"none":      "CREATE TABLE notes (id INTEGER PRIMARY KEY, email TEXT)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrapper := "w_" + strings.ToLower(rand.Text())
			d := postgresDB(t, strings.ReplaceAll("CREATE FOREIGN DATA WRAPPER NAME; CREATE SERVER NAME FOREIGN DATA WRAPPER NAME; "+foreign, "NAME", wrapper))
			t.Cleanup(func() { d.Exec("DROP FOREIGN DATA WRAPPER " + wrapper + " CASCADE") })
			for abilities, erase := range map[string]string{"gather": "", "gather, erase": ", erase: delete"} {
				key := "id"
				if name == "partition" {
					key = "ctid"
				}
				s, err := Open(t.Context(), small(t, "abilities: ["+abilities+"]\nneeds: [email]\nsql: {}", "notes | table: notes, key: ["+key+"], subject: {email: email}"+erase), d.source)
				if err == nil {
					err = cmp.Or(s.Close(), err)
				}
				if refused := err != nil && strings.Contains(err.Error(), "a foreign table"); refused != (name != "none" && erase != "") {
					t.Errorf("%s: %v", abilities, err)
				}
			}
		})
	}
}

// TestLargeObjects: a column that names large objects stops a worker that erases, until a trigger
// unlinks them or the manifest says that it names none.
func TestLargeObjects(t *testing.T) {
	t.Parallel()
	d := postgresDB(t, `CREATE DOMAIN big AS oid; CREATE TABLE pics (id INTEGER PRIMARY KEY, email TEXT, o big, kind oid)`)
	if _, err := d.Exec("CREATE FUNCTION unlinks() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM lo_unlink(OLD.o); RETURN OLD; END'"); err != nil {
		t.Fatal(err)
	}
	kept := func(dataset string) []string {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "pics | table: pics, key: [id], subject: {email: email}, "+dataset))
		all, err := s.Kept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, a := range all {
			column, _, _ := strings.Cut(a.What, " ")
			out = append(out, column)
		}
		return out
	}
	is := func(dataset string, want ...string) {
		t.Helper()
		if got := kept(dataset); !slices.Equal(got, want) {
			t.Errorf("%s: got %q", dataset, got)
		}
	}
	is("erase: delete", "pics.kind", "pics.o")
	is("erase: delete, technical: [kind]", "pics.o")
	if _, err := d.Exec("CREATE TRIGGER gone AFTER DELETE ON pics FOR EACH ROW EXECUTE FUNCTION unlinks()"); err != nil {
		t.Fatal(err)
	}
	is("erase: delete, technical: [kind]")
	is("erase: anonymise, anonymise: {email: null, o: null}, technical: [kind]", "pics.o")
	if _, err := d.Exec("CREATE TRIGGER empty AFTER UPDATE ON pics FOR EACH ROW EXECUTE FUNCTION unlinks()"); err != nil {
		t.Fatal(err)
	}
	is("erase: anonymise, anonymise: {email: null, o: null}, technical: [kind]")
}
