package simulation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"gocloud.dev/secrets/localsecrets"

	"habeas.dev/pkg/link"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/cloudvault"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/internal/blobtest"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// simulation is one run: the services, the bus between them, and the systems.
type simulation struct {
	kit
	rng *mathrand.Rand
	// changes decides when the configuration changes: apart, so that seeds stay what they were.
	changes *mathrand.Rand
	clock   *clock
	calm    bool // nothing goes wrong any more
	// erasesAgain has what a backup brings back erased without asking a person; anew is
	// what people have anew afterwards, by system.
	erasesAgain bool
	opening     int // which doors have the master key
	anew        map[string][]row
	looking     bool // the one who looks is not part of the simulation: nothing goes wrong for them
	inside      bool // another decider is let in already
	names       int
	rates       rates

	journal *memjournal.Store
	vault   *blobtest.Bucket
	outbox  *blobtest.Bucket
	master  vault.Master
	links   link.Memory

	observer *lifecycle.Lifecycle // of whoever looks
	current  *life                // of the process whose turn it is
	all      processes
	systems  []*system
	topics   []*topic // in the order in which they were first written
	asked    []*asked

	log     *slog.Logger
	spy     spy
	history []string
	broken  []string // what should never be

	mutant mutant
}

// mutant holds the places at which a guarantee can be broken on purpose.
type mutant struct {
	requests func(*lifecycle.Lifecycle) coordinator.Requests
	journal  func(*memjournal.Store) lifecycle.Journal
	queue    func(*memjournal.Store) journal.Queue
	message  func(*journal.Message)
}

// rates say how often something goes wrong: once in so many times. Each run has
// its own, so that some break all the time and others hardly ever.
type rates struct {
	crash, outage, vendor, lost, twice, reordered, race, topicsLost int
}

// life is one call of a process, which returns or dies.
type life struct {
	p      *process
	dead   bool
	cancel context.CancelCauseFunc
	outer  *life // the call that is waiting for this one
}

// die ends the process, and everything else that it is doing.
func (l *life) die() {
	for o := l; o != nil; o = o.outer {
		if o.p == l.p {
			o.dead = true
			o.cancel(errCrash)
		}
	}
}

// What goes wrong with the stores. Their texts are such as drivers have.
var (
	errCrash  = errors.New("crashed here")
	errOutage = errors.New("the store does not answer")
)

func newSimulation(k kit, seed uint64) *simulation {
	w := &simulation{kit: k, rng: mathrand.New(mathrand.NewPCG(seed, 1)), changes: mathrand.New(mathrand.NewPCG(seed, 2)), clock: &clock{t: start}}
	rate := func() int { return []int{12, 40, 120, 400}[w.rng.IntN(4)] }
	w.rates = rates{crash: 4 * rate(), outage: 4 * rate(), vendor: (rate() + 2) / 3, lost: rate(), twice: rate(), reordered: rate(), race: rate(), topicsLost: 4 * rate()}
	w.journal = memjournal.New(memjournal.Config{Fault: w.journalFault})
	w.vault = &blobtest.Bucket{Fault: w.bucketFault}
	w.outbox = &blobtest.Bucket{Fault: w.bucketFault}
	key, err := localsecrets.NewRandomKey()
	w.must(err)
	w.observer = lifecycle.New(w.journal)
	w.master = cloudvault.Master(localsecrets.NewKeeper(key))
	w.log, err = telemetry.NewLogger(&w.spy.log, telemetry.LogConfig{Level: slog.LevelDebug})
	w.must(err)
	w.addSystems()
	w.addRequests(seed)
	w.erasesAgain, w.opening = seed%2 == 0, int(seed/2%openings)
	w.spy.canaries = newCanaries()
	return w
}

