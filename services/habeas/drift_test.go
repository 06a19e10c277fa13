package main

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestDriftIsInEveryTrace: a column that no manifest declares is named in the
// trace of a request whose task fails, and again in that of one that is answered.
func TestDriftIsInEveryTrace(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	d.change("communications", "ALTER TABLE preferences ADD COLUMN shoe_size INTEGER")
	d.change("communications", "ALTER TABLE preferences RENAME COLUMN newsletter TO news")

	failing := d.ask(who, dsar.Access, "EEA", "en", nil)
	if row := waitFor(t, d.n.Installation.Journal, failing); row.Status != core.StatusNeedsAttention {
		t.Fatalf("%s, though a column is gone", row.Status)
	}
	noted := func(id string, outcome dsar.Outcome) {
		t.Helper()
		tr, err := loadTrace(t.Context(), d.n.Installation, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range tr.Moments {
			if m.System == "communications" && strings.HasPrefix(m.Text, "gather: "+string(outcome)) {
				if !strings.Contains(m.Text, "shoe_size") {
					t.Errorf("%s: %q doesn't name what isn't declared", id, m.Text)
				}
				return
			}
		}
		t.Errorf("the trace of %s doesn't say %s", id, outcome)
	}
	noted(failing, dsar.Failed)

	d.change("communications", "ALTER TABLE preferences RENAME COLUMN news TO newsletter")
	d.do(failing, core.Retry{By: "lea", Now: now()})
	d.wait(failing)
	noted(failing, dsar.Gathered)
}
