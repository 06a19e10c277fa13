package sqlsystem

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestMentions: free text that names a person is gathered with their own records, and
// neither planned nor erased; an erasure says how much of it there is.
func TestMentions(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE tickets (id INTEGER PRIMARY KEY, author TEXT, body TEXT);
		INSERT INTO tickets VALUES (1, 'ann@example.com', 'I am ann@example.com'), (2, 'bob@example.com', 'Ask Ann@Example.com.'), (3, 'bob@example.com', 'Ask joann@example.com or ann@example.com.au'), (4, 'bob@example.com', NULL)`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`tickets | table: tickets, key: [id], subject: {email: author}, mentions: {email: [body]}, erase: delete | id body author | others: [{columns: [body], unless: {email: author}, then: person}]`))
		got := gatherAll(t, s, ids("email ann@example.com"), ids("email eve@example.com"))
		if len(got[0]) != 2 || !strings.Contains(got[0][1], `"id":"2"`) || len(got[1]) > 0 {
			t.Errorf("gathered %v", got)
		}
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		planned := &worker.PlanJob{Job: worker.Job{Task: jobs[0].Task}, Plan: worker.NewPlanWriter(s.m)}
		if err := s.Plan(t.Context(), []*worker.PlanJob{planned}); err != nil || planned.Err != nil {
			t.Fatal(err, planned.Err)
		}
		if notes := planned.Notes(); len(notes) != 1 || !strings.HasPrefix(notes[0], "1 records of tickets mention the person") {
			t.Errorf("noted %q", notes)
		}
		if n := planned.Plan.Counts(); len(n) != 1 || n[0].Found != 1 || n[0].Mentions != 1 {
			t.Errorf("counted %+v", n)
		}
		// Of whom nothing but a text speaks, the plan has nothing, and says how many there are.
		only := &worker.PlanJob{Job: worker.Job{Task: jobsOf(dsar.Erasure, ids("email joann@example.com"))[0].Task}, Plan: worker.NewPlanWriter(s.m)}
		if err := s.Plan(t.Context(), []*worker.PlanJob{only}); err != nil || only.Err != nil {
			t.Fatal(err, only.Err)
		}
		if n := only.Plan.Counts(); len(n) != 1 || n[0].Found != 0 || n[0].Mentions != 1 {
			t.Errorf("counted %+v", n)
		}
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if left := d.column(t, "SELECT id FROM tickets ORDER BY id"); !slices.Equal(left, []string{"2", "3", "4"}) {
			t.Errorf("left %v", left)
		}
		jobs[0].Counts = nil
		if err := s.countAll(t.Context(), jobs); err != nil || len(jobs[0].Counts) > 0 {
			t.Errorf("found %s, %v", outcomes(jobs[0].Counts), err)
		}
	})
}
