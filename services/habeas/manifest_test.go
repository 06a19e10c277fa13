package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"habeas.dev/schemas"
	"habeas.dev/services/internal/pgtest"
)

// TestManifestInit: a draft of a database is a manifest that is read, that lint fails with
// a line for each thing that only a person knows, and that no worker serves; nothing of
// what the tables hold stands in it.
func TestManifestInit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "club.db"), filepath.Join(dir, "club.yaml")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE members (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, password_hash TEXT);
		CREATE TABLE visits (id INTEGER PRIMARY KEY, member_id INTEGER NOT NULL REFERENCES members (id), at TIMESTAMP, remark TEXT);
		CREATE TABLE doors (id INTEGER PRIMARY KEY, colour TEXT);
		INSERT INTO members VALUES (1, 'canary@example.com', 'canary', 'canary');
		INSERT INTO visits VALUES (1, 1, '2024-01-31 12:00:00', 'canary came')`); err != nil {
		t.Fatal(err)
	}
	status, said := says(t, "manifest", "init", "--dsn", file, "--root", "members.email", "-o", out)
	if status != 0 || !strings.Contains(said, "2 datasets; 1 tables not reached.") {
		t.Fatalf("status %d:\n%s", status, said)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"system: club\n", "{name: password_hash, secret: password}", "{find: member_id, table: members, column: id, by: {email: email}, one: true}", "# seem to say nothing of people: doors\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("nothing of %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text)+said, "canary") {
		t.Error("a value left the process")
	}
	status, said = says(t, "lint", out)
	for _, want := range []string{"club.yaml:8: who the people are is still to be said", ": storage is still to be said; ", ": what the data is used for, and its legal basis, are still to be said; "} {
		if status != 1 || !strings.Contains(said, want) {
			t.Errorf("status %d, nothing of %q:\n%s", status, want, said)
		}
	}
	cfg := filepath.Join(dir, "habeas.yaml")
	if err := os.WriteFile(cfg, []byte("systems:\n  club: {manifest: "+out+", dsn: "+file+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, said := says(t, "config", "check", cfg); status != 1 || !strings.Contains(said, "still to be said") {
		t.Errorf("status %d:\n%s", status, said)
	}
	for _, c := range []struct{ want, root, dsn string }{
		{"is there already", "members.email", file},
		{`the table members has no column "mail"; it has id, email`, "members.mail", file},
		{`the database has no table "users"; it has doors, members, visits`, "users.email", file},
		{"write table.column", "email", file},
		{"isn't known; write postgres://", "members.email", "oracle://me:hunter2@db/club"},
	} {
		args := []string{"manifest", "init", "--dsn", c.dsn, "--root", c.root}
		if c.want == "is there already" {
			args = append(args, "-o", out)
		}
		if status, said := says(t, args...); status != 1 || !strings.Contains(said, c.want) || strings.Contains(said, "hunter2") {
			t.Errorf("status %d, nothing of %q:\n%s", status, c.want, said)
		}
	}
}

// TestManifestSchema: what is printed is the schema, which describes each field.
func TestManifestSchema(t *testing.T) {
	t.Parallel()
	want, err := schemas.Read("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if status, out := says(t, "manifest", "schema"); status != 0 || out != string(want) {
		t.Errorf("status %d:\n%.200s", status, out)
	}
}

var initBlock = regexp.MustCompile("(?s)```(sql|yaml) init\n(.*?)```")

// TestGuideBeginsWithADraft: what docs/workers.md says that init makes of a database is what
// it makes, of SQLite's and of PostgreSQL's.
func TestGuideBeginsWithADraft(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/workers.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, b := range initBlock.FindAllStringSubmatch(string(page), -1) {
		blocks[b[1]] = b[2]
	}
	if len(blocks) != 2 {
		t.Fatal("the page doesn't begin with a draft")
	}
	for _, driver := range []string{"sqlite", "pgx"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			dsn := filepath.Join(t.TempDir(), "shop.db")
			if driver == "pgx" {
				dsn = pgtest.Shared(t).Database(t)
			}
			db, err := sql.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), blocks["sql"]); err != nil {
				t.Fatal(err)
			}
			out, err := command(t.Context(), "manifest", "init", "--dsn", dsn, "--root", "users.email", "--system", "shop").Output()
			if err != nil || string(out) != blocks["yaml"] {
				t.Errorf("%v: the page has\n%s\nand init makes\n%s", err, blocks["yaml"], out)
			}
		})
	}
}

// TestManifestDiff: after a migration what is new and gone is told and written, comments and
// order stay, and what a person must do is left.
func TestManifestDiff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "club.db"), filepath.Join(dir, "club.yaml")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(text string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE members (no INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, nick TEXT); CREATE TABLE visits (id INTEGER PRIMARY KEY, member_no INTEGER, at TIMESTAMP)`)
	const before = `# The club's members.
system: club
title: {en: Club}
abilities: [resolve, gather, erase]
needs: [email, number]
finds: [number] # on the card
defaults: {category: identifiers, origin: provided, purpose: {en: To let you in}, legal_basis: contract, storage: {en: A year}}
datasets:
  - name: visits
    title: {en: Visits}
    columns: # as they were
      - id # the first
      - {at: datetime}
    sql: {key: [id], subject: {number: member_no}, erase: delete}
  - name: members
    title: {en: Members}
    columns: [no, nick, email, # and so on
      name]
    sql: {key: [no], subject: {number: no, email: email}, erase: delete}
sql:
  resolve: [{find: number, table: members, column: no, by: {email: email}, one: true}]
`
	if err := os.WriteFile(out, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, said := says(t, "manifest", "diff", "--dsn", file, out); status != 0 || said != "" {
		t.Fatalf("status %d:\n%s", status, said)
	}
	exec(`ALTER TABLE members DROP COLUMN nick; ALTER TABLE members ADD COLUMN password_hash TEXT; ALTER TABLE visits ADD COLUMN door TEXT; ALTER TABLE visits ADD COLUMN note TEXT;
		CREATE TABLE letters (id INTEGER PRIMARY KEY, member_no INTEGER REFERENCES members (no), body TEXT); CREATE TABLE doors (id INTEGER PRIMARY KEY, colour TEXT)`)
	status, said := says(t, "manifest", "diff", "--dsn", file, out)
	for _, want := range []string{
		"club.yaml:11: dataset visits: the table visits has a further column door\n", "has a further column note\n",
		"club.yaml:17: dataset members: the table members has no column nick any more\n", "dataset members: the table members has a further column password_hash, by its name or form a secret\n",
		"the table letters leads to people and is no dataset\n", "the table doors is new, and nothing leads from a person to it: name it in sql.technical, or make a dataset of it (by hand)\n",
	} {
		if status != 1 || !strings.Contains(said, want) {
			t.Errorf("status %d, nothing of %q:\n%s", status, want, said)
		}
	}
	if now, err := os.ReadFile(out); err != nil || string(now) != before {
		t.Error("it was written without being asked to")
	}
	if status, said := says(t, "manifest", "diff", "--write", "--dsn", file, out); status != 1 {
		t.Errorf("status %d:\n%s", status, said)
	}
	want := strings.NewReplacer(
		"      - {at: datetime}\n", "      - {at: datetime}\n      - door\n      - note\n",
		"[no, nick, email, # and so on\n      name]", "[no, email, # and so on\n      name, {name: password_hash, secret: password}]",
		"erase: delete}\nsql:\n", `erase: delete}
  - name: letters
    title: {en: Letters}
    category: identifiers
    origin: provided
    purposes: [todo]
    storage: {en: TODO}
    columns: [id, member_no, body]
    sql: {key: [id], subject: {number: member_no}, erase: delete}
sql:
`).Replace(before)
	if now, err := os.ReadFile(out); err != nil || string(now) != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, now, want)
	}
}
