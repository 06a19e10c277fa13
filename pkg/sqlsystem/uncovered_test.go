package sqlsystem

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// schemasDB returns the schema of a database that holds notes, another beside it that holds
// contacts, and what their user may read of both.
func schemasDB(t *testing.T, more ...string) (d limited, own, other string) {
	t.Helper()
	d = limited{database: postgresDB(t, "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER)")}
	u, err := url.Parse(d.source)
	if err != nil {
		t.Fatal("DATABASE_URL is no URL")
	}
	own = u.Query().Get("search_path")
	other, d.user = strings.Replace(own, "test", "other", 1), strings.Replace(own, "test", "user", 1)
	u.User = url.UserPassword(d.user, "canary")
	d.mine = u.String()
	t.Cleanup(func() {
		d.Exec("DROP OWNED BY " + d.user)
		d.Exec("DROP ROLE " + d.user)
		drop(t, other)
	})
	for _, statement := range slices.Concat([]string{"CREATE ROLE USER LOGIN PASSWORD 'canary'", "CREATE SCHEMA OTHER", "CREATE TABLE OTHER.contacts (email TEXT)",
		"GRANT USAGE ON SCHEMA OWN, OTHER TO USER", "GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA OWN, OTHER TO USER"}, more) {
		d.run(t, strings.NewReplacer("OWN", own, "OTHER", other, "USER", d.user).Replace(statement))
	}
	d.source = d.mine
	return d, own, other
}

// TestUncoveredInOtherSchemas: what the worker's user may read in whatever schema is a dataset's, or
// technical, or named; views, partitions, heirs of a dataset's table and what it may not read aren't.
func TestUncoveredInOtherSchemas(t *testing.T) {
	t.Parallel()
	const head = "abilities: [gather]\nneeds: [user]\nsql: {technical: [nothing%s]}"
	const notes = "notes | table: notes, key: [id], subject: {user: user_id}"
	for _, c := range []struct {
		name, technical string
		more            []string
		dataset         string
		want            []string
	}{
		{name: "a table of another schema", want: []string{"OTHER.contacts"}},
		{name: "one of several columns that it may read", more: []string{"CREATE TABLE OTHER.leads (id INTEGER, email TEXT)", "GRANT SELECT (email) ON OTHER.leads TO USER"}, want: []string{"OTHER.contacts", "OTHER.leads"}},
		{name: "one that it may not read", more: []string{"CREATE TABLE OTHER.leads (email TEXT)"}, want: []string{"OTHER.contacts"}},
		{name: "in a schema that it may not use", more: []string{"REVOKE USAGE ON SCHEMA OTHER FROM USER"}},
		{name: "technical", technical: ", OTHER.contacts"},
		{name: "all of its schema technical", technical: ", OTHER.*", more: []string{"CREATE TABLE OTHER.leads (email TEXT)", "GRANT SELECT ON OTHER.leads TO USER"}},
		{name: "technical in another schema", technical: ", contacts", want: []string{"OTHER.contacts"}},
		{name: "technical by a schema's name in full", technical: ", OTHER.contacts, OWN.jobs", more: []string{"CREATE TABLE jobs (id INTEGER)"}},
		{name: "a dataset's", dataset: "contacts | table: OTHER.contacts, key: [email], subject: {user: email} | email", more: []string{"ALTER TABLE OTHER.contacts ADD PRIMARY KEY (email)"}},
		{name: "views, partitions and heirs", technical: ", OTHER.contacts", more: []string{"CREATE VIEW OTHER.v AS SELECT * FROM OWN.notes",
			"CREATE TABLE OTHER.p (id INTEGER) PARTITION BY LIST (id)", "CREATE TABLE OTHER.p1 PARTITION OF OTHER.p DEFAULT",
			"CREATE TABLE OTHER.old (PRIMARY KEY (id)) INHERITS (notes)", "GRANT SELECT ON ALL TABLES IN SCHEMA OTHER TO USER"}, want: []string{"OTHER.p"}},
		{name: "a foreign table", technical: ", OTHER.contacts", more: []string{"CREATE FOREIGN DATA WRAPPER OTHER", "CREATE SERVER OTHER FOREIGN DATA WRAPPER OTHER", "CREATE FOREIGN TABLE OTHER.crm (email TEXT) SERVER OTHER",
			"GRANT SELECT ON OTHER.crm TO USER"}, want: []string{"OTHER.crm"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, own, other := schemasDB(t, c.more...)
			if strings.Contains(c.name, "foreign") {
				t.Cleanup(func() { d.Exec("DROP FOREIGN DATA WRAPPER " + other + " CASCADE") })
			}
			in := strings.NewReplacer("OWN", own, "OTHER", other)
			datasets := []string{notes}
			if c.dataset != "" {
				datasets = append(datasets, in.Replace(c.dataset))
			}
			s := open(t, d.database, small(t, fmt.Sprintf(head, in.Replace(c.technical)), datasets...))
			got, err := s.Uncovered(t.Context())
			want := slices.Clone(c.want)
			for i := range want {
				want[i] = in.Replace(want[i])
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("uncovered %v, %v; want %v", got, err, want)
			}
		})
	}
}

