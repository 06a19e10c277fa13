package pgjournal_test

import (
	"errors"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/journaltest"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/pgtest"
)

// TestRoles: as its own role, which deploy/postgres/roles.sql makes, each service can
// append, and the coordinator carry; and each may do to each table what the grants say
// and nothing else: nobody alters or deletes a fact.
func TestRoles(t *testing.T) {
	t.Parallel()
	owner := pgtest.Start(t, pgtest.Own()).Database(t)
	script, err := os.ReadFile("../../../../deploy/postgres/roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, owner, string(script))
	s, err := pgjournal.Open(t.Context(), pgjournal.Config{URL: owner})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for range 2 { // it can be run again
		found, err := pgjournal.Grant(t.Context(), owner)
		if err != nil || len(found) != len(pgjournal.Roles()) {
			t.Fatalf("%v %v", found, err)
		}
	}
	admin, err := pgx.Connect(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(t.Context()) })
	rows, err := admin.Query(t.Context(), "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v')")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range pgjournal.Roles() {
		url := as(t, owner, r.Name)
		for _, table := range tables {
			for _, privilege := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"} {
				var has bool
				if err := admin.QueryRow(t.Context(), "SELECT has_table_privilege($1, $2, $3)", r.Name, table, privilege).Scan(&has); err != nil {
					t.Fatal(err)
				}
				if want := slices.Contains(strings.Split(r.Tables[table], ", "), privilege); has != want {
					t.Errorf("%s may %s %s: %v, want %v", r.Name, privilege, table, has, want)
				}
			}
		}
		own, err := pgjournal.Open(t.Context(), pgjournal.Config{URL: url})
		if err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		expected := 0
		for typ := range core.FactTypes() {
			a := journaltest.Simple(r.Name, expected)
			for i := range a.Facts {
				a.Facts[i].Type = typ
			}
			err := own.Append(t.Context(), a)
			if (err == nil) != r.MayAppend(typ) {
				t.Errorf("%s appends %s: %v", r.Name, typ, err)
			}
			if err == nil {
				expected++
			}
		}
		leaf := journaltest.Simple(r.Name+" with a leaf", 0)
		leaf.Facts[0].Type, leaf.Leaf = "request.completed", []byte("leaf of "+r.Name)
		if err := own.Append(t.Context(), leaf); (err == nil) != (r.Name == "habeas_coordinator") {
			t.Errorf("%s appends a leaf: %v", r.Name, err)
		}
		if _, _, err := own.Note(t.Context(), "callers/tokens"); err != nil {
			t.Errorf("%s reads a note: %v", r.Name, err)
		}
		for name, may := range map[string]bool{"console/ended/x": strings.Contains(r.Tables["note"], "INSERT"), "callers/tokens": r.Name == "habeas_coordinator", "log of " + r.Name: r.Name == "habeas_coordinator"} {
			_, version, err := own.Note(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if err := own.SetNote(t.Context(), name, []byte("x"), version); (err == nil) != may {
				t.Errorf("%s writes the note %s: %v", r.Name, name, err)
			}
		}
		if r.Name == "habeas_coordinator" {
			pending, err := own.Pending(t.Context(), 100)
			if err != nil || len(pending) == 0 {
				t.Errorf("the coordinator's relay has %d to carry: %v", len(pending), err)
			}
		}
		search := journal.Search{At: time.Now(), By: r.Name, Hash: "a"}
		if err := own.AddSearch(t.Context(), search); (err == nil) != (r.Name == "habeas_console") {
			t.Errorf("%s adds a search: %v", r.Name, err)
		}
		if err := own.Close(); err != nil {
			t.Error(err)
		}
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		for _, forbidden := range []string{"DELETE FROM fact", "UPDATE fact SET data = NULL", "TRUNCATE request", "DELETE FROM request", "DELETE FROM leaf", "UPDATE leaf SET data = ''", "DROP TABLE fact", "CREATE TABLE more (a int)", "ALTER TABLE fact DISABLE TRIGGER ALL", "DELETE FROM search", "UPDATE search SET by = 'nobody'",
			"INSERT INTO queue (num, shard, messages) OVERRIDING SYSTEM VALUE VALUES (-1, 0, '')", "UPDATE queue SET messages = ''", "UPDATE tree SET hash = ''", "DELETE FROM tree", "DELETE FROM tree_size"} {
			_, err := conn.Exec(t.Context(), forbidden)
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || refused.Code != "42501" {
				t.Errorf("%s: %s: %v", r.Name, forbidden, err)
			}
		}
		if r.Name != "habeas_coordinator" {
			for _, forbidden := range []string{"INSERT INTO leaf (num, data) VALUES (99, 'x')", "INSERT INTO tree VALUES (99, 'x')", "UPDATE tree_size SET size = 99", "DELETE FROM queue", "SELECT * FROM queue", "DELETE FROM note"} {
				_, err := conn.Exec(t.Context(), forbidden)
				var refused *pgconn.PgError
				if !errors.As(err, &refused) || refused.Code != "42501" {
					t.Errorf("%s: %s: %v", r.Name, forbidden, err)
				}
			}
			// By another name a note is as gone as deleted.
			for _, name := range []string{"callers/tokens", "mark", "log x"} {
				pgtest.Exec(t, owner, "INSERT INTO note (name, data, version) VALUES ('"+name+"', 'x', 1) ON CONFLICT DO NOTHING")
				tag, err := conn.Exec(t.Context(), "UPDATE note SET name = 'console/gone/' || name WHERE name = $1", name)
				if err == nil && tag.RowsAffected() > 0 {
					t.Errorf("%s renames the note %s", r.Name, name)
				}
			}
		}
		_ = conn.Close(t.Context())
	}
}

// TestFactsOfRoles: roles name types of facts that there are.
func TestFactsOfRoles(t *testing.T) {
	t.Parallel()
	for _, r := range pgjournal.Roles() {
		for _, typ := range slices.Concat(r.Facts, r.Never) {
			if core.FactTypes()[typ] == nil {
				t.Errorf("%s has rules for %s, which is no fact", r.Name, typ)
			}
		}
	}
}

// as returns the address of a database for another role.
func as(t *testing.T, address, role string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	return u.String()
}
