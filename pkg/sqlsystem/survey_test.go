package sqlsystem

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestSurvey: what a survey tells is what stands in the database, keys and foreign keys
// with it, and a sample's values come one row at a time, cut off.
func TestSurvey(t *testing.T) {
	t.Parallel()
	const tables = `CREATE TABLE people (id INTEGER PRIMARY KEY, email VARCHAR(200) NOT NULL UNIQUE, bio TEXT);
		CREATE TABLE letters (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE, of_id INTEGER REFERENCES people (id) ON DELETE SET NULL, owner_type TEXT);
		CREATE TABLE marks (a INTEGER NOT NULL, b INTEGER NOT NULL, UNIQUE (a, b));
		CREATE TABLE hits (page TEXT);
		INSERT INTO people VALUES (1, 'ann@example.com', NULL), (2, 'bob@example.com', 'x');
		INSERT INTO letters VALUES (1, 1, 2, 'Person');`
	for name, of := range map[string]func(testing.TB, string) database{"SQLite": sqliteDB, "PostgreSQL": postgresDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := of(t, tables)
			v, err := NewSurvey(t.Context(), db.source, "")
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			looks := 0
			all, err := v.Tables(t.Context(), func(done, of int) { looks += of - done })
			if err != nil || looks != 3+2+1 {
				t.Fatal(err, looks)
			}
			var got []string
			for _, table := range all {
				got = append(got, fmt.Sprintf("%s%v%d%v", table.Name, table.Key, len(table.Columns), table.Refers))
			}
			row, _ := v.Dialect().rowName()
			want := fmt.Sprintf("hits[%s]1[]; letters[id]4[{[of_id] [id] people unlink} {[person_id] [id] people cascade}]; marks[a b]2[]; people[id]3[]", row)
			if d := strings.Join(got, "; "); d != want && d != strings.Replace(want, "{[of_id] [id] people unlink} {[person_id] [id] people cascade}", "{[person_id] [id] people cascade} {[of_id] [id] people unlink}", 1) {
				t.Errorf("got %s\nwant %s", d, want)
			}
			rows := 0
			if err := v.Sample(t.Context(), "people", []string{"email", "bio"}, 1, func(values []string) {
				if rows++; values[0] != "ann@example.com" || values[1] != "" {
					t.Error("other values")
				}
			}); err != nil || rows != 1 {
				t.Error(err, rows)
			}
			for text, want := range map[string]bool{"Person": true, "Post": false} {
				if is, err := v.Holds(t.Context(), "letters", "owner_type", text); err != nil || is != want {
					t.Error(text, is, err)
				}
			}
		})
	}
}

// TestSurveySource: a data source that can't be read is refused without its text.
func TestSurveySource(t *testing.T) {
	t.Parallel()
	secret := url.UserPassword("me", "hunter2").String()
	for _, source := range []string{"oracle://" + secret + "@db/x", "postgres://" + secret + "@127.0.0.1:1/x?connect_timeout=1", t.TempDir() + "/none.db"} {
		if _, err := NewSurvey(t.Context(), source, ""); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
}
