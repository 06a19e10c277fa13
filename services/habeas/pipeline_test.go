package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/sandbox/people"
)

// received is when the tests' requests were made.
var received = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// TestPipeline is the whole of Habeas on seeds whose every personal text is a
// canary: the bundles hold every record of their person and none of another's;
// an erasure leaves what must be kept and nothing else; and nothing that is
// personal is in the topics, the journal, logs, spans, traces or file names.
func TestPipeline(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	const asked, erased = 40, 12 // people 1 to 40; of them 3 to 14 are erased later
	var access []string
	for n := 1; n <= asked; n++ {
		access = append(access, p.submit(n, dsar.Access))
	}
	nobody := p.submitAs(people.NobodyEmail, dsar.Access)
	p.wait(append(slices.Clone(access), nobody)...)
	for i, id := range access {
		p.holds(id, i+1)
	}
	p.holds(nobody, 0)

	var gone []int
	var erasures []string
	for n := people.Leaver; n < people.Leaver+erased; n++ {
		gone = append(gone, n)
		erasures = append(erasures, p.submit(n, dsar.Erasure))
		if status := p.profileStatus(n); status != "0" && n < 12 { // those of the demo have one
			t.Errorf("PaymentTech says %q of person %d's profile before it is erased", status, n)
		}
	}
	p.wait(erasures...)
	for i, id := range erasures {
		p.certifies(id, gone[i], false)
	}
	p.onlyRetainedIsLeft(gone)
	p.noFileIsLeft(gone)
	p.vendorsHoldNothingOf(gone)
	p.othersAreAsTheyWere(asked, gone)

	spans := fmt.Appendf(nil, "%+v", p.spans.GetSpans()) // its Shutdown forgets them
	p.n.Stop()
	p.leaksNothing(spans)
}

// pipeline is a node on canaries, and what it told.
type pipeline struct {
	*testing.T
	people *people.Population
	n      *node.Node
	logs   *workertest.Log
	spans  *tracetest.InMemoryExporter
	told   []string // traces and lists as the command line prints them
	topics []byte   // every record of every topic
}

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	return newPipelineOf(t, 200, true, func(*config.Config) {})
}

// newPipelineOf returns one of another configuration, with so many people; with canaries, fields of the people are
// words that no program writes by itself.
func newPipelineOf(t *testing.T, size int, canaries bool, change func(*config.Config)) *pipeline {
	t.Helper()
	const seed = 7
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen, cfg.Monitor.Listen, cfg.Log.Level = "127.0.0.1:0", "127.0.0.1:0", "debug"
	cfg.Sandbox = &config.Sandbox{Seed: seed, People: size, Canaries: canaries}
	change(&cfg)
	p := &pipeline{T: t, people: populated(seed, size, canaries), logs: &workertest.Log{}, spans: tracetest.NewInMemoryExporter()}
	p.n, err = node.Start(t.Context(), cfg, node.Options{Logs: p.logs, Spans: []sdktrace.SpanProcessor{sdktrace.NewSimpleSpanProcessor(p.spans)}}, node.Everything())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.n.Stop)
	return p
}

// populated returns the people that the stand-ins make of the same numbers.
func populated(seed int64, size int, canaries bool) *people.Population {
	if canaries {
		return people.Canaries(seed, size)
	}
	return people.Generate(people.Config{Seed: seed, People: size, Files: true})
}

func (p *pipeline) submit(person int, right dsar.Right) string {
	p.Helper()
	return p.submitAs(p.people.Person(person).Email, right)
}

func (p *pipeline) submitAs(email string, right dsar.Right) string {
	p.Helper()
	r := upstream.Request{ID: uuid.NewString(), Right: right, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: email}
	if _, err := upstream.Post(p.Context(), p.n.URL(), "", r.JSON()); err != nil {
		p.Fatal(err)
	}
	return r.ID
}

// patience is how long a test waits for what must come: a busy machine's, below
// go test's own.
const patience = 4 * time.Minute

// wait waits until requests are completed.
func (p *pipeline) wait(ids ...string) {
	p.Helper()
	for _, id := range ids {
		if row := waitFor(p.T, p.n.Installation.Journal, id); row.Status != core.StatusCompleted {
			tr, _ := loadTrace(p.Context(), p.n.Installation, id)
			p.Fatalf("request %s is %s: %s", id, row.Status, tr.Attention)
		}
	}
}

// waitFor waits until a request has ended or needs a person.
func waitFor(t *testing.T, j journal.Journal, id string) journal.Row {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	beat := time.NewTicker(10 * time.Millisecond)
	defer beat.Stop()
	var last journal.Row
	for {
		row, err := j.Row(ctx, id)
		if s := row.Status; err == nil && (s.Ended() || s == core.StatusNeedsAttention) {
			return row
		}
		if err == nil {
			last = row
		}
		select {
		case <-ctx.Done():
			t.Fatalf("request %s doesn't end: %s, waits for %v (%v)", id, last.Status, last.Waiting, err)
		case <-beat.C:
		}
	}
}
