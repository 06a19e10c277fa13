package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"

	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/topics"
)

// TestTopicsCommands goes an operator's way: check, try, apply, check; and then
// finds what somebody has changed.
func TestTopicsCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := broker.Start(t.Context(), broker.Config{Dir: filepath.Join(dir, "kafka")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	file := filepath.Join(dir, config.File)
	if err := os.WriteFile(file, []byte("kafka: {brokers: ['"+b.Addr()+"']}\nsystems: {billing: {dsn: 'sqlite:///none'}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	say := func(want int, args ...string) string {
		t.Helper()
		status, out := says(t, append(append([]string{"topics"}, args...), "--config", file)...)
		if status != want {
			t.Errorf("%v: status %d, want %d: %s", args, status, want, out)
		}
		return out
	}
	holds := func(text string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(text, p) {
				t.Errorf("nothing of %q in:\n%s", p, text)
			}
		}
	}
	holds(say(1, "check"), "dsar.tasks.billing", "missing", "cure: habeas topics apply")
	holds(say(1, "apply"), "--replication") // the document asks for three brokers
	holds(say(0, "apply", "--replication", "1", "--dry-run"), "would create")
	holds(say(0, "apply", "--replication", "1"), "dsar.tasks.aggregator", "created")
	holds(say(0, "check", "--replication", "1"), "ok")
	holds(say(0, "check", "--help"), "Exit status", "--json")
	holds(say(0, "apply", "--help"), "--dry-run", "never altered")

	client := &kafka.Client{Addr: kafka.TCP(b.Addr())}
	if res, err := client.CreatePartitions(t.Context(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: "dsar.reports", Count: 9}}}); err != nil || res.Errors["dsar.reports"] != nil {
		t.Fatal(err, res)
	}
	holds(say(1, "check", "--replication", "1"), "dsar.reports: partitions is 9, should be 6", "cure: say so in the configuration: topics: {partitions: {dsar.reports: 9}}")
	found := map[string]topics.Finding{}
	lines := json.NewDecoder(strings.NewReader(say(1, "check", "--replication", "1", "--json")))
	for lines.More() {
		var f topics.Finding
		if err := lines.Decode(&f); err != nil {
			t.Fatal(err)
		}
		found[f.Topic] = f
	}
	if f := found["dsar.reports"]; len(found) != 6 || f.State != topics.Differs || len(f.Differences) != 1 || f.Differences[0].Has != "9" {
		t.Errorf("%+v", found)
	}
}
