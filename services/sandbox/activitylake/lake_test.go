package activitylake

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/systems"
	"habeas.dev/services/systems/lakesystem"
)

// rows is how many rows the lakes of the tests have.
const rows = 3000

// TestConformance has the conformance kit ask the worker of activity, on the lake of the
// demo, with people of the sandbox.
func TestConformance(t *testing.T) {
	t.Parallel()
	m, err := systems.Manifest(people.Activity)
	if err != nil {
		t.Fatal(err)
	}
	p := people.Generate(people.Config{Seed: 3})
	subject := func(number int) workertest.Subject {
		s := workertest.Subject{Identifiers: identifiers(p, number)}
		for _, r := range p.RowsIn(number, people.Activity) {
			values := map[string]any{}
			for name, v := range r.Values {
				if n, is := v.(int64); is {
					v = float64(n) // as a bundle's JSON has it
				}
				values[name] = v
			}
			s.Records = append(s.Records, workertest.Record{Dataset: r.Dataset, Values: values})
		}
		return s
	}
	workertest.Run(t, func(t testing.TB, _ *slog.Logger) workertest.System {
		at, err := Create(t.Context(), t.TempDir(), p, 3, rows)
		if err != nil {
			t.Fatal(err)
		}
		s, err := lakesystem.Open(t.Context(), m, at, lakesystem.WithIdentifiers(identifier.Rules{}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return workertest.System{Manifest: m, Worker: s, Subjects: []workertest.Subject{subject(people.Camille), subject(people.Leaver)},
			Nobody: []worker.Identifier{{Type: "account_id", Value: "acc_nobody"}}}
	})
}

// TestThereOrNot: a lake that was broken off is made anew, and one that is there stays.
func TestThereOrNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "activity", "half"), 0o700); err != nil {
		t.Fatal(err)
	}
	at, err := Create(t.Context(), dir, nil, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "activity", "half")); err == nil {
		t.Error("what was broken off is there still")
	}
	info := func() string {
		i, err := os.Stat(filepath.Join(dir, "activity.db"))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(i.ModTime(), i.Size())
	}
	before := info()
	again, err := Create(t.Context(), dir, nil, 2, 500)
	if err != nil || again.URL != at.URL || info() != before {
		t.Errorf("it was made again: %v", err)
	}
}
