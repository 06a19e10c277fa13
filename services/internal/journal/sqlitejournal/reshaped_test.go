package sqlitejournal_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
)

// TestReshaped: what somebody adds to the schema, alters or takes away is named, and a journal
// as it was made has nothing.
func TestReshaped(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	s := open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var want []string
	for _, step := range []struct{ do, named string }{
		{"SELECT 1", ""},
		{"ANALYZE", ""}, // as the planner's statistics do
		{"CREATE TRIGGER gone BEFORE INSERT ON search BEGIN SELECT RAISE(IGNORE); END", "trigger gone on search"},
		{"DROP VIEW trace", "view trace"},
		{"CREATE TABLE mine (id)", "table mine"},
		{"ALTER TABLE note ADD COLUMN more", "table note"},
	} {
		if _, err := db.ExecContext(t.Context(), step.do); err != nil {
			t.Fatal(err)
		}
		if step.named != "" {
			want = append(want, step.named)
			slices.Sort(want)
		}
		if got, err := s.Reshaped(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", step.do, got, err, want)
		}
	}
}
