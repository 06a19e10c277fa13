package kafkatest_test

import (
	"testing"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/bus/kafkatest"
)

// TestBroker: what was there before a stop, and before a kill, is there after.
func TestBroker(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.Own())
	config := bus.Config{Brokers: b.Addrs(kafkatest.Plaintext)}
	if err := bus.EnsureTopics(t.Context(), config, []bus.TopicSpec{{Name: "kept", Partitions: 3, Replicas: 1}}); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(testing.TB){b.Stop, b.Kill} {
		end(t)
		if err := bus.Ping(t.Context(), config); err == nil {
			t.Fatal("still there")
		}
		began := time.Now()
		b.StartAgain(t)
		t.Logf("serves again after %s", time.Since(began).Round(time.Millisecond))
		if err := bus.EnsureTopics(t.Context(), config, []bus.TopicSpec{{Name: "kept", Partitions: 3, Replicas: 1}}); err != nil {
			t.Fatal(err)
		}
	}
}
