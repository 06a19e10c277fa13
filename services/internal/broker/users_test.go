package broker_test

import (
	"context"
	"errors"
	"testing"

	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/topics"
)

// users are one who writes a topic, and one who reads it.
func users() []broker.User {
	return []broker.User{
		{Name: "writer", Password: "written down nowhere", Rights: []topics.ACL{{Operation: "Write", Resource: "topic", Name: "t"}}},
		{Name: "reader", Password: "nor this", Rights: []topics.ACL{{Operation: "Read", Resource: "topic", Name: "t"}, {Operation: "Read", Resource: "group", Name: "g"}}},
	}
}

func startWith(t *testing.T, dir string, users []broker.User) *broker.Broker {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Dir: dir, Topics: []string{"t"}, Users: users})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// TestUsers: who isn't known is let in nowhere, and each user may do what is theirs and
// nothing else. After another start the users and rights are those of that start, whatever
// the broker has written down of the one before.
func TestUsers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := startWith(t, dir, users())
	writer, reader := users()[0].SignIn(), users()[1].SignIn()
	if err := write(t, b, writer); err != nil {
		t.Errorf("the writer doesn't write: %v", err)
	}
	if err := read(t, b, reader); err != nil {
		t.Errorf("the reader doesn't read: %v", err)
	}
	if err := write(t, b, reader); !errors.Is(err, kafka.TopicAuthorizationFailed) {
		t.Errorf("the reader writes: %v", err)
	}
	if err := read(t, b, writer); !errors.Is(err, kafka.TopicAuthorizationFailed) {
		t.Errorf("the writer reads: %v", err)
	}
	for what, sasl := range map[string]bus.SASL{
		"nobody":                         {},
		"the writer by another password": {Mechanism: writer.Mechanism, User: "writer", Password: reader.Password},
		"the writer by PLAIN":            {Mechanism: bus.Plain, User: "writer", Password: writer.Password},
		"the writer by PLAIN, nothing":   {Mechanism: bus.Plain, User: "writer"},
		"the broker by PLAIN, nothing":   {Mechanism: bus.Plain, User: "habeas-broker"},
		"kfake's own administrator":      {Mechanism: bus.ScramSHA256, User: "admin", Password: "admin"},
	} {
		if _, err := client(t, b, sasl).Metadata(t.Context(), &kafka.MetadataRequest{}); err == nil {
			t.Errorf("%s is let in", what)
		}
	}
	b.Close()

	changed := users()[:1]
	changed[0].Password, changed[0].Rights = "another", nil
	b = startWith(t, dir, changed)
	for what, sasl := range map[string]bus.SASL{"a user who is no more": reader, "an old password": writer} {
		if _, err := client(t, b, sasl).Metadata(t.Context(), &kafka.MetadataRequest{}); err == nil {
			t.Errorf("%s is let in", what)
		}
	}
	if err := write(t, b, changed[0].SignIn()); err == nil {
		t.Error("a right outlives its start")
	}
	b.Close()

	b = startWith(t, dir, users())
	if err := write(t, b, writer); err != nil {
		t.Errorf("the writer doesn't write again: %v", err)
	}
}

// TestUnknownRight: what can't be granted isn't passed over.
func TestUnknownRight(t *testing.T) {
	t.Parallel()
	odd := users()
	odd[0].Rights[0].Operation = "Wrote"
	if b, err := broker.Start(t.Context(), broker.Config{Dir: t.TempDir(), Topics: []string{"t"}, Users: odd}); err == nil {
		b.Close()
		t.Error("it starts")
	}
}

func client(t *testing.T, b *broker.Broker, sasl bus.SASL) *kafka.Client {
	t.Helper()
	transport, err := bus.Config{Brokers: []string{b.Addr()}, SASL: sasl}.Transport()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(b.Addr()), Transport: transport}
}

func write(t *testing.T, b *broker.Broker, sasl bus.SASL) error {
	t.Helper()
	res, err := client(t, b, sasl).Produce(t.Context(), &kafka.ProduceRequest{Topic: "t", RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte("one"))})})
	if err == nil {
		err = res.Error
	}
	return err
}

func read(t *testing.T, b *broker.Broker, sasl bus.SASL) error {
	t.Helper()
	c := client(t, b, sasl)
	fetched, err := c.Fetch(t.Context(), &kafka.FetchRequest{Topic: "t", MaxBytes: 1 << 10})
	if err == nil {
		err = fetched.Error
	}
	if err != nil {
		return err
	}
	committed, err := c.OffsetCommit(context.WithoutCancel(t.Context()), &kafka.OffsetCommitRequest{GroupID: "g", GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{"t": {{}}}})
	if err == nil {
		err = committed.Topics["t"][0].Error
	}
	return err
}
