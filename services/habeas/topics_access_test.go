package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"habeas.dev/services/aggregator"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/internal/watch"
	"habeas.dev/services/letters"
	"habeas.dev/services/sandbox/people"
)

// TestAccess: deploy/kafka has what the table of rights says, of the built-in systems;
// its groups are those of the services, and each topic has who reads and who writes it.
func TestAccess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "habeas.yaml")
	write(t, file, "sandbox: {seed: 1, people: 200}\n")
	for name, format := range map[string]string{"acls.sh": "kafka-acls", "strimzi.yaml": "strimzi"} {
		got, err := command(t.Context(), "topics", "access", "--config", file, "--format", format).Output()
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(deployFolder, "kafka", name))
		if err != nil || string(got) != string(want) {
			t.Errorf("deploy/kafka/%s isn't what habeas topics access --format %s writes for the systems of the sandbox: %v", name, format, err)
		}
	}
	var groups, read, written []string
	all := topics.Accesses(people.Systems())
	for _, a := range all {
		if len(a.Reads) != len(a.Groups) {
			t.Errorf("%s: %d topics and %d groups", a.User, len(a.Reads), len(a.Groups))
		}
		groups, read, written = append(groups, a.Groups...), append(read, a.Reads...), append(written, a.Writes...)
	}
	for _, g := range []string{intake.Group, coordinator.Group, watch.Group, aggregator.Group, letters.Group, "habeas.worker.billing"} {
		if !slices.Contains(groups, g) {
			t.Errorf("nobody reads as %s", g)
		}
	}
	specs, err := topics.Wanted(append(people.Systems(), "aggregator"), topics.Deviation{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range specs {
		if !slices.Contains(written, s.Name) || !slices.Contains(read, s.Name) {
			t.Errorf("%s: somebody writes it: %v, reads it: %v", s.Name, slices.Contains(written, s.Name), slices.Contains(read, s.Name))
		}
	}
	for _, a := range all {
		tasks := 0
		for _, topic := range a.Reads {
			if strings.HasPrefix(topic, "dsar.tasks.") {
				tasks++
			}
		}
		if tasks > 1 {
			t.Errorf("%s reads the tasks of %d systems", a.User, tasks)
		}
	}
}
