package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/standin"
)

// TestTry: an erasure is tried in a live database before there is any request, and
// taken back; what would refuse it is named; a vendor is asked for the plan only. No
// value of the person is printed, and no journal is made.
func TestTry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := people.Generate(people.Config{Seed: 3, People: 30})
	files, err := internaldb.Create(t.Context(), dir, p)
	if err != nil {
		t.Fatal(err)
	}
	crm := standInOf(t, p, dir, people.HubSpot)
	cfg := filepath.Join(dir, "habeas.yaml")
	text := fmt.Sprintf("systems:\n  events: {dsn: \"sqlite://%s\"}\n  hubspot: {url: %q, client_secret_file: %q, calls_per_second: -1}\n", files[people.Events], crm, filepath.Join(dir, "secret"))
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", files[people.Events])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	before := dump(t, db)
	person := p.Person(1)
	email := "email=" + person.Email
	status, out := says(t, "try", "events", email, "--config", cfg)
	if status != 0 || !strings.Contains(out, "done and taken back") || strings.Contains(out, person.Email) {
		t.Fatalf("status %d:\n%s", status, out)
	}
	var told trial
	if status, out := says(t, "try", "events", email, "--config", cfg, "--json"); status != 0 || json.Unmarshal([]byte(out), &told) != nil {
		t.Fatalf("status %d:\n%s", status, out)
	}
	planned, erased := int64(0), int64(0)
	for _, c := range told.Planned {
		planned += c.Found - c.Kept()
	}
	for _, c := range told.Erased {
		erased += c.Erased + c.Anonymised
	}
	if !told.Rehearsed || planned == 0 || planned != erased {
		t.Errorf("planned %d, rehearsed %d: %+v", planned, erased, told)
	}
	if after := dump(t, db); !sameTables(before, after) {
		t.Error("a try has changed the database")
	}

	// What refuses is named.
	for _, stmt := range []string{
		"CREATE TABLE badges (id INTEGER PRIMARY KEY, attendee INTEGER)",
		"CREATE TRIGGER badges_stay BEFORE DELETE ON travel BEGIN SELECT RAISE(ABORT, 'badges are printed'); END",
	} {
		if _, err := db.ExecContext(t.Context(), stmt); err != nil {
			t.Fatal(err)
		}
	}
	refused := false
	for i := range p.People {
		status, out := says(t, "try", "events", "email="+p.Person(i+1).Email, "--config", cfg)
		if status == 1 && strings.Contains(out, "would be refused") && strings.Contains(out, "badges_stay") {
			refused = true
			break
		}
	}
	if !refused {
		t.Error("nobody is refused by the trigger")
	}

	status, out = says(t, "try", "hubspot", email, "--config", cfg)
	if status != 0 || !strings.Contains(out, "only the plan was made") || strings.Contains(out, "taken back: it would succeed") {
		t.Errorf("status %d:\n%s", status, out)
	}
	for _, c := range [][]string{{"try", "events", "shoe=44"}, {"try", "nowhere", email}, {"try", "events", person.Email}} {
		if status, out := says(t, append(c, "--config", cfg)...); status != 1 || strings.Contains(out, person.Email) || strings.Count(out, "\n") != 1 {
			t.Errorf("%v: status %d:\n%s", c[:2], status, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "journal")); err == nil {
		t.Error("a try has made a journal")
	}
}

// standInOf serves a vendor's stand-in, with its secret in DIR/secret, and returns
// its address.
func standInOf(t *testing.T, p *people.Population, dir, vendor string) string {
	t.Helper()
	all, err := standin.Open(standin.Config{Population: p, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = standin.Close(all) })
	for _, v := range all {
		if v.Vendor != vendor {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(v.Secret), 0o600); err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(v.Handler)
		t.Cleanup(s.Close)
		return s.URL
	}
	t.Fatal("no such vendor")
	return ""
}

func sameTables(a, b map[string][]string) bool {
	for table := range a {
		if !slices.Equal(a[table], b[table]) {
			return false
		}
	}
	return len(a) == len(b)
}
