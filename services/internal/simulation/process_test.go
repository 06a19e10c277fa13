package simulation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/cloudvault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/links"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/relay"
)

// process is a group of services that start and die together. Starting it again
// forgets all that it had in memory; the stores are what is left.
type process struct {
	name  string
	start func()
}

// processes holds the processes of a simulation. There are two doors and two
// coordinators: what one has cached, the other changes.
type processes struct {
	doors        [2]*door
	coordinators [2]*coordinating
	relay        *relaying
	aggregator   *aggregating
	workers      map[string]*working
}

type door struct {
	process
	intake  *intake.Intake
	handler http.Handler
}

type coordinating struct {
	process
	*coordinator.Coordinator
	requests *lifecycle.Lifecycle
	desk     *lifecycle.Lifecycle // of a person, who acts in the same way
}

type relaying struct {
	process
	*relay.Relay
}

type aggregating struct {
	process
	*worker.Worker
	access worker.Access
}

type working struct {
	process
	*worker.Worker
	access worker.Access
}

// startAll starts every process, and restarts those that run.
func (w *simulation) startAll() {
	w.all.workers = map[string]*working{}
	for i := range w.all.doors {
		w.startDoor(i)
		w.startCoordinator(i)
	}
	w.startRelay()
	w.startAggregator()
	for _, s := range w.systems {
		w.startWorker(s)
	}
}

// openVault opens the vault as a process does when it starts.
func (w *simulation) openVault() (v *vault.Vault) {
	w.look(func() {
		var err error
		v, err = vault.New(context.Background(), cloudvault.Bucket(w.vault.Open()), vault.KeysIn(cloudvault.Bucket(w.vault.Open())), w.master)
		w.must(err)
	})
	return v
}

// hub returns the coordinator's end of all links, as a process has it.
func (w *simulation) hub(v *vault.Vault) *link.Hub { return link.NewHub(v, &w.links, w.clock.now) }

// access returns what a system's worker has of its own, as a process has it.
func (w *simulation) access(system string) worker.Access {
	key, err := w.links.Key(system)
	w.must(err)
	return worker.Access{Link: key, Objects: w.openVault().Objects}
}

// isExpired reports whether a worker turned a task away since it came too late.
func isExpired(answer event.Event) bool {
	var r event.Rejected
	return unmarshal(answer.Data, &r) == nil && r.Code == worker.CodeExpired
}

// newLifecycle returns a process' own: with its own memory of the journal. It appends what
// that service's role may, and a run fails where it appends anything else.
func (w *simulation) newLifecycle(v *vault.Vault, role string) *lifecycle.Lifecycle {
	var j lifecycle.Journal = w.journal
	if w.mutant.journal != nil {
		j = w.mutant.journal(w.journal)
	}
	i := slices.IndexFunc(pgjournal.Roles(), func(r pgjournal.Role) bool { return r.Name == role })
	with := lifecycle.WithPrints(prints.Prints{Vault: v})
	if v == nil { // it opens nothing
		with = func(*lifecycle.Lifecycle) {}
	}
	return lifecycle.New(granted{j, w, pgjournal.Roles()[i]}, with)
}

// seals returns what a door has of journal and vault: in some runs no door has the master
// key, in some one has it still, in others all of them.
func (w *simulation) seals(i int) (r *lifecycle.Lifecycle, v intake.Vault) {
	opens := w.openVault()
	if w.opening == doorsOpen {
		return w.newLifecycle(opens, "habeas_intake"), opens
	}
	w.look(func() {
		key, err := opens.MakeSealingKey(context.Background(), false)
		w.must(err)
		v, err = vault.NewSealer(context.Background(), vault.KeysIn(cloudvault.Bucket(w.vault.Open())), key, identifier.Rules{})
		w.must(err)
	})
	if w.opening == oneDoorOpens && i == 0 {
		return w.newLifecycle(opens, "habeas_intake"), opens
	}
	return w.newLifecycle(nil, "habeas_intake"), v
}

// Which doors have the master key.
const (
	doorsSeal = iota
	oneDoorOpens
	doorsOpen
	openings
)

// granted is the journal as a service's role has it.
type granted struct {
	lifecycle.Journal
	w    *simulation
	role pgjournal.Role
}

