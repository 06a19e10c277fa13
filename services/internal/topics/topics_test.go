package topics_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/internal/topics"
)

func systems() []string { return []string{"aggregator", "billing"} }

func wanted(t *testing.T, d topics.Deviation) []bus.TopicSpec {
	t.Helper()
	want, err := topics.Wanted(systems(), d)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// TestWantedIsTheDocument pins what the document says, as its readers see it.
func TestWantedIsTheDocument(t *testing.T) {
	t.Parallel()
	want := wanted(t, topics.Deviation{})
	var names []string
	for _, s := range want {
		names = append(names, s.Name)
		partitions := 6
		if s.Name == "dsar.rejected" {
			partitions = 1
		}
		if s.Partitions != partitions || s.Replicas != 3 || s.Config["min.insync.replicas"] != "2" || s.Config["cleanup.policy"] != "delete" || s.Config["retention.ms"] == "" || s.Config["max.message.bytes"] != "1048588" {
			t.Errorf("%+v", s)
		}
	}
	if list := []string{"dsar.events", "dsar.rejected", "dsar.reports", "dsar.requests", "dsar.tasks.aggregator", "dsar.tasks.billing"}; !slices.Equal(names, list) {
		t.Errorf("%q, want %q", names, list)
	}
}

func TestDeviation(t *testing.T) {
	t.Parallel()
	for replication, inSync := range map[int]string{1: "1", 2: "1", 3: "2", 5: "2"} {
		for _, s := range wanted(t, topics.Deviation{Replication: replication, Partitions: map[string]int{"dsar.tasks.billing": 12}}) {
			if s.Replicas != replication || s.Config["min.insync.replicas"] != inSync || (s.Partitions == 12) != (s.Name == "dsar.tasks.billing") {
				t.Errorf("replication %d: %+v", replication, s)
			}
		}
	}
	if _, err := topics.Wanted(systems(), topics.Deviation{Partitions: map[string]int{"dsar.tasks.biling": 12}}); err == nil || !strings.Contains(err.Error(), "dsar.tasks.biling") {
		t.Errorf("a topic that isn't: %v", err)
	}
}

// brokers returns those of KAFKA_BROKERS, or one in the process.
func brokers(t *testing.T) bus.Config {
	t.Helper()
	if b := os.Getenv("KAFKA_BROKERS"); b != "" {
		return bus.Config{Brokers: strings.Split(b, ",")}
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return bus.Config{Brokers: c.ListenAddrs()}
}

// TestApplyAndCheck goes an operator's way, on one cluster.
func TestApplyAndCheck(t *testing.T) {
	t.Parallel()
	c := brokers(t)
	client := &kafka.Client{Addr: kafka.TCP(c.Brokers...), Timeout: time.Minute}
	want := wanted(t, topics.Deviation{Replication: 1})
	// Only this test's: a real cluster may have had others.
	prefix := "t" + strings.ReplaceAll(time.Now().Format("150405.000000"), ".", "") + "."
	var names []string
	for i := range want {
		want[i].Name = prefix + want[i].Name
		names = append(names, want[i].Name)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteTopics(context.Background(), &kafka.DeleteTopicsRequest{Topics: names})
	})
	states := func(findings []topics.Finding, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, f := range findings {
			all = append(all, string(f.State))
		}
		slices.Sort(all)
		return strings.Join(slices.Compact(all), ",")
	}
	settled := func(want string, look func() string) {
		t.Helper()
		deadline := time.Now().Add(2 * time.Minute) // a busy machine's
		for got := look(); got != want; got = look() {
			if time.Now().After(deadline) {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	}
	check := func() string { return states(topics.Check(t.Context(), c, want)) }
	if got := check(); got != "missing" {
		t.Errorf("before: %s", got)
	}
	if got := states(topics.Apply(t.Context(), c, want, true)); got != "would create" {
		t.Errorf("dry run: %s", got)
	}
	if got := check(); got != "missing" {
		t.Errorf("after a dry run: %s", got)
	}
	if got := states(topics.Apply(t.Context(), c, want, false)); got != "created" {
		t.Errorf("apply: %s", got)
	}
	settled("ok", check)
	if got := states(topics.Apply(t.Context(), c, want, false)); got != "ok" {
		t.Errorf("apply again: %s", got)
	}

	// One topic, as somebody changed it.
	changed := prefix + "dsar.events"
	if res, err := client.CreatePartitions(t.Context(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: changed, Count: 8}}}); err != nil || res.Errors[changed] != nil {
		t.Fatal(err, res)
	}
	if _, err := client.IncrementalAlterConfigs(t.Context(), &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: changed,
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{
			{Name: "retention.ms", Value: "1000", ConfigOperation: kafka.ConfigOperationSet},
			{Name: "cleanup.policy", Value: "compact", ConfigOperation: kafka.ConfigOperationSet},
		},
	}}}); err != nil {
		t.Fatal(err)
	}
	settled("differs,ok", check)
	var bad []topics.Finding
	settled("3", func() string {
		findings, err := topics.Apply(t.Context(), c, want, false) // names it, and leaves it
		if err != nil {
			t.Fatal(err)
		}
		bad = topics.Problems(findings)
		return string(rune('0' + len(bad[0].Differences)))
	})
	at := strings.Join(c.Brokers, ",")
	for i, d := range []topics.Difference{
		{"partitions", "6", "8", "say so in the configuration: topics: {partitions: {" + changed + ": 8}}"},
		{"cleanup.policy", "delete", "compact", "kafka-configs.sh --bootstrap-server " + at + " --alter --entity-type topics --entity-name " + changed + " --add-config cleanup.policy=delete"},
		{"retention.ms", "2592000000", "1000", "kafka-configs.sh --bootstrap-server " + at + " --alter --entity-type topics --entity-name " + changed + " --add-config retention.ms=2592000000"},
	} {
		if bad[0].Topic != changed || bad[0].Differences[i] != d {
			t.Errorf("got %+v\nwant %+v", bad[0].Differences[i], d)
		}
	}

	// Fewer partitions than wanted can be cured; more replicas can't be made up.
	wide := slices.Clone(want)
	for i := range wide {
		wide[i].Partitions, wide[i].Replicas = 7, 2
	}
	findings, err := topics.Check(t.Context(), c, wide)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		got := f.Differences
		if f.Topic != changed && (len(got) < 2 || !strings.Contains(got[0].Cure, "kafka-topics.sh --bootstrap-server "+at+" --alter --topic "+f.Topic+" --partitions 7") || !strings.Contains(got[1].Cure, "topics: {replication: 1}")) {
			t.Errorf("%+v", f)
		}
	}
}

// TestTooFewBrokers: the commonest refusal comes with its cure.
func TestTooFewBrokers(t *testing.T) {
	t.Parallel()
	c := brokers(t)
	want := wanted(t, topics.Deviation{Replication: 9})
	want[0].Name = "t" + strings.ReplaceAll(time.Now().Format("150405.000000"), ".", "") + ".never"
	for _, dryRun := range []bool{true, false} {
		_, err := topics.Apply(t.Context(), c, want[:1], dryRun)
		if err == nil || !strings.Contains(err.Error(), "--replication") || strings.Contains(err.Error(), "\n") {
			t.Errorf("dry run %t: %v", dryRun, err)
		}
	}
}

func TestNoBroker(t *testing.T) {
	t.Parallel()
	c := bus.Config{Brokers: []string{"127.0.0.1:1"}} // a port that no system gives to anybody
	if _, err := topics.Check(t.Context(), c, wanted(t, topics.Deviation{})); err == nil || !strings.Contains(err.Error(), c.Brokers[0]) {
		t.Errorf("got %v, want the address", err)
	}
}
