package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/sandbox/people"
)

// benchSenders is how many requests are being posted at the same time.
const benchSenders = 32

// benchTime bounds one measurement.
const benchTime = 10 * time.Minute

// submitter submits one request, by one door or the other.
type submitter func(ctx context.Context, r upstream.Request) error

// benchRequests makes access requests of people who hold records in all systems.
func benchRequests(n *node.Node, count int) []upstream.Request {
	population := people.Generate(people.Config{Seed: n.Config.Sandbox.Seed, People: n.Config.Sandbox.People, Own: true})
	var emails []string
	for _, who := range population.People {
		if held := population.RowsOf(who.Number); who.AccountID != "" && len(held) > 15*len(n.Manifests) {
			emails = append(emails, who.Email)
		}
	}
	out := make([]upstream.Request, count)
	for i := range out {
		out[i] = upstream.Request{ID: upstream.NewID(), Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "bench", Email: emails[i%len(emails)], ReceivedAt: now()}
	}
	return out
}

// ended waits until a request has.
func ended(ctx context.Context, n *node.Node, id string) error {
	beat := time.NewTicker(time.Millisecond)
	defer beat.Stop()
	for {
		row, err := n.Installation.Journal.Row(ctx, id)
		switch {
		case errors.Is(err, journal.ErrNotFound): // it is on its way
		case err != nil && ctx.Err() == nil:
			return err
		case row.Status == core.StatusCompleted:
			return nil
		case row.Status == core.StatusNeedsAttention:
			return fmt.Errorf("request %s needs attention", id)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("request %s doesn't end: %w", id, ctx.Err())
		case <-beat.C:
		}
	}
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

func measureLoad(ctx context.Context, n *node.Node, submit submitter, count int, p profiles) (fullLoad, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	l := fullLoad{requests: count, restMemory: resting()}
	asked := benchRequests(n, count)
	offsets, err := endOffsets(ctx, n.Brokers)
	if err != nil {
		return l, err
	}
	rows, err := rowsOf(ctx, n.Config.Journal)
	if err != nil {
		return l, err
	}
	calls, cpu, commits := n.VendorCalls(), processorTime(), commitsOf(n.Installation.Journal)
	stopProfile, err := p.start()
	if err != nil {
		return l, err
	}
	began := time.Now()
	l.memory, err = peak(func() error { return submitAndWait(ctx, n, submit, asked) })
	if e := stopProfile(); err == nil {
		err = e
	}
	if err != nil {
		return l, err
	}
	l.took, l.cpu, l.calls, l.commits = time.Since(began), processorTime()-cpu, n.VendorCalls()-calls, commitsOf(n.Installation.Journal)-commits
	if l.records, err = recordsOf(ctx, n, asked[0].ID); err != nil {
		return l, err
	}
	if l.messages, err = trafficSince(ctx, n.Brokers, offsets); err != nil {
		return l, err
	}
	if l.broker, err = rawBroker(ctx, n.Brokers, l.messages); err != nil {
		return l, err
	}
	if l.rows, err = rowsOf(ctx, n.Config.Journal); err != nil || l.rows == (written{}) {
		return l, err
	}
	l.rows = l.rows.since(rows)
	l.postgres, err = rawPostgres(ctx, n.Config.Journal, l.requests, l.rows, l.messages)
	return l, err
}

// recordsOf returns how many records a request's bundle holds.
func recordsOf(ctx context.Context, n *node.Node, id string) (int64, error) {
	facts, err := n.Installation.Facts(ctx, id)
	if err != nil {
		return 0, err
	}
	t, err := timeline.Build(facts)
	return t.Bundle.Records, err
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
func submitAndWait(ctx context.Context, n *node.Node, submit submitter, asked []upstream.Request) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan upstream.Request)
	var senders sync.WaitGroup
	for range benchSenders {
		senders.Go(func() {
			for r := range next {
				if err := submit(ctx, r); err != nil {
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
		if err := ended(ctx, n, r.ID); err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
	}
	return nil
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
