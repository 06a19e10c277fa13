package node

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/topics"
)

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
	billing := Roles{Worker: func(system string) bool { return system == "billing" }}
	for name, one := range map[string]struct {
		roles  Roles
		topics string
	}{
		"intake":      {Roles{Intake: true}, "dsar.rejected dsar.requests"},
		"coordinator": {Roles{Coordinator: true}, "dsar.events dsar.rejected dsar.reports dsar.tasks.account dsar.tasks.aggregator dsar.tasks.billing"},
		"aggregator":  {Roles{Aggregator: true}, "dsar.rejected dsar.reports dsar.tasks.aggregator"},
		"letters":     {Roles{Letters: true}, "dsar.events"},
		"console":     {Roles{Console: true}, ""},
		"worker":      {billing, "dsar.rejected dsar.reports dsar.tasks.billing"},
	} {
		var names []string
		for _, s := range one.roles.topics(want, []string{"billing", "account"}) {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != one.topics {
			t.Errorf("%s reaches %s, want %s", name, got, one.topics)
		}
	}

	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	checked, mine := make(chan error, 1), billing.topics(want, []string{"billing", "account"})
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
	manifests, err := Manifests(cfg)
	if err != nil {
		t.Fatal(err)
	}
	deviation := cfg.Topics
	deviation.Replication = 1
	want, err := Topics(manifests, deviation)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topics.Apply(t.Context(), c, want, false); err != nil {
		t.Fatal(err)
	}
}
