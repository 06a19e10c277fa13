package broker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/segmentio/kafka-go"
)

// clampOffsets moves every group's committed offset that lies beyond the end
// of its log back to the end. That comes of a crash of the operating system,
// where the commits' file kept more than the log's; left so, the group would
// skip as many records as were lost. It MUST run before anyone can publish,
// or the end isn't where the crash left it.
func clampOffsets(ctx context.Context, client *kafka.Client, log *slog.Logger) error {
	ends, partitions, err := logEnds(ctx, client)
	if err != nil || len(ends) == 0 {
		return err
	}
	groups, err := client.ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err == nil {
		err = groups.Error
	}
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	for _, g := range groups.Groups {
		has, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: g.GroupID, Topics: partitions})
		if err == nil {
			err = has.Error
		}
		if err != nil {
			return fmt.Errorf("offsets of group %s: %w", g.GroupID, err)
		}
		beyond := make(map[string][]kafka.OffsetCommit)
		for topic, parts := range has.Topics {
			for _, p := range parts {
				if end := ends[topic][p.Partition]; p.CommittedOffset > end {
					log.Warn("broker: committed offset lies beyond the log's end, moved back", "group", g.GroupID, "topic", topic, "partition", p.Partition, "offset", p.CommittedOffset, "end", end)
					beyond[topic] = append(beyond[topic], kafka.OffsetCommit{Partition: p.Partition, Offset: end})
				}
			}
		}
		if len(beyond) == 0 {
			continue
		}
		res, err := client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: g.GroupID, GenerationID: -1, Topics: beyond})
		if err != nil {
			return fmt.Errorf("move offsets of group %s: %w", g.GroupID, err)
		}
		for topic, parts := range res.Topics {
			for _, p := range parts {
				if p.Error != nil {
					return fmt.Errorf("move offset of group %s, %s[%d]: %w", g.GroupID, topic, p.Partition, p.Error)
				}
			}
		}
	}
	return nil
}

// logEnds returns the end of every partition of every topic.
func logEnds(ctx context.Context, client *kafka.Client) (ends map[string]map[int]int64, partitions map[string][]int, err error) {
	meta, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, nil, fmt.Errorf("list topics: %w", err)
	}
	ask := make(map[string][]kafka.OffsetRequest)
	partitions = make(map[string][]int)
	for _, t := range meta.Topics {
		for _, p := range t.Partitions {
			ask[t.Name] = append(ask[t.Name], kafka.LastOffsetOf(p.ID))
			partitions[t.Name] = append(partitions[t.Name], p.ID)
		}
	}
	ends = make(map[string]map[int]int64)
	if len(ask) == 0 {
		return ends, partitions, nil
	}
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: ask})
	if err != nil {
		return nil, nil, fmt.Errorf("list offsets: %w", err)
	}
	for topic, parts := range res.Topics {
		ends[topic] = make(map[int]int64, len(parts))
		for _, p := range parts {
			if p.Error != nil {
				return nil, nil, fmt.Errorf("end of %s[%d]: %w", topic, p.Partition, p.Error)
			}
			ends[topic][p.Partition] = p.LastOffset
		}
	}
	return ends, partitions, nil
}
