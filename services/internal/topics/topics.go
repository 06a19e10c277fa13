// Package topics makes Kafka's topics from the AsyncAPI document, and says where
// those that are there differ from it. Nothing that exists is altered: what more
// partitions or a shorter retention mean is for the people who run the cluster.
package topics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
)

// State says how a topic compares with the document.
type State string

// The states.
const (
	OK      State = "ok"
	Missing State = "missing"
	Created State = "created"
	// WouldCreate is the result of a dry run for a missing topic that the brokers
	// would create.
	WouldCreate State = "would create"
	Differs     State = "differs"
)

// Finding is how one topic compares with the document.
type Finding struct {
	Topic       string       `json:"topic"`
	State       State        `json:"state"`
	Differences []Difference `json:"differences,omitempty"`
	// Unseen says that this user may not see the topic's settings: partitions
	// and replicas alone were compared.
	Unseen bool `json:"settings_unseen,omitempty"`
}

// Difference is one setting that isn't as the document has it.
type Difference struct {
	Setting string `json:"setting"`
	Want    string `json:"want"`
	Has     string `json:"has"`
	Cure    string `json:"cure"` // a command, or what else to do
}

// The settings that aren't among a topic's configuration.
const (
	partitions = "partitions"
	replicas   = "replicas"
)

// Check compares topics with the document, and changes nothing.
func Check(ctx context.Context, c bus.Config, want []bus.TopicSpec) ([]Finding, error) {
	names := make([]string, len(want))
	settings := make(map[string]bool)
	for i, spec := range want {
		names[i] = spec.Name
		for s := range spec.Config {
			settings[s] = true
		}
	}
	has, err := bus.DescribeTopics(ctx, c, names, slices.Sorted(maps.Keys(settings)))
	if err != nil {
		return nil, err
	}
	findings := make([]Finding, len(want))
	for i, spec := range want {
		findings[i] = compare(spec, has, newCures(c))
	}
	return findings, nil
}

// Apply creates the topics that are missing; on a dry run it asks the brokers
// whether they would.
func Apply(ctx context.Context, c bus.Config, want []bus.TopicSpec, dryRun bool) ([]Finding, error) {
	findings, err := Check(ctx, c, want)
	if err != nil {
		return nil, err
	}
	made := Created
	if dryRun {
		made = WouldCreate
	}
	var missing []bus.TopicSpec
	for i := range findings {
		if findings[i].State == Missing {
			missing = append(missing, want[i])
			findings[i].State = made
		}
	}
	if len(missing) == 0 {
		return findings, nil
	}
	if err := bus.CreateTopics(ctx, c, missing, dryRun); err != nil {
		return nil, tooFewBrokers(err)
	}
	return findings, nil
}

// Problems returns the findings that somebody must look at.
func Problems(findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.State != Missing && f.State != Differs })
}

func compare(want bus.TopicSpec, all map[string]bus.TopicState, cure cures) Finding {
	has, ok := all[want.Name]
	if !ok {
		return Finding{Topic: want.Name, State: Missing}
	}
	f := Finding{Topic: want.Name, State: OK, Unseen: has.Config == nil && len(want.Config) > 0}
	if has.Partitions != want.Partitions {
		f.Differences = append(f.Differences, Difference{Setting: partitions, Want: strconv.Itoa(want.Partitions), Has: strconv.Itoa(has.Partitions),
			Cure: cure.partitions(want.Name, want.Partitions, has.Partitions)})
	}
	if has.Replicas != want.Replicas {
		f.Differences = append(f.Differences, Difference{Setting: replicas, Want: strconv.Itoa(want.Replicas), Has: strconv.Itoa(has.Replicas),
			Cure: cure.replicas(want.Name, has.Replicas)})
	}
	for _, setting := range slices.Sorted(maps.Keys(want.Config)) {
		if f.Unseen {
			break
		}
		if w, h := want.Config[setting], sorted(has.Config[setting]); w != h {
			f.Differences = append(f.Differences, Difference{Setting: setting, Want: w, Has: cmp.Or(h, "nothing"), Cure: cure.setting(want.Name, setting, w)})
		}
	}
	if len(f.Differences) > 0 {
		f.State = Differs
	}
	return f
}

// sorted sorts a list's words: brokers return them in the order in which they were
// set.
func sorted(list string) string {
	words := strings.Split(list, ",")
	slices.Sort(words)
	return strings.Join(words, ",")
}

// tooFewBrokers adds to the commonest refusal what to do about it.
func tooFewBrokers(err error) error {
	if errors.Is(err, kafka.InvalidReplicationFactor) {
		return fmt.Errorf("the cluster has fewer brokers than a topic is to have replicas; give --replication N, or topics: {replication: N} in the configuration: %w", err)
	}
	return err
}
