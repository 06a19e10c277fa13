package topics

import (
	"fmt"
	"strings"

	"habeas.dev/pkg/bus"
)

// cures returns the commands of Apache Kafka's own tools that make a topic as the
// document has it.
type cures struct{ brokers string }

func newCures(c bus.Config) cures {
	brokers := "--bootstrap-server " + strings.Join(c.Brokers, ",")
	if c.TLS != nil || c.SASL.Mechanism != "" {
		brokers += " --command-config client.properties"
	}
	return cures{brokers}
}

func (c cures) partitions(topic string, want, has int) string {
	if has > want {
		// Kafka takes none away.
		return fmt.Sprintf("say so in the configuration: topics: {partitions: {%s: %d}}", topic, has)
	}
	return fmt.Sprintf("kafka-topics.sh %s --alter --topic %s --partitions %d", c.brokers, topic, want)
}

func (c cures) replicas(topic string, has int) string {
	return fmt.Sprintf("kafka-reassign-partitions.sh %s --execute --reassignment-json-file FILE (a plan for %s), or say so in the configuration: topics: {replication: %d}", c.brokers, topic, has)
}

func (c cures) setting(topic, setting, want string) string {
	if strings.Contains(want, ",") {
		want = "[" + want + "]"
	}
	return fmt.Sprintf("kafka-configs.sh %s --alter --entity-type topics --entity-name %s --add-config %s=%s", c.brokers, topic, setting, want)
}
