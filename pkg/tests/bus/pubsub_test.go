package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"habeas.dev/pkg/bus"
)

// suitePartitions is how many partitions the suite's topics have.
const suitePartitions = 4

// keyed publishes with the payload as the key: the suite's messages have none,
// and it asks for order among those of the same payload.
type keyed struct{ message.Publisher }

func (k keyed) Publish(topic string, msgs ...*message.Message) error {
	for _, m := range msgs {
		bus.SetKey(m, string(m.Payload))
	}
	return k.Publisher.Publish(topic, msgs...)
}

// creating makes topics before they are used, as an operator would.
type creating struct {
	*bus.Subscriber
	config bus.Config
}

func (c creating) SubscribeInitialize(topic string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return bus.EnsureTopics(ctx, c.config, []bus.TopicSpec{{Name: topic, Partitions: suitePartitions, Replicas: 1}})
}

// TestPubSub is watermill's own suite for adapters, with every feature that
// this one claims. The messages carry keys, as all of ours do.
func TestPubSub(t *testing.T) {
	config := bus.Config{Brokers: brokers(t), ClientID: "suite"}
	inGroup := func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
		pub, err := bus.NewPublisher(bus.PublisherConfig{Config: config})
		if err != nil {
			t.Fatal(err)
		}
		sub, err := bus.NewSubscriber(bus.SubscriberConfig{
			Config: config, Group: group, DrainTimeout: time.Second, NackMin: time.Millisecond, NackMax: 10 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		return keyed{pub}, creating{sub, config}
	}
	features := tests.Features{
		ConsumerGroups:      true,
		ExactlyOnceDelivery: false,
		GuaranteedOrder:     true,
		Persistent:          true,
	}
	// A group for each of the suite's tests: they run in parallel, and every
	// member that comes to a group or goes makes all its others join anew.
	inOne := func(t *testing.T) (message.Publisher, message.Subscriber) { return inGroup(t, t.Name()) }
	tests.TestPubSub(t, features, inOne, inGroup)

	t.Run("NewSubscriberReceivesOldMessages", func(t *testing.T) {
		t.Parallel()
		features := features
		features.NewSubscriberReceivesOldMessages = true
		// Every subscriber is a group of its own: that is what the feature
		// means with Kafka.
		tests.TestNewSubscriberReceivesOldMessages(t, tests.TestContext{TestID: tests.NewTestID(), Features: features},
			func(t *testing.T) (message.Publisher, message.Subscriber) {
				return inGroup(t, string(tests.NewTestID()))
			})
	})
}
