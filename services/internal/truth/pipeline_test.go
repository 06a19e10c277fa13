package truth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
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
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/links"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/letters"
)

// kit is what all runs share.
type kit struct {
	book      *policy.Book
	validator *event.Validator
}

// pipeline is Habeas on some systems: the real services, with a bus that loses and
// doubles what it carries.
type pipeline struct {
	testing.TB
	kit    kit
	seed   uint64
	rng    *rand.Rand // of what goes wrong
	quiet  bool       // nothing goes wrong
	deadly bool       // a worker may die between any two calls of its database
	// proveAgain is how long after its answer an erasure is proven anew; 0: never.
	// eraseAgain has what came back erased without asking a person.
	proveAgain time.Duration
	eraseAgain bool
	now        time.Time
	sites      []site
	proof      intake.Proof
	review     core.CorrectionReview
	journal    *memjournal.Store
	life       *lifecycle.Lifecycle
	coord      *coordinator.Coordinator
	letters    *letters.Letters
	door       http.Handler
	vault      *vault.Vault
	links      link.Memory
	hub        *link.Hub
	outbox     *blob.Bucket
	workers    map[string]*worker.Worker
	lives      map[string]*life // by system, of those whose database is asked through one
	mutant     mutant
	asked      int
	ids        []string // of requests that were handed in
	refused    error    // why a worker didn't start
	// before is called before each batch of tasks is handed to a system.
	before func(system string, action dsar.Action)
	// stuck has what a system is asked to erase for a request get lost before it is done, or
	// its reports withheld.
	stuck    map[string]stuck
	stuckIs  string // the request
	withheld []event.Event
}

// stuck is how a system's erasures don't get on.
type stuck int

const (
	untaken stuck = 1 + iota // the task never comes
	unheard                  // it is done, and the report is late
)

// unstick lets all go on: late reports come.
func (p *pipeline) unstick() {
	p.Helper()
	for _, report := range p.withheld {
		p.must(p.coord.Handle(p.ctx(), report))
	}
	p.stuck, p.withheld = nil, nil
}

// site is a system as a pipeline serves it: from its manifest alone, or by a worker of
// its own.
type site struct {
	manifest *manifest.Manifest
	source   string // where pkg/sqlsystem serves it
	impl     any    // else
	options  []worker.Option
}

// mutant is how a system's worker may break a promise. The zero mutant breaks none.
type mutant struct {
	wrap    func(*sqlsystem.System) any
	options []sqlsystem.Option
}

// newPipeline returns a pipeline that [pipeline.start] starts, once it has its systems.
func newPipeline(k kit, t testing.TB, seed uint64) *pipeline {
	return &pipeline{TB: t, kit: k, seed: seed, rng: rand.New(rand.NewPCG(seed, 2)), now: today, workers: map[string]*worker.Worker{}, lives: map[string]*life{}}
}

