package worker_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kfake"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/worker"
)

// TestKafka runs a worker on a broker: KAFKA_BROKERS, or one in the process.
func TestKafka(t *testing.T) {
	t.Parallel()
	var brokers []string
	if b := os.Getenv("KAFKA_BROKERS"); b != "" {
		brokers = strings.Split(b, ",")
	} else {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cluster.Close)
		brokers = cluster.ListenAddrs()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute) // a busy machine's
	defer cancel()
	config := bus.Config{Brokers: brokers}
	err := bus.EnsureTopics(ctx, config, []bus.TopicSpec{
		{Name: event.TopicTasks("shop"), Partitions: 3, Replicas: 1},
		{Name: event.TopicReports, Partitions: 3, Replicas: 1},
		{Name: event.TopicRejected, Partitions: 1, Replicas: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := bus.NewPublisher(bus.PublisherConfig{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	sub, err := bus.NewSubscriber(bus.SubscriberConfig{Config: config, Group: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	reports, err := sub.Subscribe(ctx, event.TopicReports)
	if err != nil {
		t.Fatal(err)
	}
	rejected, err := sub.Subscribe(ctx, event.TopicRejected)
	if err != nil {
		t.Fatal(err)
	}

	v := newVault(t)
	var calls atomic.Int64
	w := newWorker(t, gatherOnly(), batch(func(ctx context.Context, jobs []*worker.GatherJob) error {
		calls.Add(1)
		for _, j := range jobs {
			if err := writeTwo(ctx, j.Task, j.Out); err != nil {
				return err
			}
		}
		return nil
	}))
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, worker.Config{Kafka: bus.Files{Brokers: brokers}, Vault: v}) }()

	const tasks = 300
	msgs := []*message.Message{message.NewMessage("bad", []byte("not an event"))}
	want := map[string]bool{}
	for n := range tasks {
		id := fmt.Sprintf("%08x-0000-4000-8000-000000000000", n+1)
		if _, err := v.CreateKeys(ctx, id); err != nil {
			t.Fatal(err)
		}
		e := task(t, v, id, dsar.Gather)
		msg := message.NewMessage(e.ID, e.Data)
		msg.Metadata = e.Headers()
		bus.SetKey(msg, id)
		msgs = append(msgs, msg)
		want[id] = true
	}
	if err := pub.Publish(event.TopicTasks("shop"), msgs...); err != nil {
		t.Fatal(err)
	}
	turnedAway := false
	for len(want) > 0 || !turnedAway {
		select {
		case msg := <-reports:
			e, err := event.Decode(msg.Metadata, msg.Payload)
			if err != nil {
				t.Fatal(err)
			}
			r := parse(t, e)
			if r.Outcome != dsar.Gathered || bus.Key(msg) != r.RequestID {
				t.Errorf("report %+v", r)
			}
			delete(want, r.RequestID)
			msg.Ack()
		case msg := <-rejected:
			turnedAway = strings.Contains(string(msg.Payload), "offset 0)")
			if !turnedAway {
				t.Errorf("rejected %s", msg.Payload)
			}
			msg.Ack()
		case err := <-ended:
			t.Fatalf("the worker ended: %v", err)
		case <-ctx.Done():
			t.Fatalf("%d reports are missing, rejected: %v", len(want), turnedAway)
		}
	}
	if n := calls.Load(); n > tasks/3 {
		t.Errorf("%d calls for %d tasks: batches don't fill", n, tasks)
	}
	w.Stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
