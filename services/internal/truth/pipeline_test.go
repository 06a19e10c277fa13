package truth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/google/uuid"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/policy"
)

// kit is what all runs share.
type kit struct {
	book      *policy.Book
	validator *event.Validator
}

// pipeline is Habeas on a world: the real services, with a bus that loses and
// doubles what it carries.
type pipeline struct {
	*world
	rng     *rand.Rand // of what goes wrong
	now     time.Time
	journal *memjournal.Store
	life    *lifecycle.Lifecycle
	coord   *coordinator.Coordinator
	door    http.Handler
	vault   *vault.Vault
	outbox  *blob.Bucket
	workers map[string]*worker.Worker
	asked   int
	refused error // why a worker didn't start
}

// mutant is how a system's worker may break a promise. The zero mutant breaks none.
type mutant struct {
	wrap    func(*sqlsystem.System) any
	options []sqlsystem.Option
}

// newPipeline starts the services on a world, with a mutant of each worker.
func newPipeline(k kit, w *world, m mutant) *pipeline {
	p := &pipeline{world: w, rng: rand.New(rand.NewPCG(w.seed, 2)), now: today, journal: memjournal.New(memjournal.Config{}), outbox: memblob.OpenBucket(nil), workers: map[string]*worker.Worker{}}
	ctx := context.Background()
	var err error
	p.vault, err = vault.InMemory(ctx)
	p.must(err)
	p.life = lifecycle.New(p.journal)
	clock := func() time.Time { return p.now }
	log := slog.New(slog.DiscardHandler)
	noPause := worker.WithPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	p.coord = coordinator.New(coordinator.Config{Requests: p.life, Timers: p.journal, Now: clock, Log: log})
	catalogue, err := manifest.Catalogue(w.manifests)
	p.must(err)
	in, err := intake.New(intake.Config{Requests: p.life, Rows: p.journal, Vault: p.vault, Policy: k.book, Validator: k.validator, Catalogue: catalogue, Earlier: p.journal, Now: clock, Log: log})
	p.must(err)
	p.door = in.Handler()
	for i, s := range w.systems {
		db, err := sqlsystem.Open(ctx, w.manifests[i], w.files[s.name], append([]sqlsystem.Option{sqlsystem.WithClock(clock)}, m.options...)...)
		if err != nil { // the database reaches further than the manifest allows
			p.refused = err
			return p
		}
		w.Cleanup(func() { db.Close() })
		var impl any = db
		if m.wrap != nil {
			impl = m.wrap(db)
		}
		p.workers[s.name], err = worker.New(w.manifests[i], impl, worker.WithClock(clock), worker.WithConcurrency(1), noPause)
		p.must(err)
	}
	answers, err := aggregator.New(aggregator.Config{Vault: p.vault, Outbox: p.outbox, Manifests: w.manifests, Policy: aggregator.FromBook(k.book, ""), Now: clock})
	p.must(err)
	p.workers[dsar.Aggregator], err = aggregator.NewWorker(answers, noPause)
	p.must(err)
	return p
}

func (p *pipeline) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatalf("seed %d: %v", p.seed, err)
	}
}

// ask submits a request of a person and plays it until nothing moves any more.
func (p *pipeline) ask(right dsar.Right, person int) core.State {
	p.asked++
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, p.seed, p.asked)).String()
	jurisdiction := "EEA"
	if right == dsar.KnowCategories {
		jurisdiction = "California"
	}
	body, err := json.Marshal(event.Submitted{RequestID: id, Right: right, Jurisdiction: jurisdiction, Source: "truth", ReceivedAt: p.now,
		Subject: event.Subject{Identifiers: []event.SubjectIdentifier{{Type: "email", Value: email(person), Verified: true}}, Proven: []dsar.Check{dsar.CheckIdentity}}})
	p.must(err)
	r := httptest.NewRequest(http.MethodPost, "/v1/requests", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	p.door.ServeHTTP(answer, r)
	if answer.Code != http.StatusAccepted {
		p.Fatalf("seed %d: the door says %d: %s", p.seed, answer.Code, answer.Body)
	}
	return p.play(id)
}

// steps bounds a run: one that needs more is stuck.
const steps = 2000

// play delivers what is to be delivered and lets time pass, until the request has
// ended or waits for a person.
func (p *pipeline) play(id string) core.State {
	ctx := context.Background()
	for range steps {
		if p.deliver(ctx) {
			continue
		}
		state, err := p.life.State(ctx, id)
		p.must(err)
		wake := core.Wake(state)
		if state.Status.Ended() || state.Status == core.StatusNeedsAttention || wake.IsZero() {
			return state
		}
		if wake.After(p.now) {
			p.now = wake
		}
		_, err = p.coord.Tick(ctx)
		p.must(err)
	}
	p.Fatalf("seed %d: not over after %d steps", p.seed, steps)
	return core.State{}
}

// deliver carries what the journal wants carried; it tells whether there was
// anything.
func (p *pipeline) deliver(ctx context.Context) bool {
	pending, err := p.journal.Pending(ctx, 100)
	p.must(err)
	var ids []int64
	for _, m := range pending {
		ids = append(ids, m.ID)
		for range 1 + p.rarely(6) {
			p.take(ctx, m.Message)
		}
	}
	p.must(p.journal.Sent(ctx, ids))
	return len(pending) > 0
}

// rarely is 1 once in n times, else 0.
func (p *pipeline) rarely(n int) int {
	if p.rng.IntN(n) == 0 {
		return 1
	}
	return 0
}

// take has the service of a topic take a message, and its report back. Now and
// then the report is lost.
func (p *pipeline) take(ctx context.Context, m journal.Message) {
	system, isTask := strings.CutPrefix(m.Topic, event.TopicTasks(""))
	if !isTask {
		return
	}
	e, err := event.Decode(m.Headers, m.Payload)
	p.must(err)
	report := p.workers[system].Handle(ctx, p.vault, []event.Event{e})[0]
	if report.Type != event.TypeReport {
		p.Fatalf("seed %d: %s answered with %q: %s", p.seed, system, report.Type, report.Data)
	}
	if p.rarely(12) == 1 {
		return
	}
	for range 1 + p.rarely(6) {
		p.must(p.coord.Handle(ctx, report))
	}
}