func (g granted) Append(ctx context.Context, a journal.Append) error {
	for _, f := range a.Facts {
		if !g.role.MayAppend(f.Type) {
			g.w.fail("%s appends %s, which its role may not", g.role.Name, f.Type)
		}
	}
	return g.Journal.Append(ctx, a)
}

func (w *simulation) startDoor(i int) {
	purposes := manifest.Purposes{}
	for _, m := range w.manifests() {
		maps.Copy(purposes, m.UsedFor())
	}
	columns, concepts := manifest.Fields(w.manifests())
	requests, seals := w.seals(i)
	in, err := intake.New(intake.Config{
		Requests: requests, Rows: w.journal, Vault: seals, Policy: w.book, Validator: w.validator,
		Catalogue: w.catalogue(), Purposes: purposes, Columns: columns, Concepts: concepts, ProveAgain: proveAgain, EraseAgain: w.erasesAgain, Rejected: w, Now: w.clock.now, Log: w.log,
	})
	w.must(err)
	w.all.doors[i] = &door{process{fmt.Sprint("intake ", i), func() { w.startDoor(i) }}, in, in.Handler()}
}

func (w *simulation) startCoordinator(i int) {
	v := w.openVault()
	requests := w.newLifecycle(v, "habeas_coordinator")
	var applied coordinator.Requests = requests
	if w.mutant.requests != nil {
		applied = w.mutant.requests(requests)
	}
	c := coordinator.New(coordinator.Config{Requests: applied, Timers: w.journal, Links: w.hub(v), Manifests: w.manifests(), Now: w.clock.now, Log: w.log})
	w.all.coordinators[i] = &coordinating{process{fmt.Sprint("coordinator ", i), func() { w.startCoordinator(i) }}, c, requests, w.newLifecycle(v, "habeas_console")}
}

func (w *simulation) startRelay() {
	var queue journal.Queue = w.journal
	if w.mutant.queue != nil {
		queue = w.mutant.queue(w.journal)
	}
	// Batches are small, so that one can break off in the middle of a request.
	v := w.openVault()
	confirms := lifecycle.New(w.journal, lifecycle.WithPrints(prints.Prints{Vault: v}), lifecycle.WithConfirming(1))
	r := relay.New(relay.Config{Queue: queue, Publisher: links.Sealing{Hub: w.hub(v), Next: w}, Log: w.log, Batch: 1 + w.rng.IntN(20), Confirm: confirms.Confirm, Dropped: w.dropped})
	w.all.relay = &relaying{process{"relay", w.startRelay}, r}
}

// dropped fails the run where the relay doesn't believe what the services wrote. A task that
// was answered or sent anew while its message waited needn't go out.
func (w *simulation) dropped(_ context.Context, m journal.Message, why error) {
	if !errors.Is(why, lifecycle.ErrMovedOn) {
		w.fail("the relay drops a message to %s of request %s: %v", m.Topic, m.Key, why)
	}
	if w.spy.over == nil {
		w.spy.over = map[string]bool{}
	}
	w.spy.over[m.Headers[event.HeaderID]] = true
}

func (w *simulation) startAggregator() {
	a, err := aggregator.New(aggregator.Config{
		Outbox: w.outbox.Open(), Manifests: w.manifests(), Policy: aggregator.FromBook(w.book, operator.Operator{Name: ""}, nil), Now: w.clock.now,
	})
	w.must(err)
	wk, err := aggregator.NewWorker(a, worker.WithLogger(w.log), worker.WithPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))
	w.must(err)
	w.all.aggregator = &aggregating{process{"aggregator", w.startAggregator}, wk, w.access(dsar.Aggregator)}
}

func (w *simulation) startWorker(s *system) {
	wk, err := worker.New(s.manifest, s.implementation(), worker.WithClock(w.clock.now), worker.WithConcurrency(1), worker.WithNames(w.name),
		worker.WithLogger(w.log), worker.WithPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))
	w.must(err)
	w.all.workers[s.manifest.System] = &working{process{"worker " + s.manifest.System, func() { w.startWorker(s) }}, wk, w.access(s.manifest.System)}
}

