package activitylake

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/thirdparty"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/systems"
	"habeas.dev/services/systems/lakesystem"
)

// TestReaders: after an erasure other people's readers find nothing of the person, PyIceberg
// in no snapshot of a table, DuckDB in no file; of others they find what was there.
func TestReaders(t *testing.T) {
	t.Parallel()
	m, err := systems.Manifest(people.Activity)
	if err != nil {
		t.Fatal(err)
	}
	p := people.Generate(people.Config{Seed: 5})
	before, after := t.TempDir(), t.TempDir()
	if _, err := Create(t.Context(), before, p, 5, 20_000); err != nil {
		t.Fatal(err)
	}
	at, err := Create(t.Context(), after, p, 5, 20_000)
	if err != nil {
		t.Fatal(err)
	}
	s, err := lakesystem.Open(t.Context(), m, at)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []*worker.EraseJob
	var erased []string
	for _, number := range []int{people.Camille, people.Leaver, 12, 13} {
		own := worker.Job{Task: worker.Task{Right: dsar.Erasure}}
		for _, id := range identifiers(p, number) {
			own.Identifiers, erased = append(own.Identifiers, id), append(erased, id.Value)
		}
		plan := &worker.PlanJob{Job: own, Plan: worker.NewPlanWriter(m)}
		if err := s.Plan(t.Context(), []*worker.PlanJob{plan}); err != nil || plan.Err != nil {
			t.Fatal(err, plan.Err)
		}
		planned, err := plan.Plan.Plan()
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, &worker.EraseJob{Job: own, Plan: planned})
	}
	if err := s.Erase(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, id := range identifiers(p, people.NonLatin) {
		kept = append(kept, id.Value)
	}
	thirdparty.Python(t, "readers", "readers.py", "BEFORE="+before, "AFTER="+after, "ERASED="+strings.Join(erased, ","), "KEPT="+strings.Join(kept, ","))
}

// identifiers returns those by which activity knows a person.
func identifiers(p *people.Population, number int) []worker.Identifier {
	var out []worker.Identifier
	if id := p.Person(number).AccountID; id != "" {
		out = append(out, worker.Identifier{Type: "account_id", Value: id})
	}
	for n := range 1 + number%2 {
		out = append(out, worker.Identifier{Type: "cookie_id", Value: p.CookieID(number, n+1)})
	}
	return out
}
