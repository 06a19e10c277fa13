package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// Scanned is a record of a topic that is read without a group.
type Scanned struct {
	Partition int
	Offset    int64
	Key       string
	Headers   map[string]string
	Value     []byte // nil: a tombstone
}

// Scan calls f with every record that a topic has from a time on (the zero time: all of
// them) up to its end as it is when Scan begins: one partition after the other, each in its
// order. It belongs to no group and commits nothing; it needs the ACL Read on the topic. An
// error of f ends it. A topic that isn't there has none.
func Scan(ctx context.Context, c Config, topic string, since time.Time, f func(Scanned) error) error {
	client, done, err := c.admin()
	if err != nil {
		return err
	}
	defer done()
	states, err := DescribeTopics(ctx, c, []string{topic}, nil)
	if err != nil {
		return err
	}
	for p := range states[topic].Partitions {
		from, end, err := bounds(ctx, client, topic, p, since)
		if err == nil {
			err = scanPartition(ctx, client, topic, p, from, end, f)
		}
		if code := kafka.Error(0); errors.As(err, &code) {
			return explain(c.Brokers, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bounds returns the offsets between which a partition is read.
func bounds(ctx context.Context, client *kafka.Client, topic string, partition int, since time.Time) (from, end int64, err error) {
	log, err := offsets(ctx, client, topic, partition, kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition))
	if err != nil || since.IsZero() {
		return log.FirstOffset, log.LastOffset, err
	}
	at, err := offsets(ctx, client, topic, partition, kafka.TimeOffsetOf(partition, since))
	if err != nil {
		return 0, 0, err
	}
	for offset := range at.Offsets {
		if offset >= 0 {
			return max(log.FirstOffset, offset), log.LastOffset, nil
		}
	}
	return log.LastOffset, log.LastOffset, nil // nothing is as new
}

// offsets asks for offsets of one partition.
func offsets(ctx context.Context, client *kafka.Client, topic string, partition int, ask ...kafka.OffsetRequest) (got kafka.PartitionOffsets, err error) {
	err = whilePassing(ctx, func() error {
		got, err = offsetsOnce(ctx, client, topic, partition, ask)
		return err
	})
	return got, err
}

func offsetsOnce(ctx context.Context, client *kafka.Client, topic string, partition int, ask []kafka.OffsetRequest) (kafka.PartitionOffsets, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ask}})
	switch {
	case err != nil:
		return kafka.PartitionOffsets{}, fmt.Errorf("offsets of %s[%d]: %w", topic, partition, err)
	case len(res.Topics[topic]) != 1:
		return kafka.PartitionOffsets{}, fmt.Errorf("offsets of %s[%d]: the broker's answer leaves it out", topic, partition)
	}
	return res.Topics[topic][0], res.Topics[topic][0].Error
}

// scanPartition reads a partition from an offset on, up to another.
func scanPartition(ctx context.Context, client *kafka.Client, topic string, partition int, from, end int64, f func(Scanned) error) error {
	for from < end {
		recs, next, err := fetchOnce(ctx, client, topic, partition, from)
		if err != nil {
			return fmt.Errorf("records of %s[%d]: %w", topic, partition, err)
		}
		for _, r := range recs {
			if r.offset >= end {
				return nil
			}
			s := Scanned{Partition: partition, Offset: r.offset, Key: r.key, Value: r.value, Headers: make(map[string]string, len(r.headers))}
			for _, h := range r.headers {
				s.Headers[h.Key] = string(h.Value)
			}
			if err := f(s); err != nil {
				return err
			}
		}
		from = next
	}
	return nil
}

// fetchOnce fetches records of one partition, and the offset to go on at.
func fetchOnce(ctx context.Context, client *kafka.Client, topic string, partition int, from int64) (recs []*record, next int64, err error) {
	err = whilePassing(ctx, func() error {
		recs, next, err = fetchFrom(ctx, client, topic, partition, from)
		if err == nil && next == from {
			err = errNothingCame
		}
		return err
	})
	return recs, next, err
}

// whilePassing asks again while the error is one that passes, as while a partition's leader
// is elected; [fetchTimeout] long at most.
func whilePassing(ctx context.Context, ask func() error) error {
	wait := fetchRetryMin
	for deadline := time.Now().Add(fetchTimeout); ; wait = min(2*wait, fetchRetryMax) {
		err := ask()
		if err == nil || !temporary(err) || time.Now().After(deadline) || !pause(ctx, wait) {
			return err
		}
	}
}

var errNothingCame = errors.New("the broker has records there and sends none")

func fetchFrom(ctx context.Context, client *kafka.Client, topic string, partition int, from int64) (recs []*record, next int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	m, err := client.Transport.RoundTrip(ctx, client.Addr, &fetch.Request{
		ReplicaID: -1, MaxWaitTime: int32(fetchWaitFull / time.Millisecond), MinBytes: 1, MaxBytes: fetchBytes,
		IsolationLevel: int8(kafka.ReadCommitted), SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{Topic: topic, Partitions: []fetch.RequestPartition{{
			Partition: int32(partition), CurrentLeaderEpoch: -1, LogStartOffset: -1, FetchOffset: from, PartitionMaxBytes: partitionFetchBytes,
		}}}},
	})
	if err != nil {
		return nil, from, err
	}
	res := m.(*fetch.Response)
	if res.ErrorCode != 0 {
		return nil, from, kafka.Error(res.ErrorCode)
	}
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		return nil, from, errors.New("the broker's answer leaves it out")
	}
	p := &res.Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		return nil, from, kafka.Error(p.ErrorCode)
	}
	return decodeRecords(p, from)
}