func (w *simulation) name() string {
	w.names++
	return fmt.Sprintf("%08d", w.names)
}

func (w *simulation) manifests() []*manifest.Manifest {
	var all []*manifest.Manifest
	for _, s := range w.systems {
		all = append(all, s.manifest)
	}
	return all
}

func (w *simulation) catalogue() []dsar.System {
	all, err := manifest.Catalogue(w.manifests())
	w.must(err)
	return all
}

// carry lets the relay carry a batch, and reports whether there was one.
func (w *simulation) carry(ctx context.Context) bool {
	n := 0
	w.run(ctx, &w.all.relay.process, func(ctx context.Context) (err error) {
		n, err = w.all.relay.Step(ctx)
		return err
	})
	return n > 0
}

// tick lets a coordinator apply the timers.
func (w *simulation) tick(ctx context.Context) {
	c := w.all.coordinators[w.rng.IntN(len(w.all.coordinators))]
	w.run(ctx, &c.process, func(ctx context.Context) error {
		_, err := c.Tick(ctx)
		return err
	})
}

// work lets the service of a topic handle messages, each of another request, and
// returns which of them it is done with.
func (w *simulation) work(ctx context.Context, topic string, messages []*message) []bool {
	events := make([]event.Event, len(messages))
	if topic != event.TopicRequests {
		for i, m := range messages {
			e, err := event.Decode(m.Headers, m.Payload)
			if err != nil {
				w.fail("a message of our own on %s can't be read: %v", topic, err)
				return make([]bool, len(messages))
			}
			events[i] = e
		}
	}
	for _, s := range w.systems {
		if topic == event.TopicTasks(s.manifest.System) {
			return w.workOnTasks(ctx, s, events)
		}
	}
	done := make([]bool, len(messages))
	for i, m := range messages {
		done[i] = w.workOn(ctx, topic, m, events[i])
	}
	return done
}

func (w *simulation) workOn(ctx context.Context, topic string, m *message, e event.Event) bool {
	switch topic {
	case event.TopicEvents, event.TopicRejected:
		return true
	case event.TopicRequests:
		d := w.all.doors[w.rng.IntN(len(w.all.doors))]
		return w.run(ctx, &d.process, func(ctx context.Context) error { return d.intake.HandleMessage(ctx, m.Headers, m.Key, m.Payload) })
	case event.TopicReports:
		c := w.all.coordinators[w.rng.IntN(len(w.all.coordinators))]
		return w.run(ctx, &c.process, func(ctx context.Context) error { return c.Handle(ctx, e) })
	case event.TopicTasks(dsar.Aggregator):
		a := w.all.aggregator
		return w.run(ctx, &a.process, func(ctx context.Context) error {
			answer := a.Handle(ctx, a.access, []event.Event{e})[0]
			if answer.Type == "" { // it comes again
				return context.Cause(ctx)
			}
			if answer.Type == event.TypeRejected && isExpired(answer) {
				return nil
			}
			return w.answer(answer)
		})
	default:
		w.fail("a message on the topic %s, which nobody reads", topic)
		return false
	}
}

func (w *simulation) workOnTasks(ctx context.Context, s *system, events []event.Event) []bool {
	done := make([]bool, len(events))
	wk := w.all.workers[s.manifest.System]
	s.handed(events)
	w.run(ctx, &wk.process, func(ctx context.Context) error {
		if err := w.point(); err != nil {
			return err
		}
		for i, answer := range wk.Handle(ctx, wk.access, events) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if answer.Type == event.TypeRejected && isExpired(answer) {
				done[i] = true // it was away for long, and the task was sent anew
				continue
			}
			if answer.Type != event.TypeReport {
				w.fail("the worker %s answered with %q", s.manifest.System, answer.Type)
				return nil
			}
			if err := w.answer(answer); err != nil {
				return err
			}
			done[i] = true
		}
		return nil
	})
	return done
}

// answer publishes a report, unless the process dies before: then the work is done
// and nobody is told.
func (w *simulation) answer(e event.Event) error {
	if err := w.point(); err != nil {
		return err
	}
	w.publish(journal.Message{Topic: event.TopicReports, Key: e.Subject, Headers: e.Headers(), Payload: e.Data})
	return w.point()
}