// start starts the services, and a worker for each system with a mutant of it.
func (p *pipeline) start(m mutant) {
	p.Helper()
	p.mutant, p.journal, p.outbox = m, memjournal.New(memjournal.Config{}), memblob.OpenBucket(nil)
	var manifests []*manifest.Manifest
	for _, s := range p.sites {
		manifests = append(manifests, s.manifest)
	}
	var err error
	p.vault, err = vault.InMemory(p.ctx())
	p.must(err)
	p.life = lifecycle.New(p.journal, lifecycle.WithPrints(prints.Prints{Vault: p.vault}))
	clock := func() time.Time { return p.now }
	log := slog.New(slog.DiscardHandler)
	p.hub = link.NewHub(p.vault, &p.links, clock, link.WithHolds(links.NewHolds(p.life, p.journal, prints.Prints{Vault: p.vault}, manifests)),
		link.WithFormers(links.Formers{Requests: p.life, Journal: p.journal, Prints: prints.Prints{Vault: p.vault, Index: p.journal}, Now: clock}))
	p.coord = coordinator.New(coordinator.Config{Requests: p.life, Timers: p.journal, Keeper: &keeper.Keeper{Requests: p.life, Journal: p.journal, Vault: p.vault, Outbox: p.outbox, Now: clock}, Links: p.hub, Manifests: manifests, Now: clock, Log: log})
	p.letters = letters.New(letters.Config{Requests: p.life, Writer: letter.NewWriter(p.kit.book, operator.Operator{Name: "Example"}), Outbox: p.outbox, Now: clock, Log: log})
	catalogue, err := manifest.Catalogue(manifests)
	p.must(err)
	purposes := manifest.Purposes{}
	for _, m := range manifests {
		maps.Copy(purposes, m.UsedFor())
	}
	columns, concepts := manifest.Fields(manifests)
	in, err := intake.New(intake.Config{Purposes: purposes, Receivers: intake.Receivers(manifests), Columns: columns, Concepts: concepts, Requests: p.life, Rows: p.journal, Vault: p.vault, Policy: p.kit.book, Validator: p.kit.validator, Catalogue: catalogue, Finder: p.journal, Proof: p.proof, CorrectionReview: p.review, LooksBack: true, ToldBy: core.ChannelOutbox, ProveAgain: p.proveAgain, EraseAgain: p.eraseAgain, Now: clock, Log: log})
	p.must(err)
	p.door = in.Handler()
	for _, s := range p.sites {
		if p.refused = p.serve(s); p.refused != nil { // the database reaches further than the manifest allows
			return
		}
	}
	answers, err := aggregator.New(aggregator.Config{Outbox: p.outbox, Manifests: manifests, Policy: aggregator.FromBook(p.kit.book, operator.Operator{Name: ""}, purposes), Now: clock})
	p.must(err)
	p.workers[dsar.Aggregator], err = aggregator.NewWorker(answers, noPause)
	p.must(err)
}

var noPause = worker.WithPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })

// serve starts a system's worker, also after one that died.
func (p *pipeline) serve(s site) error {
	clock := func() time.Time { return p.now }
	impl := s.impl
	if impl == nil {
		options := append([]sqlsystem.Option{sqlsystem.WithClock(clock)}, p.mutant.options...)
		var db *sqlsystem.System
		var err error
		if p.deadly {
			l := &life{rng: p.rng}
			p.lives[s.manifest.System] = l
			db, err = sqlsystem.New(p.ctx(), s.manifest, l.open(p, s.source), dialectOf(s.source), options...)
		} else {
			db, err = sqlsystem.Open(p.ctx(), s.manifest, s.source, options...)
		}
		if err != nil {
			return err
		}
		p.Cleanup(func() { db.Close() })
		impl = db
		if p.mutant.wrap != nil {
			impl = p.mutant.wrap(db)
		}
	}
	w, err := worker.New(s.manifest, impl, append([]worker.Option{worker.WithClock(clock), worker.WithConcurrency(1), noPause}, s.options...)...)
	p.must(err)
	p.workers[s.manifest.System] = w
	return nil
}

func (p *pipeline) ctx() context.Context { return context.Background() }

func (p *pipeline) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatalf("seed %d: %v", p.seed, err)
	}
}

// post hands something in at the door.
func (p *pipeline) post(path string, body []byte) (code int, says string) {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:5000", "localhost:8420"
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	p.door.ServeHTTP(answer, r)
	return answer.Code, answer.Body.String()
}

// steps bounds a run: one that needs more is stuck.
const steps = 2000

// play delivers what is to be delivered and lets time pass, until the request has
// ended or waits for a person; then its letters are written.
func (p *pipeline) play(id string) core.State {
	p.Helper()
	for range steps {
		if p.deliver() {
			continue
		}
		state, err := p.life.State(p.ctx(), id)
		p.must(err)
		if state.Status == core.StatusDelivering { // it is completed once its letter was written
			p.must(p.letters.Handle(p.ctx(), id))
			continue
		}
		wake := core.Wake(state)
		if state.Status.Ended() || state.Status == core.StatusNeedsAttention || state.Awaited != "" || wake.IsZero() {
			p.must(p.letters.Handle(p.ctx(), id))
			return state
		}
		p.until(wake)
	}
	p.Fatalf("seed %d: not over after %d steps", p.seed, steps)
	return core.State{}
}