// TestNameFoundTwice: a name that the search path finds in two schemas is refused, unless the
// manifest says which is meant; the other is named as uncovered then. One that comes before it later
// doesn't take its place.
func TestNameFoundTwice(t *testing.T) {
	t.Parallel()
	const head = "abilities: [gather]\nneeds: [user]\nsql: {%s}"
	d, own, other := schemasDB(t)
	path := func(schemas string) database {
		u, _ := url.Parse(d.source)
		q := u.Query()
		q.Set("search_path", schemas)
		u.RawQuery = q.Encode()
		return database{DB: d.DB, dialect: PostgreSQL, source: u.String()}
	}
	both := path(other + "," + own)
	d.run(t, "INSERT INTO notes VALUES (1, 5), (2, 6)")
	s := open(t, both, small(t, fmt.Sprintf(head, "technical: ["+other+".contacts]"), "notes | table: notes, key: [id], subject: {user: user_id}"))
	if got, err := s.Uncovered(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("uncovered %v, %v", got, err)
	}
	for _, statement := range []string{"CREATE TABLE " + other + ".notes (id INTEGER PRIMARY KEY, user_id INTEGER)", "INSERT INTO " + other + ".notes VALUES (1, 6)", "GRANT SELECT, DELETE ON " + other + ".notes TO " + d.user} {
		d.run(t, statement)
	}
	if got := gatherAll(t, s, ids("user 5"), ids("user 6")); len(got[0]) != 1 || len(got[1]) != 1 || !strings.Contains(got[1][0], "2") {
		t.Errorf("gathered %v", got)
	}
	for _, c := range []struct{ sql, table string }{{"", "notes"}, {"resolve: [{find: mail, table: notes, column: id, by: {user: user_id}}]", own + ".notes"}} {
		head := fmt.Sprintf(head, c.sql)
		if c.sql != "" {
			head = "finds: [mail]\n" + strings.Replace(head, "[gather", "[resolve, gather", 1)
		}
		_, err := Open(t.Context(), small(t, head, "notes | table: "+c.table+", key: [id], subject: {user: user_id}"), both.source)
		if err == nil || !strings.Contains(err.Error(), "it hides "+own+".notes") || !strings.Contains(err.Error(), "small.yaml:") {
			t.Errorf("%s: %v", c.sql, err)
		}
	}
	for dataset, want := range map[string]string{own + ".notes": "notes", other + ".notes": own + ".notes"} { // the first schema of the path is the system's
		s := open(t, both, small(t, fmt.Sprintf(head, "technical: ["+other+".contacts]"), "notes | table: "+dataset+", key: [id], subject: {user: user_id}"))
		if got, err := s.Uncovered(t.Context()); err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("%s: uncovered %v, %v", dataset, got, err)
		}
	}
	open(t, both, small(t, fmt.Sprintf(head, "schema: "+own), "notes | table: notes, key: [id], subject: {user: user_id}"))
}

// TestApart: tables of MariaDB's other databases that the worker's user may read are noted, a line
// for each database, until the manifest has them.
func TestApart(t *testing.T) {
	t.Parallel()
	d := mariaExactDB(t, "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER)")
	other := mariaExactDB(t, "CREATE TABLE contacts (id INTEGER PRIMARY KEY, user_id INTEGER); CREATE TABLE leads (id INTEGER PRIMARY KEY)")
	u, err := url.Parse(other.source)
	if err != nil {
		t.Fatal("MARIADB_URL is no URL")
	}
	name := strings.Trim(u.Path, "/")
	for technical, want := range map[string]string{"nothing": "2 tables", name + ".leads": "1 tables", name + ".*": ""} {
		s := open(t, d, small(t, "abilities: [gather]\nneeds: [user]\nsql: {technical: ["+technical+"]}", "notes | table: notes, key: [id], subject: {user: user_id}"))
		if got, err := s.Uncovered(t.Context()); err != nil || len(got) > 0 {
			t.Errorf("%s: uncovered %v, %v", technical, got, err)
		}
		all, err := s.Apart(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, a := range all {
			if strings.Contains(a.What, name+",") {
				said = a.What
			}
		}
		if (said != "") != (want != "") || !strings.Contains(said, want) {
			t.Errorf("%s: %q", technical, said)
		}
	}
}
