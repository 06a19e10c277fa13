package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"habeas.dev/services/habeas/upstream"
)

// senders is how many requests are being posted at the same time.
const senders = 32

// benchTime bounds one measurement.
const benchTime = 10 * time.Minute

// measured is what a load took.
type measured struct {
	load
	took, cpu       time.Duration
	answer          answer // of the first request
	messages        traffic
	rows            written
	calls, commits  int64 // 0 where they can't be asked for
	memory, resting int64 // bytes: the most, and that before
}

// run puts a load on a target, and measures.
func (l load) run(ctx context.Context, t *target) (measured, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	m := measured{load: l}
	offsets, err := endOffsets(ctx, t.as)
	if err != nil {
		return m, err
	}
	rows, err := rowsOf(ctx, t.config.Journal)
	if err != nil {
		return m, err
	}
	debug.FreeOSMemory() // where the target is in this process, what it doesn't need isn't counted
	m.resting = t.memory()
	calls, commits, cpu, began := t.counted(t.vendorCalls), t.counted(t.commits), t.cpu(), time.Now()
	m.memory, err = t.peak(func() error { return t.carry(ctx, l.requests) })
	if err != nil {
		return m, fmt.Errorf("%s: %w", l.title, err)
	}
	m.took, m.cpu, m.calls, m.commits = time.Since(began), t.cpu()-cpu, t.counted(t.vendorCalls)-calls, t.counted(t.commits)-commits
	if m.messages, err = t.trafficSince(ctx, offsets); err != nil {
		return m, err
	}
	after, err := rowsOf(ctx, t.config.Journal)
	if err != nil {
		return m, err
	}
	m.rows = after.since(rows)
	m.answer, err = t.look(ctx, l.requests[0].ID)
	return m, err
}

// counted returns a counter's value; 0 where the target has none.
func (t *target) counted(counter func() int64) int64 {
	if counter == nil {
		return 0
	}
	return counter()
}

// carry submits all requests, and waits until all have ended.
func (t *target) carry(ctx context.Context, requests []upstream.Request) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan upstream.Request)
	var sending sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for r := range next {
				if err := t.submit(ctx, r); err != nil {
					cancel(fmt.Errorf("submit: %w", err))
				}
			}
		})
	}
	for _, r := range requests {
		select {
		case next <- r:
		case <-ctx.Done():
		}
	}
	close(next)
	sending.Wait()
	for _, r := range requests {
		if err := t.ended(ctx, r.ID); err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
	}
	return nil
}

// peak runs f and returns the most memory that the target held meanwhile.
func (t *target) peak(f func() error) (int64, error) {
	most := t.memory()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		beat := time.NewTicker(5 * time.Millisecond)
		defer beat.Stop()
		for {
			most = max(most, t.memory())
			select {
			case <-stop:
				return
			case <-beat.C:
			}
		}
	}()
	err := f()
	close(stop)
	<-done
	return most, err
}

// report adds what was measured, with what was aimed at.
func (m measured) report(r *results) {
	s, n := r.section(m.title), float64(len(m.requests))
	aims := map[string][2]string{NineAccess: {"300", "6.7 ms"}}[m.name]
	s.add(line{what: "requests per second", value: n / m.took.Seconds(), aim: aims[0], note: fmt.Sprintf("%d requests", len(m.requests))})
	s.add(line{what: "processor time per request", value: m.cpu.Seconds() * 1000 / n, unit: "ms", aim: aims[1]})
	s.add(line{what: "messages per request", value: float64(m.messages.count) / n, note: m.messages.sizeNote()})
	s.add(line{what: "journal rows per request", value: float64(m.rows.all()) / n, note: fmt.Sprintf("%.1f facts in %.1f appends", float64(m.rows.facts)/n, float64(m.rows.appends)/n)})
	s.add(line{what: "files in an answer", value: float64(m.answer.files)})
	if m.answer.records > 0 {
		s.add(line{what: "records in an answer", value: float64(m.answer.records)})
	}
	if m.commits > 0 {
		s.add(line{what: "commits per request", value: float64(m.commits) / n})
	}
	if m.calls > 0 {
		s.add(line{what: "vendors' calls per 1,000 requests", value: float64(m.calls) * 1000 / n})
	}
	s.add(line{what: "peak memory", value: mib(m.memory), unit: "MiB", note: fmt.Sprintf("%.0f before", mib(m.resting))})
}
