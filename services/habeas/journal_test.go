package main

import (
	"encoding/json"
	"strings"
	"testing"

	"habeas.dev/services/internal/journal/migration"
)

// TestMigratePlan: the plan says what would run, in words and as JSON, by the exit status that
// the help names, and runs nothing; once it has run there is nothing more.
func TestMigratePlan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	call := func(want int, args ...string) string {
		t.Helper()
		status, out := says(t, append(args, "--data", dir)...)
		if status != want {
			t.Errorf("%v: status %d, want %d: %s", args, status, want, out)
		}
		return out
	}
	for range 2 {
		out := call(1, "journal", "migrate", "--plan")
		if !strings.Contains(out, "1 journal: The journal\n    it only adds\n") || !strings.Contains(out, "From version 0 to ") {
			t.Error(out)
		}
	}
	var p migration.Plan
	if err := json.Unmarshal([]byte(call(1, "journal", "migrate", "--plan", "--output", "json")), &p); err != nil || len(p.Steps) != int(p.Newest) {
		t.Errorf("%+v, %v", p, err)
	}
	call(0, "journal", "migrate")
	if out := call(0, "migrate", "--plan"); !strings.HasPrefix(out, "Nothing would run") {
		t.Error(out)
	}
}
