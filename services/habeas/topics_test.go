package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
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
		cmd := command(t.Context(), append(append([]string{"topics"}, args...), "--config", file)...)
		out, err := cmd.CombinedOutput()
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != want {
			t.Errorf("%v: status %d, want %d: %s", args, code, want, out)
		}
		return string(out)
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

// TestTopicsAreCheckedAtTheStart: each service sees those that it uses, names
// what differs, waits for what is missing, and makes none.
func TestTopicsAreCheckedAtTheStart(t *testing.T) {
	t.Parallel()
	b, err := broker.Start(t.Context(), broker.Config{Dir: filepath.Join(t.TempDir(), "kafka")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	c := bus.Config{Brokers: []string{b.Addr()}}
	want, err := topics.Wanted([]string{"aggregator", "billing", "account"}, topics.Deviation{Replication: 1})
	if err != nil {
		t.Fatal(err)
	}
	billing := roles{worker: func(system string) bool { return system == "billing" }}
	for name, one := range map[string]struct {
		roles  roles
		topics string
	}{
		"intake":      {roles{intake: true}, "dsar.rejected dsar.requests"},
		"coordinator": {roles{coordinator: true}, "dsar.events dsar.rejected dsar.reports dsar.requests dsar.tasks.account dsar.tasks.aggregator dsar.tasks.billing"},
		"aggregator":  {roles{aggregator: true}, "dsar.rejected dsar.reports dsar.tasks.aggregator"},
		"worker":      {billing, "dsar.rejected dsar.reports dsar.tasks.billing"},
	} {
		var names []string
		for _, s := range one.roles.reaches(want) {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != one.topics {
			t.Errorf("%s reaches %s, want %s", name, got, one.topics)
		}
	}

	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	checked, mine := make(chan error, 1), billing.reaches(want)
	go func() { checked <- checkTopics(t.Context(), c, mine, logger) }()
	// As somebody made them by hand.
	applyTopics(t, config.Config{Kafka: bus.Files{Brokers: c.Brokers}, Topics: topics.Deviation{Partitions: map[string]int{"dsar.tasks.billing": 3}},
		Systems: map[string]config.System{"account": {}, "billing": {}}})
	if err := <-checked; err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"topic":"dsar.tasks.billing"`, `"setting":"partitions"`, `"want":"6"`, `"has":"3"`, `--partitions 6`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("nothing of %s in %s", part, log.String())
		}
	}
}

// applyTopics is habeas topics apply on a cluster of one broker, for tests that
// start services by themselves: they make no topics.
func applyTopics(t testing.TB, cfg config.Config) {
	t.Helper()
	c, err := cfg.Kafka.Config()
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := loadManifests(cfg)
	if err != nil {
		t.Fatal(err)
	}
	deviation := cfg.Topics
	deviation.Replication = 1
	want, err := topics.Wanted(taskTopics(manifests), deviation)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topics.Apply(t.Context(), c, want, false); err != nil {
		t.Fatal(err)
	}
}
