package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// dryRunTime bounds how long brokers may take for a dry run, which takes as long.
const dryRunTime = 3 * time.Second

// TopicSpec is how a topic should be.
type TopicSpec struct {
	Name       string
	Partitions int // at least 1
	// Replicas is the replication factor; 0 means the broker's default.
	Replicas int
	// Config are topic settings (retention.ms, …) for one that is created.
	Config map[string]string
}

// TopicMismatch is a topic that exists with another number of partitions than asked
// for. It is never altered: that would move keys to other partitions.
type TopicMismatch struct {
	Topic     string
	Want, Has int
}

func (m TopicMismatch) String() string {
	return fmt.Sprintf("topic %s has %d partitions, not %d", m.Topic, m.Has, m.Want)
}

// MismatchError lists the topics that exist and differ from their specification.
// Everything else was created.
type MismatchError struct{ Topics []TopicMismatch }

func (e *MismatchError) Error() string {
	parts := make([]string, len(e.Topics))
	for i, m := range e.Topics {
		parts[i] = m.String()
	}
	return "bus: " + strings.Join(parts, "; ") + "; left as they are"
}

// EnsureTopics creates the topics that are missing and leaves all others as
// they are. Those with another number of partitions come back in a
// *MismatchError; a caller may go on in spite of it.
func EnsureTopics(ctx context.Context, c Config, topics []TopicSpec) error {
	has, err := countTopics(ctx, c)
	if err != nil {
		return err
	}
	var missing []kafka.TopicConfig
	var differ []TopicMismatch
	for _, t := range topics {
		if err := t.check(); err != nil {
			return err
		}
		n, ok := has[t.Name]
		switch {
		case !ok:
			missing = append(missing, topicConfig(t))
		case n != t.Partitions:
			differ = append(differ, TopicMismatch{Topic: t.Name, Want: t.Partitions, Has: n})
		}
	}
	if len(missing) > 0 {
		if err := createTopics(ctx, c, missing, false); err != nil {
			return err
		}
	}
	if len(differ) > 0 {
		return &MismatchError{Topics: differ}
	}
	return nil
}

// CreateTopics creates topics; one that exists already is left as it is. A dry run
// has the brokers check whether they would, and changes nothing.
func CreateTopics(ctx context.Context, c Config, topics []TopicSpec, dryRun bool) error {
	configs := make([]kafka.TopicConfig, len(topics))
	for i, t := range topics {
		if err := t.check(); err != nil {
			return err
		}
		configs[i] = topicConfig(t)
	}
	return createTopics(ctx, c, configs, dryRun)
}

func (t TopicSpec) check() error {
	if t.Name == "" || t.Partitions < 1 {
		return fmt.Errorf("bus: topic %q: want a name and at least 1 partition, have %d", t.Name, t.Partitions)
	}
	return nil
}

// Ping checks that the brokers can be reached and accept the sign-in. The error is
// one line and names what can be the cause.
func Ping(ctx context.Context, c Config) error {
	_, err := countTopics(ctx, c)
	return err
}

func topicConfig(t TopicSpec) kafka.TopicConfig {
	replicas := cmp.Or(t.Replicas, -1)
	tc := kafka.TopicConfig{Topic: t.Name, NumPartitions: t.Partitions, ReplicationFactor: replicas}
	for k, v := range t.Config {
		tc.ConfigEntries = append(tc.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
	}
	slices.SortFunc(tc.ConfigEntries, func(a, b kafka.ConfigEntry) int { return cmp.Compare(a.ConfigName, b.ConfigName) })
	return tc
}

// admin returns a client for a few administrative requests; done releases its
// connections.
func (c Config) admin() (client *kafka.Client, done func(), err error) {
	if err := c.validate(); err != nil {
		return nil, nil, err
	}
	t, err := c.Transport()
	if err != nil {
		return nil, nil, err
	}
	return &kafka.Client{Addr: c.addr(), Transport: t, Timeout: 2 * dialTimeout}, t.CloseIdleConnections, nil
}

func countTopics(ctx context.Context, c Config) (map[string]int, error) {
	client, done, err := c.admin()
	if err != nil {
		return nil, err
	}
	defer done()
	res, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, explain(c.Brokers, err)
	}
	has := make(map[string]int, len(res.Topics))
	for _, t := range res.Topics {
		if t.Error == nil {
			has[t.Name] = len(t.Partitions)
		}
	}
	return has, nil
}

func createTopics(ctx context.Context, c Config, topics []kafka.TopicConfig, dryRun bool) error {
	client, done, err := c.admin()
	if err != nil {
		return err
	}
	defer done()
	if dryRun {
		// The client waits for the topics to appear, as long as it may, and
		// these never do.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, dryRunTime)
		defer cancel()
	}
	res, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: topics, ValidateOnly: dryRun})
	if err != nil {
		return explain(c.Brokers, err)
	}
	var errs []error
	for _, t := range topics {
		// Another process may create it at the same time.
		if err := res.Errors[t.Topic]; err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			errs = append(errs, explain(c.Brokers, fmt.Errorf("create topic %s: %w", t.Topic, err)))
		}
	}
	return errors.Join(errs...)
}
