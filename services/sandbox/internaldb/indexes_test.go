package internaldb_test

import (
	"testing"

	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/services/sandbox/people"
)

// TestIndexes: the databases have every index that their look-ups want.
func TestIndexes(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 14, People: 12})
	for name, source := range map[string]func(testing.TB, *people.Population) func(string) string{"SQLite": onSQLite, "PostgreSQL": onPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of := source(t, p)
			for _, m := range manifests(t) {
				s, err := sqlsystem.Open(t.Context(), m, of(m.System))
				if err != nil {
					t.Fatal(err)
				}
				advice, err := s.Advice(t.Context())
				if err != nil || len(advice) > 0 {
					t.Errorf("%s: %v, %v", m.System, advice, err)
				}
				s.Close()
			}
		})
	}
}
