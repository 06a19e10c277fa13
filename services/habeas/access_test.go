package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/sandbox/people"
)

// TestUsersOfTheEmbeddedBroker: in a node that does its work, each component is a user of
// its own, and of all users, topics and groups each may do what the table says, and nothing
// else. Nobody is let in without a password, by another's, or by a mechanism that the broker
// would take an empty one by.
func TestUsersOfTheEmbeddedBroker(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	holdToTable(t, people.Systems(), h.n.As)
	t.Run("signed in as nobody", func(t *testing.T) {
		t.Parallel()
		own := h.n.As(topics.WorkerUser("billing")).SASL
		for what, sasl := range map[string]bus.SASL{
			"without signing in":           {},
			"by another's password":        {Mechanism: own.Mechanism, User: topics.UserCoordinator, Password: own.Password},
			"as a user that there isn't":   {Mechanism: own.Mechanism, User: "somebody", Password: own.Password},
			"by PLAIN and nothing":         {Mechanism: bus.Plain, User: topics.UserCoordinator},
			"by PLAIN and one's own":       {Mechanism: bus.Plain, User: own.User, Password: own.Password},
			"by SCRAM-SHA-512 and nothing": {Mechanism: bus.ScramSHA512, User: topics.UserCoordinator},
		} {
			c := bus.Config{Brokers: h.n.Brokers, SASL: sasl}
			if _, err := as(t, c).Metadata(t.Context(), &kafka.MetadataRequest{}); err == nil {
				t.Errorf("somebody is let in %s", what)
			}
		}
	})
}

// as returns a client that signs in as configured.
func as(t *testing.T, c bus.Config) *kafka.Client {
	t.Helper()
	transport, err := c.Transport()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport, Timeout: 20 * time.Second}
}

// holdToTable has each user of a cluster with these systems try to write and read every topic, by every
// group, and to administer the cluster: what the table says is done, and nothing else.
func holdToTable(t *testing.T, systems []string, signIn func(user string) bus.Config) {
	t.Helper()
	specs, err := topics.Wanted(append(slices.Clone(systems), dsar.Aggregator), topics.Deviation{})
	if err != nil {
		t.Fatal(err)
	}
	all := topics.Accesses(systems)
	for _, a := range all {
		t.Run(a.User, func(t *testing.T) {
			t.Parallel()
			client := as(t, signIn(a.User))
			for _, s := range specs {
				if got, want := mayWrite(t, client, s.Name), slices.Contains(a.Writes, s.Name); got != want {
					t.Errorf("writes %s: %v, want %v", s.Name, got, want)
				}
				if got, want := mayRead(t, client, s.Name), slices.Contains(a.Reads, s.Name); got != want {
					t.Errorf("reads %s: %v, want %v", s.Name, got, want)
				}
			}
			for _, other := range all {
				for _, group := range other.Groups {
					if group == "" {
						continue // it reads without one
					}
					if got, want := mayJoin(t, client, group), slices.Contains(a.Groups, group); got != want {
						t.Errorf("reads as the group %s: %v, want %v", group, got, want)
					}
				}
			}
			for what, try := range administration() {
				if err := try(t.Context(), client); !refused(err) {
					t.Errorf("%s isn't refused: %v", what, err)
				}
			}
		})
	}
}

