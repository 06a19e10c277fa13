package bus_test

import (
	"maps"
	"testing"

	"habeas.dev/pkg/bus"
)

func TestTopicsAreDescribed(t *testing.T) {
	t.Parallel()
	r := newRig(t, brokers(t), 0)
	spec := bus.TopicSpec{Name: r.topic, Partitions: 3, Replicas: 1, Config: map[string]string{"retention.ms": "86400000", "cleanup.policy": "compact,delete"}}
	settings := []string{"retention.ms", "cleanup.policy", "max.message.bytes"}
	look := func() map[string]bus.TopicState {
		t.Helper()
		states, err := bus.DescribeTopics(t.Context(), r.config, []string{r.topic, r.topic + "-missing"}, settings)
		if err != nil {
			t.Fatal(err)
		}
		return states
	}
	if err := bus.CreateTopics(t.Context(), r.config, []bus.TopicSpec{spec}, true); err != nil {
		t.Fatal(err)
	}
	if got := look(); len(got) != 0 {
		t.Fatalf("a dry run, or looking, made %v", got)
	}
	for range 2 { // twice is allowed
		if err := bus.CreateTopics(t.Context(), r.config, []bus.TopicSpec{spec}, false); err != nil {
			t.Fatal(err)
		}
	}
	r.until("the topic is known", func() bool { return len(look()) == 1 })
	got := look()[r.topic]
	if got.Partitions != 3 || got.Replicas != 1 {
		t.Errorf("%+v", got)
	}
	want := map[string]string{"retention.ms": "86400000", "cleanup.policy": "compact,delete", "max.message.bytes": "1048588"}
	if !maps.Equal(got.Config, want) {
		t.Errorf("settings %v, want %v", got.Config, want)
	}
	if err := bus.CreateTopics(t.Context(), r.config, []bus.TopicSpec{{Name: r.topic + "-wide", Partitions: 1, Replicas: 9}}, true); err == nil {
		t.Error("a dry run finds nothing wrong with 9 replicas on one broker")
	}
}
