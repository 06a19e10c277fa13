package worker_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"
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
	// What others leave on the broker is told apart: a system of this run alone.
	m := gatherOnly()
	m.System = "shop-" + strings.ToLower(rand.Text()[:10])
	tasksTopic := event.TopicTasks(m.System)
	config := bus.Config{Brokers: brokers}
	err := bus.EnsureTopics(ctx, config, []bus.TopicSpec{
		{Name: tasksTopic, Partitions: 3, Replicas: 1},
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
	sub, err := bus.NewSubscriber(bus.SubscriberConfig{Config: config, Group: "test-" + m.System})
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
	w := newWorker(t, m, batch(func(ctx context.Context, jobs []*worker.GatherJob) error {
		calls.Add(1)
		for _, j := range jobs {
			if err := writeTwo(ctx, j.Task, j.Records); err != nil {
				return err
			}
		}
		return nil
	}))
	ended := make(chan error, 1)
	// On a busy machine tasks come one by one: it is waited for them.
	go func() {
		ended <- w.Run(ctx, worker.Config{Kafka: bus.Files{Brokers: brokers}, Vault: v, BatchWait: time.Second})
	}()

	const tasks = 300
	msgs := []*message.Message{message.NewMessage("bad", []byte("not an event"))}
	want := map[string]bool{}
	for range tasks {
		id := uuid.NewString()
		if _, err := v.CreateKeys(ctx, id); err != nil {
			t.Fatal(err)
		}
		e := task(t, v, id, dsar.Gather, func(task *dsar.Task) { task.System = m.System })
		msg := message.NewMessage(e.ID, e.Data)
		msg.Metadata = e.Headers()
		bus.SetKey(msg, id)
		msgs = append(msgs, msg)
		want[id] = true
	}
	if err := pub.Publish(tasksTopic, msgs...); err != nil {
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
			msg.Ack()
			r := parse(t, e)
			if r.System != m.System {
				continue
			}
			if r.Outcome != dsar.Gathered || bus.Key(msg) != r.RequestID {
				t.Errorf("report %+v", r)
			}
			delete(want, r.RequestID)
		case msg := <-rejected:
			msg.Ack()
			if !strings.Contains(string(msg.Payload), tasksTopic) {
				continue
			}
			turnedAway = strings.Contains(string(msg.Payload), "offset 0)")
			if !turnedAway {
				t.Errorf("rejected %s", msg.Payload)
			}
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
