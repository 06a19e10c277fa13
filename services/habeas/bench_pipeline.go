package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/sandbox/people"
)

// benchSenders is how many requests are being posted at the same time.
const benchSenders = 32

// benchTime bounds one measurement.
const benchTime = 10 * time.Minute

// benchRequests makes access requests of people who hold records in all systems.
func benchRequests(n *node, count int) []demoRequest {
	population := people.Generate(people.Config{Seed: n.cfg.Sandbox.Seed, People: n.cfg.Sandbox.People})
	var emails []string
	for _, who := range population.People {
		if held := population.RowsOf(who.Number); who.AccountID != "" && len(held) > 15*len(n.manifests) {
			emails = append(emails, who.Email)
		}
	}
	out := make([]demoRequest, count)
	for i := range out {
		out[i] = demoRequest{id: newRequestID(), right: dsar.Access, jurisdiction: "EEA", locale: "en", source: "bench", email: emails[i%len(emails)], receivedAt: now()}
	}
	return out
}

// lone is how long requests took of which each had Habeas to itself.
type lone struct {
	took []time.Duration // sorted
	sync time.Duration   // the disk's, at the median: what one durable write takes
}

func measureLone(ctx context.Context, n *node, count int) (lone, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	var l lone
	const warm = 20
	for i, r := range benchRequests(n, warm+count) {
		began := time.Now()
		if _, err := post(ctx, n.url(), r.data()); err != nil {
			return l, err
		}
		if err := ended(ctx, n, r.id); err != nil {
			return l, err
		}
		if i >= warm {
			l.took = append(l.took, time.Since(began))
		}
	}
	slices.Sort(l.took)
	var err error
	l.sync, err = syncTime(n.cfg.Data)
	return l, err
}

// ended waits until a request has.
func ended(ctx context.Context, n *node, id string) error {
	beat := time.NewTicker(time.Millisecond)
	defer beat.Stop()
	for {
		row, err := n.in.Journal.Row(ctx, id)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case row.Status == string(dsar.StatusCompleted):
			return nil
		case row.Status == string(dsar.StatusNeedsAttention):
			return fmt.Errorf("request %s needs attention", id)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("request %s doesn't end: %w", id, ctx.Err())
		case <-beat.C:
		}
	}
}

// syncTime is what a small durable write takes on the disk of a folder: the
// floor under everything that must be durable before it goes on.
func syncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "sync-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	took := make([]time.Duration, 50)
	for i := range took {
		began := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func (l lone) add(r *results) {
	p := func(share float64) time.Duration { return l.took[min(int(share*float64(len(l.took))), len(l.took)-1)] }
	r.add("lone request, door to bundle, p50", fmt.Sprintf("%.1f ms", p(0.5).Seconds()*1000), "< 150 ms")
	r.add("lone request, door to bundle, p99", fmt.Sprintf("%.1f ms", p(0.99).Seconds()*1000), "")
	r.add("one durable write on this disk, p50", fmt.Sprintf("%.2f ms (a lone request takes %.0f of them)", l.sync.Seconds()*1000, float64(p(0.5))/float64(max(l.sync, 1))), "")
}

// fullLoad is what many requests at once took.
type fullLoad struct {
	requests           int
	took, cpu          time.Duration
	messages, calls    int64
	memory, restMemory int64
	records            int64
	ceiling            float64 // messages per second that the broker takes from kafka-go alone
}

func measureLoad(ctx context.Context, n *node, count int, profile string) (fullLoad, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	l := fullLoad{requests: count, restMemory: resting()}
	asked := benchRequests(n, count)
	before, err := endOffsets(ctx, n.brokers)
	if err != nil {
		return l, err
	}
	calls, cpu := n.calls(), processorTime()
	stopProfile, err := startProfile(profile)
	if err != nil {
		return l, err
	}
	began := time.Now()
	l.memory, err = peak(func() error { return submitAndWait(ctx, n, asked) })
	stopProfile()
	if err != nil {
		return l, err
	}
	l.took, l.cpu, l.calls = time.Since(began), processorTime()-cpu, n.calls()-calls
	after, err := endOffsets(ctx, n.brokers)
	if err != nil {
		return l, err
	}
	l.messages = after - before
	t, err := load(ctx, n.in, asked[0].id)
	if err != nil {
		return l, err
	}
	l.records = t.Bundle.Records
	l.ceiling, err = rawBroker(ctx, n.brokers, l.messages)
	return l, err
}

// submitAndWait posts all requests, and waits until all have ended.
func submitAndWait(ctx context.Context, n *node, asked []demoRequest) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan demoRequest)
	var senders sync.WaitGroup
	for range benchSenders {
		senders.Go(func() {
			for r := range next {
				if _, err := post(ctx, n.url(), r.data()); err != nil {
					cancel(fmt.Errorf("submit: %w", err))
				}
			}
		})
	}
	for _, r := range asked {
		select {
		case next <- r:
		case <-ctx.Done():
		}
	}
	close(next)
	senders.Wait()
	for _, r := range asked {
		if err := ended(ctx, n, r.id); err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
	}
	return nil
}