// fail records that something is as it must never be.
func (w *simulation) fail(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// must fails the run for an error that only a mistake in the simulation can cause.
func (w *simulation) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (w *simulation) note(format string, args ...any) {
	w.history = append(w.history, w.clock.t.Format("02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// hits reports whether something that goes wrong once in n times does so now.
func (w *simulation) hits(n int) bool {
	return !w.calm && !w.looking && n > 0 && w.rng.IntN(n) == 0
}

// look runs f for the test itself, outside of any process: nothing goes wrong in
// it.
func (w *simulation) look(f func()) {
	was := w.looking
	w.looking = true
	f()
	w.looking = was
}

// beCalm ends all faults.
func (w *simulation) beCalm() {
	if !w.calm {
		w.note("from here on, nothing goes wrong")
	}
	w.calm = true
}

// run lets a process do something, and reports whether it did: without an error,
// and without dying.
func (w *simulation) run(ctx context.Context, p *process, do func(context.Context) error) bool {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	own := &life{p: p, cancel: cancel, outer: w.current}
	w.current = own
	err := do(ctx)
	w.current = own.outer
	if own.dead {
		w.note("%s died", p.name)
		p.start()
		return false
	}
	if err != nil {
		w.note("%s failed: %v", p.name, err)
		if w.calm {
			w.fail("%s failed, though nothing goes wrong any more: %v", p.name, err)
		}
		w.log.Warn("a message is tried again", "error", err)
	}
	return err == nil
}

// point marks a place at which the process that runs may die.
func (w *simulation) point() error {
	if w.current == nil || w.current.dead || !w.hits(w.rates.crash) {
		return nil
	}
	w.current.die()
	return errCrash
}

func (w *simulation) journalFault(op memjournal.Op, after bool) error {
	if w.looking {
		return nil
	}
	if err := w.point(); err != nil {
		return err
	}
	if op == memjournal.OpAppend && !after {
		w.letAnotherIn()
	}
	if w.hits(w.rates.outage) {
		return &journal.StorageError{Where: "memory", What: "it does not answer", Cure: "wait", Err: errOutage}
	}
	return nil
}

func (w *simulation) bucketFault(blobtest.Op, bool) error {
	if err := w.point(); err != nil {
		return err
	}
	if w.hits(w.rates.outage) {
		return errOutage
	}
	return nil
}

// letAnotherIn lets another process decide between a process' load and its append.
func (w *simulation) letAnotherIn() {
	if w.inside || !w.hits(w.rates.race) {
		return
	}
	w.inside = true
	defer func() { w.inside = false }()
	ctx := context.Background()
	if w.rng.IntN(3) == 0 {
		w.tick(ctx)
		return
	}
	for _, t := range w.topics {
		if t.isReports() && len(t.messages) > 0 {
			w.deliverFrom(ctx, t)
			return
		}
	}
}

// step makes one thing happen.
func (w *simulation) step(ctx context.Context) {
	switch n := w.rng.IntN(100); {
	case n < 25:
		w.carry(ctx)
	case n < 85:
		w.deliver(ctx)
	case n < 90:
		w.submitAll(ctx)
	case n < 92 && !w.calm:
		w.note("every process is started again")
		w.startAll()
	case n < 94 && w.hits(w.rates.topicsLost/10):
		w.note("every topic is lost")
		w.topics = nil
	case n < 95 && !w.calm:
		w.goBack()
	case n < 96 && w.hits(w.rates.lost):
		w.loseAnObject()
	default:
		w.timePasses(ctx)
	}
}

// calmStep makes progress as fast as possible: time passes only when nothing else
// can happen.
func (w *simulation) calmStep(ctx context.Context) {
	switch {
	case w.rng.IntN(3) == 0 && w.carry(ctx):
	case w.deliver(ctx):
	case w.carry(ctx):
	default:
		w.timePasses(ctx)
	}
}

// isOver reports whether every request has ended, and everything is carried and
// read.
func (w *simulation) isOver(ctx context.Context) (over bool) {
	w.look(func() {
		pending, err := w.journal.Pending(ctx, 1)
		w.must(err)
		over = w.open(ctx) == 0 && len(pending) == 0
		for _, t := range w.topics {
			over = over && len(t.messages) == 0
		}
	})
	return over
}

// open returns how many requests have not ended.
func (w *simulation) open(ctx context.Context) (n int) {
	w.look(func() {
		for _, a := range w.asked {
			if row, err := w.journal.Row(ctx, a.id); err != nil || !row.Status.Ended() {
				n++
			}
		}
	})
	return n
}
