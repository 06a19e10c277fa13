package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"slices"
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/sandbox/people"
)

// benchSenders is how many requests are being posted at the same time.
const benchSenders = 32

// benchTime bounds one measurement.
const benchTime = 10 * time.Minute

// upstream submits one request, by one door or the other.
type upstream func(ctx context.Context, r demoRequest) error

// benchRequests makes access requests of people who hold records in all systems.
func benchRequests(n *node, count int) []demoRequest {
	population := people.Generate(people.Config{Seed: n.cfg.Sandbox.Seed, People: n.cfg.Sandbox.People, Own: true})
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

func measureLone(ctx context.Context, n *node, up upstream, count int) (lone, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	var l lone
	const warm = 20
	for i, r := range benchRequests(n, warm+count) {
		began := time.Now()
		if err := up(ctx, r); err != nil {
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
		case errors.Is(err, journal.ErrNotFound): // it is on its way
		case err != nil && ctx.Err() == nil:
			return err
		case row.Status == string(core.StatusCompleted):
			return nil
		case row.Status == string(core.StatusNeedsAttention):
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
	r.add("lone request, submitted to bundle, p50", fmt.Sprintf("%.1f ms", p(0.5).Seconds()*1000), "< 150 ms")
	r.add("lone request, submitted to bundle, p99", fmt.Sprintf("%.1f ms", p(0.99).Seconds()*1000), "")
	r.add("one durable write on this disk, p50", fmt.Sprintf("%.2f ms (a lone request takes %.0f of them)", l.sync.Seconds()*1000, float64(p(0.5))/float64(max(l.sync, 1))), "")
}

// fullLoad is what many requests at once took.
type fullLoad struct {
	requests           int
	took, cpu          time.Duration
	records            int64 // of one request
	calls              int64 // of vendors
	memory, restMemory int64
	messages           traffic
	rows               written // zero where the journal isn't PostgreSQL
	commits            int64   // transactions of appends
	// How long the broker takes for the same messages from kafka-go alone, and
	// PostgreSQL for the same rows in batches: the ceilings.
	broker, postgres time.Duration
}

func measureLoad(ctx context.Context, n *node, up upstream, count int, p profiles) (fullLoad, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	l := fullLoad{requests: count, restMemory: resting()}
	asked := benchRequests(n, count)
	offsets, err := endOffsets(ctx, n.brokers)
	if err != nil {
		return l, err
	}
	rows, err := rowsOf(ctx, n.cfg.Journal)
	if err != nil {
		return l, err
	}
	calls, cpu, commits := n.calls(), processorTime(), commitsOf(n.in.Journal)
	stopProfile, err := p.start()
	if err != nil {
		return l, err
	}
	began := time.Now()
	l.memory, err = peak(func() error { return submitAndWait(ctx, n, up, asked) })
	if e := stopProfile(); err == nil {
		err = e
	}
	if err != nil {
		return l, err
	}
	l.took, l.cpu, l.calls, l.commits = time.Since(began), processorTime()-cpu, n.calls()-calls, commitsOf(n.in.Journal)-commits
	t, err := load(ctx, n.in, asked[0].id)
	if err != nil {
		return l, err
	}
	l.records = t.Bundle.Records
	if l.messages, err = trafficSince(ctx, n.brokers, offsets); err != nil {
		return l, err
	}
	if l.broker, err = rawBroker(ctx, n.brokers, l.messages); err != nil {
		return l, err
	}
	if l.rows, err = rowsOf(ctx, n.cfg.Journal); err != nil || l.rows == (written{}) {
		return l, err
	}
	l.rows = l.rows.since(rows)
	l.postgres, err = rawPostgres(ctx, n.cfg.Journal, l.requests, l.rows, l.messages)
	return l, err
}

// commitsOf is how many transactions of appends a journal has made; 0 where it
// doesn't count.
func commitsOf(j journal.Store) int64 {
	if c, ok := j.(interface{ Commits() int64 }); ok {
		return c.Commits()
	}
	return 0
}

// submitAndWait submits all requests, and waits until all have ended.
func submitAndWait(ctx context.Context, n *node, up upstream, asked []demoRequest) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan demoRequest)
	var senders sync.WaitGroup
	for range benchSenders {
		senders.Go(func() {
			for r := range next {
				if err := up(ctx, r); err != nil {
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

// profiles are the files that pprof's profiles go to; empty: none.
type profiles struct{ cpu, allocs string }

// start begins a profile of the processor's time. stop ends it, and writes the
// one of what was allocated.
func (p profiles) start() (stop func() error, err error) {
	cpu := io.NopCloser(nil)
	if p.cpu != "" {
		f, err := os.Create(p.cpu)
		if err != nil {
			return nil, fmt.Errorf("profile: %w", err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		cpu = f
	}
	return func() error {
		pprof.StopCPUProfile() // nothing, where none runs
		return errors.Join(cpu.Close(), p.writeAllocs())
	}, nil
}

func (p profiles) writeAllocs() error {
	if p.allocs == "" {
		return nil
	}
	f, err := os.Create(p.allocs)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

func (l fullLoad) add(r *results) {
	n := float64(l.requests)
	rate := n / l.took.Seconds()
	r.add(fmt.Sprintf("requests per second (%d requests, %d records each)", l.requests, l.records), fmt.Sprintf("%.0f", rate), "300")
	r.add("processor time per request", fmt.Sprintf("%.2f ms", l.cpu.Seconds()*1000/n), "6.7 ms")
	r.add("messages per request", fmt.Sprintf("%.1f, of %d bytes", float64(l.messages.count)/n, l.messages.size), "")
	share := func(of time.Duration) string {
		return fmt.Sprintf("%.1f %% of %.0f requests/s", 100*float64(of)/float64(l.took), n/of.Seconds())
	}
	r.add("share of what kafka-go alone gets through the broker", fmt.Sprintf("%s (%.0f messages/s)", share(l.broker), float64(l.messages.count)/l.broker.Seconds()), "25 % of the lower")
	if l.postgres > 0 {
		r.add("share of what PostgreSQL takes in batches", fmt.Sprintf("%s (%.0f rows/s)", share(l.postgres), float64(l.rows.all())/l.postgres.Seconds()), "25 % of the lower")
		r.add("rows written per request", fmt.Sprintf("%.1f (%.1f facts in %.1f appends)", float64(l.rows.all())/n, float64(l.rows.facts)/n, float64(l.rows.appends)/n), "")
	}
	if l.commits > 0 {
		r.add("commits per request", fmt.Sprintf("%.2f", float64(l.commits)/n), "")
	}
	r.add("vendor calls per 1,000 requests", fmt.Sprintf("%.0f", float64(l.calls)*1000/n), "")
	r.add("peak memory of this process", fmt.Sprintf("%s (%s at rest)", mib(l.memory), mib(l.restMemory)), "")
}
