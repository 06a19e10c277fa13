package migration_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"habeas.dev/services/internal/journal/migration"
)

// TestRead: what a file does is read off its statements; one that isn't known isn't called
// harmless.
func TestRead(t *testing.T) {
	t.Parallel()
	tables := map[string]migration.Table{"old": {Rows: 30_000, Bytes: 100 << 20}}
	for _, c := range []struct {
		sql     string
		adds    bool
		mode    migration.Mode // of old; empty: nobody waits
		seconds float64
	}{
		{"CREATE TABLE new (x text);\nINSERT INTO new VALUES (1, 0);", true, "", 0},
		{"CREATE VIEW v AS SELECT 1;", true, "", 0},
		{"CREATE INDEX i ON old (a, b) WHERE a <> '';", true, migration.Write, 2},
		{"CREATE TABLE new (x text); CREATE INDEX i ON new (x);", true, "", 0},
		{"ALTER TABLE old ADD COLUMN a text NOT NULL DEFAULT '';", true, migration.All, 0},
		{"ALTER TABLE old ADD COLUMN a text;", true, migration.All, 0},
		{"ALTER TABLE old ADD COLUMN a text NOT NULL;", false, migration.All, 3},
		{"ALTER TABLE old ADD COLUMN a text DEFAULT '';\nUPDATE old SET a = 'x' WHERE b = 1;\nCREATE INDEX i ON old (a);", true, migration.All, 5},
		{"ALTER TABLE old ADD COLUMN a text DEFAULT '';\nUPDATE old SET a = 'x', b = 'y';", false, migration.All, 3},
		{"UPDATE old SET b = 'x';", false, migration.Rows, 3},
		{"ALTER TABLE old SET (fillfactor = 70);", true, migration.Rows, 0},
		{"ALTER TABLE old ALTER COLUMN b SET STORAGE EXTERNAL;", true, migration.All, 0},
		{"ALTER TABLE old ALTER COLUMN b TYPE bigint;", false, migration.All, 3},
		{"ALTER TABLE old DROP COLUMN b;", false, migration.All, 3},
		{"DROP TABLE old;", false, migration.All, 3},
		{"CREATE UNIQUE INDEX i ON old (a);", false, "", 0},
		{"-- DROP TABLE old;\nCREATE TABLE new (x text); -- ; DROP TABLE old", true, "", 0},
	} {
		files := fstest.MapFS{
			"00001_first.sql":  {Data: []byte("-- First.\n\n-- +goose Up\nDROP TABLE old;")},
			"00002_second.sql": {Data: []byte("-- What it is for,\n-- in words. And more.\n\n-- +goose Up\n" + c.sql + "\n-- +goose Down\nDROP TABLE old;\n")},
		}
		p, err := migration.Read(files, 1, tables)
		if err != nil || len(p.Steps) != 1 || p.Newest != 2 {
			t.Fatalf("%+v, %v", p, err)
		}
		s := p.Steps[0]
		if s.Number != 2 || s.Name != "second" || s.What != "What it is for, in words" {
			t.Errorf("%d %s %q", s.Number, s.Name, s.What)
		}
		if s.Adds != c.adds || s.Adds != (len(s.Changes) == 0) {
			t.Errorf("%s\nonly adds: %t, but for %q", c.sql, s.Adds, s.Changes)
		}
		i := slices.IndexFunc(s.Locks, func(l migration.Lock) bool { return l.Table == "old" })
		switch {
		case c.mode == "" && i >= 0, c.mode != "" && i < 0:
			t.Errorf("%s\nlocks %+v", c.sql, s.Locks)
		case i >= 0 && (s.Locks[i].Mode != c.mode || s.Locks[i].Seconds != c.seconds):
			t.Errorf("%s\nlocks %+v", c.sql, s.Locks[i])
		}
	}
}