// until lets time pass until a moment.
func (p *pipeline) until(at time.Time) {
	p.Helper()
	if at.After(p.now) {
		p.now = at
	}
	_, err := p.coord.Tick(p.ctx())
	p.must(err)
}

// deliver carries what the journal wants carried; it tells whether there was
// anything. Tasks of one system that follow on each other come to it in one batch.
func (p *pipeline) deliver() bool {
	p.Helper()
	pending, err := p.journal.Pending(p.ctx(), 100)
	p.must(err)
	var ids []int64
	var tasks []journal.Message
	for _, m := range pending {
		ids = append(ids, m.ID)
		for range 1 + p.rarely(6) {
			if strings.HasPrefix(m.Topic, event.TopicTasks("")) {
				tasks = append(tasks, m.Message)
			}
		}
	}
	for len(tasks) > 0 {
		topic, n := tasks[0].Topic, 1
		for n < len(tasks) && p.stuck == nil && tasks[n].Topic == topic && tasks[n].Key != tasks[n-1].Key {
			n++
		}
		p.take(strings.TrimPrefix(topic, event.TopicTasks("")), tasks[:n])
		tasks = tasks[n:]
	}
	p.must(p.journal.Sent(p.ctx(), ids))
	return len(pending) > 0
}

// rarely is 1 once in n times, else 0.
func (p *pipeline) rarely(n int) int {
	if !p.quiet && p.rng.IntN(n) == 0 {
		return 1
	}
	return 0
}

// take has a system's worker do tasks, and the coordinator take its reports. Now and
// then a report is lost, or comes twice; a worker that dies is started anew and handed
// the same tasks.
func (p *pipeline) take(system string, messages []journal.Message) {
	p.Helper()
	var tasks []event.Event
	var action dsar.Action
	for _, m := range messages {
		e, err := event.Decode(m.Headers, m.Payload)
		p.must(err)
		action = actionOf(e)
		e.Data, err = p.hub.SealTask(p.ctx(), e.Data)
		p.must(err)
		tasks = append(tasks, e)
	}
	how := stuck(0)
	if action == dsar.Erase && messages[0].Key == p.stuckIs {
		how = p.stuck[system]
	}
	if how == untaken {
		return
	}
	if p.before != nil {
		p.before(system, action)
	}
	key, err := p.links.Key(system)
	p.must(err)
	access := worker.Access{Link: key, Objects: p.vault.Objects}
	l := p.lives[system]
	l.mayDie(p.rarely(3) == 1)
	reports := p.workers[system].Handle(p.ctx(), access, tasks)
	if l.dead() {
		i := slices.IndexFunc(p.sites, func(s site) bool { return s.manifest.System == system })
		p.must(p.serve(p.sites[i]))
		reports = p.workers[system].Handle(p.ctx(), access, tasks)
	}
	for _, report := range reports {
		if report.Type != event.TypeReport {
			p.Fatalf("seed %d: %s answered with %q: %s", p.seed, system, report.Type, report.Data)
		}
		if how == unheard {
			p.withheld = append(p.withheld, report)
			continue
		}
		if p.rarely(12) == 1 {
			continue
		}
		for range 1 + p.rarely(6) {
			p.must(p.coord.Handle(p.ctx(), report))
		}
	}
}

// written returns the letters to the person of a request, in the order of their names.
func (p *pipeline) written(id string) []string {
	p.Helper()
	var texts []string
	list := p.outbox.List(&blob.ListOptions{Prefix: "letters/" + id})
	for {
		o, err := list.Next(p.ctx())
		if errors.Is(err, io.EOF) {
			return texts
		}
		p.must(err)
		text, err := p.outbox.ReadAll(p.ctx(), o.Key)
		p.must(err)
		texts = append(texts, string(text))
	}
}