// endOffsets is how many records were ever put on all topics.
func endOffsets(ctx context.Context, brokers []string) (int64, error) {
	client := &kafka.Client{Addr: kafka.TCP(brokers...)}
	meta, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return 0, err
	}
	asked := map[string][]kafka.OffsetRequest{}
	for _, t := range meta.Topics {
		for _, p := range t.Partitions {
			asked[t.Name] = append(asked[t.Name], kafka.LastOffsetOf(p.ID))
		}
	}
	offsets, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: asked})
	if err != nil {
		return 0, err
	}
	var all int64
	for _, partitions := range offsets.Topics {
		for _, p := range partitions {
			all += p.LastOffset
		}
	}
	return all, nil
}

// rawBroker is how many messages a second the broker takes of kafka-go alone,
// in batches and of about the size that the pipeline's have: the ceiling.
func rawBroker(ctx context.Context, brokers []string, count int64) (float64, error) {
	const size, batch, topic = 1000, 500, "dsar.rejected" // which nobody reads here
	w := &kafka.Writer{Addr: kafka.TCP(brokers...), Topic: topic, BatchSize: batch, BatchTimeout: time.Millisecond, RequiredAcks: kafka.RequireAll, Balancer: &kafka.RoundRobin{}}
	defer func() { _ = w.Close() }()
	messages := make([]kafka.Message, batch)
	for i := range messages {
		messages[i].Value = make([]byte, size)
	}
	began := time.Now()
	sent := int64(0)
	for ; sent < count; sent += batch {
		if err := w.WriteMessages(ctx, messages...); err != nil {
			return 0, err
		}
	}
	return float64(sent) / time.Since(began).Seconds(), nil
}

func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}

func (l fullLoad) add(r *results) {
	n := float64(l.requests)
	rate := n / l.took.Seconds()
	r.add(fmt.Sprintf("requests per second (%d requests, %d records each)", l.requests, l.records), fmt.Sprintf("%.0f", rate), "300")
	r.add("processor time per request", fmt.Sprintf("%.2f ms", l.cpu.Seconds()*1000/n), "6.7 ms")
	perRequest := float64(l.messages) / n
	r.add("messages per request", fmt.Sprintf("%.1f", perRequest), "")
	r.add("share of what the broker takes of kafka-go alone", fmt.Sprintf("%.1f %% of %.0f messages/s", 100*rate*perRequest/l.ceiling, l.ceiling), "")
	r.add("vendor calls per 1,000 requests", fmt.Sprintf("%.0f", float64(l.calls)*1000/n), "")
	r.add("peak memory, everything in one process", fmt.Sprintf("%s (%s at rest)", mib(l.memory), mib(l.restMemory)), "")
}
