package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// TopicState is a topic as the cluster has it.
type TopicState struct {
	Partitions int
	Replicas   int // the fewest of any partition
	// Config are the settings that were asked for, defaults of the broker among
	// them. Nil where this user may not see them.
	Config map[string]string
}

// DescribeTopics returns the state of the named topics, with the named settings. A
// topic that doesn't exist isn't in the answer, and isn't made by asking. Of one
// whose settings this user may not see (the ACL DescribeConfigs) the answer holds
// the rest.
func DescribeTopics(ctx context.Context, c Config, names, settings []string) (map[string]TopicState, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	transport, err := c.Transport()
	if err != nil {
		return nil, err
	}
	defer transport.CloseIdleConnections()
	// By name, a topic that may not be seen is an error; among all, it would
	// just not be there.
	transport.MetadataTopics = names
	client := &kafka.Client{Addr: c.addr(), Transport: transport, Timeout: 2 * dialTimeout}
	res, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return nil, explain(c.Brokers, err)
	}
	states := make(map[string]TopicState, len(names))
	for _, t := range res.Topics {
		switch {
		case errors.Is(t.Error, kafka.UnknownTopicOrPartition):
			continue
		case t.Error != nil && !errors.Is(t.Error, kafka.LeaderNotAvailable): // one that was just made has none yet
			return nil, explain(c.Brokers, fmt.Errorf("topic %s: %w", t.Name, t.Error))
		}
		states[t.Name] = TopicState{Partitions: len(t.Partitions), Replicas: fewestReplicas(t.Partitions)}
	}
	if len(states) == 0 || len(settings) == 0 {
		return states, nil
	}
	return states, describeConfigs(ctx, c, client, states, settings)
}

func fewestReplicas(partitions []kafka.Partition) int {
	fewest := 0
	for i, p := range partitions {
		if i == 0 || len(p.Replicas) < fewest {
			fewest = len(p.Replicas)
		}
	}
	return fewest
}

// describeConfigs adds the settings to states.
func describeConfigs(ctx context.Context, c Config, client *kafka.Client, states map[string]TopicState, settings []string) error {
	req := &kafka.DescribeConfigsRequest{}
	for name := range states {
		req.Resources = append(req.Resources, kafka.DescribeConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: name, ConfigNames: settings})
	}
	res, err := client.DescribeConfigs(ctx, req)
	if err != nil {
		return explain(c.Brokers, err)
	}
	for _, r := range res.Resources {
		state, asked := states[r.ResourceName]
		switch {
		case !asked, errors.Is(r.Error, kafka.TopicAuthorizationFailed):
			continue
		case errors.Is(r.Error, kafka.UnknownTopicOrPartition): // deleted since
			delete(states, r.ResourceName)
			continue
		case r.Error != nil:
			return explain(c.Brokers, fmt.Errorf("settings of topic %s: %w", r.ResourceName, r.Error))
		}
		state.Config = make(map[string]string, len(r.ConfigEntries))
		for _, e := range r.ConfigEntries {
			state.Config[e.ConfigName] = e.ConfigValue
		}
		states[r.ResourceName] = state
	}
	return nil
}
