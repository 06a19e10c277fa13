package bus_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	"github.com/twmb/franz-go/pkg/kfake"

	"habeas.dev/pkg/bus"
)

// brokers are those of KAFKA_BROKERS (host:port,…), or of a broker in the
// process that ends with the test.
func brokers(t testing.TB) []string {
	t.Helper()
	if b := os.Getenv("KAFKA_BROKERS"); b != "" {
		return strings.Split(b, ",")
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

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
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
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
	tests.TestPubSub(t, tests.Features{
		ConsumerGroups:                   true,
		ExactlyOnceDelivery:              false,
		GuaranteedOrder:                  true,
		Persistent:                       true,
		NewSubscriberReceivesOldMessages: false,
	}, func(t *testing.T) (message.Publisher, message.Subscriber) { return inGroup(t, "suite") }, inGroup)
}