// administration returns what is no component's: to change the cluster, or who may do what
// in it.
func administration() map[string]func(context.Context, *kafka.Client) error {
	const topic, group = "dsar.tasks.billing", "habeas.worker.billing"
	return map[string]func(context.Context, *kafka.Client) error{
		"making a topic": func(ctx context.Context, c *kafka.Client) error {
			res, err := c.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: "elsewhere", NumPartitions: 1, ReplicationFactor: 1}}})
			return errors.Join(err, first(res, func(r *kafka.CreateTopicsResponse) error { return r.Errors["elsewhere"] }))
		},
		"deleting a topic": func(ctx context.Context, c *kafka.Client) error {
			res, err := c.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
			return errors.Join(err, first(res, func(r *kafka.DeleteTopicsResponse) error { return r.Errors[topic] }))
		},
		"adding partitions": func(ctx context.Context, c *kafka.Client) error {
			res, err := c.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 12}}})
			return errors.Join(err, first(res, func(r *kafka.CreatePartitionsResponse) error { return r.Errors[topic] }))
		},
		"emptying a topic by its retention": func(ctx context.Context, c *kafka.Client) error {
			res, err := c.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{
				{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms", Value: "1"}}}}})
			return errors.Join(err, first(res, func(r *kafka.IncrementalAlterConfigsResponse) error { return r.Resources[0].Error }))
		},
		"deleting another's group": func(ctx context.Context, c *kafka.Client) error {
			res, err := c.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
			return errors.Join(err, first(res, func(r *kafka.DeleteGroupsResponse) error { return r.Errors[group] }))
		},
		"granting itself a right": func(ctx context.Context, c *kafka.Client) error {
			res, err := c.CreateACLs(ctx, &kafka.CreateACLsRequest{ACLs: []kafka.ACLEntry{{Principal: "User:*", PermissionType: kafka.ACLPermissionTypeAllow, Host: "*",
				Operation: kafka.ACLOperationTypeAll, ResourceType: kafka.ResourceTypeTopic, ResourceName: "*", ResourcePatternType: kafka.PatternTypeLiteral}}})
			return errors.Join(err, first(res, func(r *kafka.CreateACLsResponse) error { return errors.Join(r.Errors...) }))
		},
		"reading who may do what": func(ctx context.Context, c *kafka.Client) error {
			res, err := c.DescribeACLs(ctx, &kafka.DescribeACLsRequest{Filter: kafka.ACLFilter{ResourceTypeFilter: kafka.ResourceTypeAny, ResourcePatternTypeFilter: kafka.PatternTypeAny, Operation: kafka.ACLOperationTypeAny, PermissionType: kafka.ACLPermissionTypeAny}})
			return errors.Join(err, first(res, func(r *kafka.DescribeACLsResponse) error { return r.Error }))
		},
		"making a user's password": func(ctx context.Context, c *kafka.Client) error {
			res, err := c.AlterUserScramCredentials(ctx, &kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{
				{Name: topics.UserCoordinator, Mechanism: kafka.ScramMechanismSha256, Iterations: 4096, Salt: make([]byte, 24), SaltedPassword: make([]byte, 32)}}})
			return errors.Join(err, first(res, func(r *kafka.AlterUserScramCredentialsResponse) error { return r.Results[0].Error }))
		},
	}
}

// first returns what an answer says, where there is one.
func first[R any](res *R, says func(*R) error) error {
	if res == nil {
		return nil
	}
	return says(res)
}

// refused reports whether the cluster has refused to do something, or that there is what
// it would be done to.
func refused(err error) bool {
	return errors.Is(err, kafka.TopicAuthorizationFailed) || errors.Is(err, kafka.GroupAuthorizationFailed) || errors.Is(err, kafka.ClusterAuthorizationFailed) || errors.Is(err, kafka.UnknownTopicOrPartition)
}

// mayWrite reports whether a record can be written to a topic. It is no event, and
// whoever reads it puts it aside.
func mayWrite(t *testing.T, c *kafka.Client, topic string) bool {
	t.Helper()
	res, err := c.Produce(t.Context(), &kafka.ProduceRequest{Topic: topic, Partition: 0, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes([]byte("x")), Value: kafka.NewBytes([]byte("x"))})})
	if err == nil {
		err = res.Error
	}
	return permitted(t, "write "+topic, err)
}

func mayRead(t *testing.T, c *kafka.Client, topic string) bool {
	t.Helper()
	res, err := c.Fetch(t.Context(), &kafka.FetchRequest{Topic: topic, Partition: 0, Offset: 0, MinBytes: 0, MaxBytes: 1, MaxWait: time.Millisecond})
	if err == nil {
		err = res.Error
	}
	return permitted(t, "read "+topic, err)
}

// mayJoin reports whether a group's offsets can be committed. The topic is one that not
// everybody may read: that is asked after the group.
func mayJoin(t *testing.T, c *kafka.Client, group string) bool {
	t.Helper()
	const topic = "dsar.events"
	res, err := c.OffsetCommit(t.Context(), &kafka.OffsetCommitRequest{GroupID: group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: 0, Offset: 0}}}})
	if err != nil {
		t.Errorf("join %s: %v", group, err)
		return false
	}
	return !errors.Is(res.Topics[topic][0].Error, kafka.GroupAuthorizationFailed)
}

// permitted reports whether the cluster has let somebody do something. Who may neither
// read nor write a topic nor see it is told that there is none.
func permitted(t *testing.T, what string, err error) bool {
	t.Helper()
	switch {
	case errors.Is(err, kafka.TopicAuthorizationFailed), err != nil && strings.Contains(err.Error(), "topic not found"):
		return false
	case err == nil, errors.Is(err, kafka.OffsetOutOfRange):
		return true
	default:
		t.Errorf("%s: %v", what, fmt.Errorf("neither yes nor no: %w", err))
		return false
	}
}
