package sqlsystem

import (
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"
)

// TestWide: what a worker's user may do beyond its tables is named, and nothing of a user that
// has those alone, row security or none.
func TestWide(t *testing.T) {
	t.Parallel()
	d := postgresDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)`)
	wide := func(user string) string {
		t.Helper()
		as := d
		if user != "" {
			as = postgresAs(t, d, user)
		}
		all, err := open(t, as, small(t, "abilities: [gather]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], subject: {email: email}")).Wide(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, a := range all {
			if a.Where == "" || a.Cure == "" {
				t.Errorf("no place or no cure: %s", a)
			}
			text += a.What
		}
		return text
	}
	if got := wide(""); !strings.Contains(got, "is a superuser") {
		t.Errorf("the superuser: %q", got)
	}
	for _, c := range []struct{ options, grant, want string }{
		{"", "", ""},
		{"BYPASSRLS", "", ""},
		{"CREATEROLE", "", "CREATEROLE"},
		{"REPLICATION", "", "REPLICATION"},
		{"", "GRANT pg_read_server_files TO %", "server's files"},
		{"", "ALTER TABLE people OWNER TO %", "owns tables"},
	} {
		user := "u_" + strings.ToLower(rand.Text())
		for _, q := range []string{"CREATE ROLE % LOGIN PASSWORD 'x' " + c.options, "GRANT USAGE ON SCHEMA " + schemaOf(t, d) + " TO %", "GRANT SELECT, UPDATE, DELETE ON people TO %", c.grant} {
			if _, err := d.Exec(strings.ReplaceAll(q, "%", user)); q != "" && err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() {
			d.Exec("REASSIGN OWNED BY " + user + " TO CURRENT_USER")
			d.Exec("DROP OWNED BY " + user)
			d.Exec("DROP ROLE " + user)
		})
		if got := wide(user); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %q, want %q", c.options, c.grant, got, c.want)
		}
	}
}

func schemaOf(t *testing.T, d database) (name string) {
	t.Helper()
	if err := d.QueryRow("SELECT current_schema()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

// postgresAs is a database as another user has it.
func postgresAs(t *testing.T, d database, user string) database {
	t.Helper()
	u, err := url.Parse(os.Getenv("DATABASE_URL"))
	if err != nil {
		t.Fatal("DATABASE_URL is no URL")
	}
	q := u.Query()
	q.Set("search_path", schemaOf(t, d))
	u.RawQuery, u.User = q.Encode(), url.UserPassword(user, "x")
	db, err := sql.Open("pgx", u.String())
	if err != nil {
		t.Fatal("DATABASE_URL can't be read")
	}
	t.Cleanup(func() { db.Close() })
	as := d
	as.DB, as.source = db, u.String()
	return as
}

// TestWideMariaDB: privileges on the whole server are named.
func TestWideMariaDB(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)`)
	all, err := open(t, d, small(t, "abilities: [gather]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], subject: {email: email}")).Wide(t.Context())
	if err != nil || len(all) != 1 || !strings.Contains(all[0].What, "SUPER") {
		t.Errorf("who may do all: %v, %v", all, err)
	}
}
