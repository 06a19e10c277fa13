package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/segmentio/kafka-go"
)

// Lag returns how many messages of a topic a consumer group has yet to do, as the
// brokers know it: from what the group has committed, or from the topic's beginning
// where it has committed nothing, to the end. It needs the ACLs Describe on the
// topic and on the group. Where a leader is just being elected, as after a topic
// was made or a broker stopped, it asks again for up to 3 s.
func Lag(ctx context.Context, c Config, group, topic string) (int64, error) {
	again := backoff.NewExponentialBackOff(backoff.WithInitialInterval(20*time.Millisecond), backoff.WithMaxElapsedTime(3*time.Second))
	return backoff.RetryWithData(func() (int64, error) {
		lag, err := lagNow(ctx, c, group, topic)
		if code := kafka.Error(0); errors.As(err, &code) && passing(code) {
			return 0, err
		}
		if err != nil {
			return 0, backoff.Permanent(err)
		}
		return lag, nil
	}, backoff.WithContext(again, ctx))
}

func lagNow(ctx context.Context, c Config, group, topic string) (int64, error) {
	client, done, err := c.admin()
	if err != nil {
		return 0, err
	}
	defer done()
	states, err := DescribeTopics(ctx, c, []string{topic}, nil)
	if err != nil {
		return 0, err
	}
	partitions := make([]int, states[topic].Partitions)
	ends := make([]kafka.OffsetRequest, 0, 2*len(partitions))
	for p := range partitions {
		partitions[p] = p
		ends = append(ends, kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p))
	}
	if len(partitions) == 0 {
		return 0, fmt.Errorf("bus: topic %s isn't there", topic)
	}
	offsets, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ends}})
	if err != nil {
		return 0, explain(c.Brokers, err)
	}
	committed, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: partitions}})
	if err == nil {
		err = committed.Error
	}
	if err != nil && !errors.Is(err, kafka.GroupIdNotFound) { // a group that never was has committed nothing
		return 0, explain(c.Brokers, err)
	}
	if committed == nil {
		committed = &kafka.OffsetFetchResponse{}
	}
	at := make(map[int]int64, len(partitions))
	for _, p := range committed.Topics[topic] {
		if p.Error != nil {
			return 0, explain(c.Brokers, p.Error)
		}
		at[p.Partition] = p.CommittedOffset
	}
	var lag int64
	for _, p := range offsets.Topics[topic] {
		if p.Error != nil {
			return 0, explain(c.Brokers, p.Error)
		}
		from, ok := at[p.Partition]
		if !ok || from < p.FirstOffset { // none yet, or behind what is kept
			from = p.FirstOffset
		}
		lag += max(0, p.LastOffset-from)
	}
	return lag, nil
}
