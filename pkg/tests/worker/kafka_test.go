package worker_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
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
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// shop gathers two records of a person, for many people by one call.
type shop struct{ calls atomic.Int64 }

func (s *shop) Gather(_ context.Context, jobs []*worker.GatherJob) error {
	s.calls.Add(1)
	for _, j := range jobs {
		for _, city := range []string{"Paris", "Lyon"} {
			if err := j.Records.Write("orders", record.Record{"city": city}); err != nil {
				return err
			}
		}
	}
	return nil
}

func shopManifest(system string) *manifest.Manifest {
	en := func(s string) manifest.Text { return manifest.Text{"en": s} }
	return &manifest.Manifest{
		System: system, Title: en("Shop"), Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"},
		Datasets: []manifest.Dataset{{Name: "orders", Title: en("Orders"), Category: "identifiers", Origin: manifest.Provided, Purpose: en("To sell"),
			LegalBasis: "contract", Storage: en("3 years"), Columns: []manifest.Column{{Name: "city"}}}},
	}
}

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
	m := shopManifest("shop-" + strings.ToLower(rand.Text()[:10]))
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

	v := workertest.NewDesk(t)
	var impl shop
	w, err := worker.New(m, &impl)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	// On a busy machine tasks come one by one: it is waited for them.
	go func() {
		ended <- w.Run(ctx, worker.Config{Kafka: bus.Files{Brokers: brokers}, Access: v.Access(m.System), BatchWait: time.Second})
	}()

	const tasks = 300
	msgs := []*message.Message{message.NewMessage("bad", []byte("not an event"))}
	want := map[string]bool{}
	for range tasks {
		id := uuid.NewString()
		e := workertest.Seal(t, v, dsar.Task{RequestID: id, System: m.System, Action: dsar.Gather, Attempt: 1, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: time.Now()},
			[]worker.Identifier{{Type: "email", Value: id + "@example.com"}})
		if e, err = v.Send(ctx, e); err != nil {
			t.Fatal(err)
		}
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
			if about, err := link.Parse(e.Data); err != nil || about.System != m.System {
				continue
			}
			if e, err = v.Read(ctx, e); err != nil {
				t.Fatal(err)
			}
			var r dsar.Report
			if err := json.Unmarshal(e.Data, &r); err != nil {
				t.Fatal(err)
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
	if n := impl.calls.Load(); n > tasks/3 {
		t.Errorf("%d calls for %d tasks: batches don't fill", n, tasks)
	}
	w.Stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
