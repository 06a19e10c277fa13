package topics

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/bus"
	"habeas.dev/schemas"
)

// Deviation is what an installation has otherwise than the document says. The zero
// value is the document.
type Deviation struct {
	// Replication is how many replicas each topic has; 0: as the document says.
	Replication int `yaml:"replication"`
	// Partitions is how many partitions a topic has, by the topic's name, for
	// those that were given more.
	Partitions map[string]int `yaml:"partitions"`
}

// Check returns an error for values that no cluster can have.
func (d Deviation) Check() error {
	if d.Replication < 0 {
		return fmt.Errorf("topics.replication is %d; at least 1", d.Replication)
	}
	for topic, n := range d.Partitions {
		if n < 1 {
			return fmt.Errorf("topics.partitions of %s is %d; at least 1", topic, n)
		}
	}
	return nil
}

// document is the part of the AsyncAPI document that is used here.
type document struct {
	Channels map[string]struct {
		Address  string
		Bindings struct{ Kafka *binding }
	}
}

// binding is AsyncAPI's Kafka channel binding.
type binding struct {
	Topic              string
	Partitions         int
	Replicas           int
	TopicConfiguration map[string]yaml.Node `yaml:"topicConfiguration"`
}

// system is the document's placeholder for a system's name.
const system = "{system}"

// minInSync is the setting that is lowered where there are fewer replicas than the
// document asks for.
const minInSync = "min.insync.replicas"

// Wanted returns the topics of the document, in order of name: those for one
// system's tasks once for each of systems.
func Wanted(systems []string, d Deviation) ([]bus.TopicSpec, error) {
	text, err := schemas.AsyncAPI()
	if err != nil {
		return nil, err
	}
	specs, err := read(text, systems, d)
	if err != nil {
		return nil, fmt.Errorf("asyncapi.yaml: %w", err)
	}
	for _, topic := range slices.Sorted(maps.Keys(d.Partitions)) {
		if !slices.ContainsFunc(specs, func(s bus.TopicSpec) bool { return s.Name == topic }) {
			return nil, fmt.Errorf("topics.partitions names %s, which isn't among the topics here", topic)
		}
	}
	return specs, nil
}

func read(text []byte, systems []string, d Deviation) ([]bus.TopicSpec, error) {
	var doc document
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Channels) == 0 {
		return nil, errors.New("it has no channels")
	}
	var specs []bus.TopicSpec
	for name, channel := range doc.Channels {
		b := channel.Bindings.Kafka
		if b == nil || b.Topic != channel.Address || b.Partitions < 1 || b.Replicas < 1 {
			return nil, fmt.Errorf("channel %s: want a Kafka binding with partitions, replicas, and the address as its topic", name)
		}
		names := []string{b.Topic}
		if strings.Contains(b.Topic, system) {
			names = names[:0]
			for _, s := range systems {
				names = append(names, strings.ReplaceAll(b.Topic, system, s))
			}
		}
		for _, topic := range names {
			spec, err := b.spec(topic, d)
			if err != nil {
				return nil, fmt.Errorf("channel %s: %w", name, err)
			}
			specs = append(specs, spec)
		}
	}
	slices.SortFunc(specs, func(a, b bus.TopicSpec) int { return strings.Compare(a.Name, b.Name) })
	return specs, nil
}

// spec returns the binding's topic under a name.
func (b *binding) spec(topic string, d Deviation) (bus.TopicSpec, error) {
	s := bus.TopicSpec{Name: topic, Partitions: b.Partitions, Replicas: b.Replicas, Config: make(map[string]string, len(b.TopicConfiguration))}
	if n := d.Partitions[topic]; n > 0 {
		s.Partitions = n
	}
	if d.Replication > 0 {
		s.Replicas = d.Replication
	}
	for name, node := range b.TopicConfiguration {
		value, err := setting(node)
		if err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
		s.Config[name] = value
	}
	// As many must have a record as leaves one broker free to be down; where
	// there are too few replicas for that, one.
	if n, err := strconv.Atoi(s.Config[minInSync]); err == nil && n >= s.Replicas {
		s.Config[minInSync] = strconv.Itoa(max(1, s.Replicas-1))
	}
	return s, nil
}

// setting returns a setting's value as Kafka writes it: the words of a list with
// commas between them.
func setting(node yaml.Node) (string, error) {
	switch node.Kind {
	case yaml.ScalarNode:
		return node.Value, nil
	case yaml.SequenceNode:
		var words []string
		if err := node.Decode(&words); err != nil {
			return "", err
		}
		return sorted(strings.Join(words, ",")), nil
	default:
		return "", errors.New("it is neither a value nor a list of values")
	}
}
