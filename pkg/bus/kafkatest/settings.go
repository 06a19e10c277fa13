package kafkatest

import (
	"fmt"
	"strings"
)

// Protocol is how a listener is spoken to.
type Protocol string

// The protocols. Those beside Plaintext are there with Secure.
const (
	Plaintext   Protocol = "PLAINTEXT"
	TLS         Protocol = "SSL"
	SASL        Protocol = "SASL_PLAINTEXT"
	SASLOverTLS Protocol = "SASL_SSL"
)

// User and Password sign in to the listeners with SASL.
const (
	User     = "habeas"
	Password = "open sesame"
)

// settings are what a broker is started with.
type settings struct {
	own, secure bool
	properties  []string
}

func (s settings) protocols() []Protocol {
	if s.secure {
		return []Protocol{Plaintext, TLS, SASL, SASLOverTLS}
	}
	return []Protocol{Plaintext}
}

// common is for one node that is its own controller, in little memory. Nothing
// is created unasked, as on a cluster that is looked after.
const common = `process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=4194304
`

// serverProperties returns the broker's configuration file.
func (s settings) serverProperties(dir string, ports map[Protocol]int, controller int) string {
	var b strings.Builder
	b.WriteString(common)
	fmt.Fprintf(&b, "log.dirs=%s/data\n", dir)
	fmt.Fprintf(&b, "controller.quorum.voters=1@127.0.0.1:%d\n", controller)
	listeners, protocols := fmt.Sprintf("CONTROLLER://127.0.0.1:%d", controller), "CONTROLLER:PLAINTEXT"
	for _, p := range s.protocols() {
		listeners += fmt.Sprintf(",%s://127.0.0.1:%d", p, ports[p])
		protocols += fmt.Sprintf(",%s:%s", p, p)
	}
	fmt.Fprintf(&b, "listeners=%s\nlistener.security.protocol.map=%s\n", listeners, protocols)
	if s.secure {
		// The certificate signs itself: the broker exits unless it trusts it.
		fmt.Fprintf(&b, "ssl.keystore.type=PEM\nssl.keystore.location=%[1]s/server.pem\nssl.truststore.type=PEM\nssl.truststore.location=%[1]s/ca.pem\n", dir)
		b.WriteString("sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n")
		for _, p := range []Protocol{SASL, SASLOverTLS} {
			prefix := "listener.name." + strings.ToLower(string(p))
			fmt.Fprintf(&b, "%s.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%s=\"%s\";\n", prefix, User, Password)
			for _, bits := range []string{"256", "512"} {
				fmt.Fprintf(&b, "%s.scram-sha-%s.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n", prefix, bits)
			}
		}
	}
	for _, line := range s.properties {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// scram returns the arguments by which the data folder gets its user.
func (s settings) scram() []string {
	if !s.secure {
		return nil
	}
	var args []string
	for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, User, Password))
	}
	return args
}
