//go:build unfinished

package simulation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/secrets/localsecrets"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/relay"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// errCrash is a process that died at that point.
var errCrash = errors.New("crashed here")

// world is one run: the services, the bus between them, and the systems.
type world struct {
	t     testing.TB
	rng   *mathrand.Rand
	clock *clock
	calm  bool
	names int

	journal *memjournal.Store
	vault   *vault.Vault
	outbox  *blob.Bucket

	requests    *lifecycle.Lifecycle
	coordinator *coordinator.Coordinator
	relay       *relay.Relay
	aggregator  *aggregator.Aggregator
	systems     []*system
	workers     map[string]*worker.Worker

	topics  []*topic // in the order in which they were first written
	asked   []asked
	seeded  map[string]map[int]row // by system and row id: as it was at first
	history []string
}

// topic holds what was published and not acknowledged, in order.
type topic struct {
	name     string
	messages []journal.Message
}

// asked is a request of this run.
type asked struct {
	id     string
	right  dsar.Right
	person int
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{t: t, rng: mathrand.New(mathrand.NewPCG(seed, 1)), clock: &clock{t: start}, workers: map[string]*worker.Worker{}, seeded: map[string]map[int]row{}}
	ctx := t.Context()
	w.journal = memjournal.New(memjournal.Config{Fault: func(memjournal.Op, bool) error { return w.crash() }})
	var key [32]byte
	_, _ = rand.Read(key[:])
	keeper := localsecrets.NewKeeper(key)
	var err error
	if w.vault, err = vault.New(ctx, memblob.OpenBucket(nil), keeper); err != nil {
		t.Fatal(err)
	}
	w.outbox = memblob.OpenBucket(nil)
	w.addSystems()
	w.startServices()
	return w
}

// crash says whether the process dies at this point.
func (w *world) crash() error {
	if !w.calm && w.rng.IntN(60) == 0 {
		return errCrash
	}
	return nil
}

const people = 4

func (w *world) addSystems() {
	next := 0
	for _, m := range []*manifest.Manifest{
		newManifest("account", []dsar.IdentifierType{"email"}, []dsar.IdentifierType{"account_id"}, "billing"),
		newManifest("billing", []dsar.IdentifierType{"account_id"}, nil),
		newManifest("events", []dsar.IdentifierType{"email"}, nil),
	} {
		s := &system{manifest: m, rng: w.rng, clock: w.clock, finds: map[string]string{}, erased: map[int]int{}, lag: w.rng.IntN(3)}
		owner := email
		if m.System == "billing" {
			owner = account
		}
		s.populate(people, owner, &next)
		if len(m.Finds) > 0 {
			for p := range people - 1 { // the last one has no account
				s.finds[email(p)] = account(p)
			}
		}
		w.systems = append(w.systems, s)
		w.seeded[m.System] = map[int]row{}
		for _, r := range s.rows {
			w.seeded[m.System][r.id] = r
		}
	}
}

// startServices is what happens when every process is started again: nothing
// of their memory is left, all of their stores.
func (w *world) startServices() {
	log := slog.New(slog.DiscardHandler)
	w.requests = lifecycle.New(w.journal)
	w.coordinator = coordinator.New(coordinator.Config{Requests: w.requests, Timers: w.journal, Now: w.clock.now, Log: log})
	w.relay = w.newRelay(log)
	var manifests []*manifest.Manifest
	for _, s := range w.systems {
		manifests = append(manifests, s.manifest)
		wk, err := worker.New(s.manifest, s, worker.WithClock(w.clock.now), worker.WithConcurrency(1), worker.WithNames(w.name),
			worker.WithPause(func(context.Context, time.Duration) error { return nil }))
		if err != nil {
			w.t.Fatal(err)
		}
		w.workers[s.manifest.System] = wk
	}
	w.aggregator = w.newAggregator(manifests, log)
}

func (w *world) name() string {
	w.names++
	return fmt.Sprintf("%08d", w.names)
}

// Publish implements relay.Publisher: the bus takes the messages, or the
// process dies before or after some.
func (w *world) Publish(_ context.Context, messages []journal.Message) error {
	for _, m := range messages {
		if err := w.crash(); err != nil {
			return err
		}
		w.publish(m)
	}
	return w.crash()
}

func (w *world) publish(m journal.Message) {
	i := slices.IndexFunc(w.topics, func(t *topic) bool { return t.name == m.Topic })
	if i < 0 {
		w.topics = append(w.topics, &topic{name: m.Topic})
		i = len(w.topics) - 1
	}
	w.topics[i].messages = append(w.topics[i].messages, m)
}

// step lets one thing happen somewhere.
func (w *world) step(ctx context.Context) {
	switch n := w.rng.IntN(100); {
	case n < 30:
		_, err := w.relay.Step(ctx)
		w.restartAfter(err)
	case n < 90:
		w.deliver(ctx)
	case n < 94 && !w.calm:
		w.note("every process is started again")
		w.startServices()
	case n < 95 && !w.calm && w.rng.IntN(4) == 0:
		w.note("every topic is lost")
		w.topics = nil
	default:
		w.timePasses(ctx)
	}
}

// deliver takes one message off a topic: the oldest of some key.
func (w *world) deliver(ctx context.Context) {
	var full []*topic
	for _, t := range w.topics {
		if len(t.messages) > 0 {
			full = append(full, t)
		}
	}
	if len(full) == 0 {
		return
	}
	t := full[w.rng.IntN(len(full))]
	key := t.messages[w.rng.IntN(len(t.messages))].Key
	i := slices.IndexFunc(t.messages, func(m journal.Message) bool { return m.Key == key })
	m := t.messages[i]
	if !w.calm && t.name == event.TopicReports && w.rng.IntN(40) == 0 {
		w.note("a report of " + m.Key + " is lost")
		t.messages = slices.Delete(t.messages, i, i+1)
		return
	}
	if err := w.handle(ctx, t.name, m); err != nil {
		w.restartAfter(err)
		return // not acknowledged: it comes again
	}
	if !w.calm && w.rng.IntN(12) == 0 {
		return // the acknowledgement is lost: it comes again
	}
	t.messages = slices.Delete(t.messages, i, i+1)
}

func (w *world) handle(ctx context.Context, topic string, m journal.Message) error {
	e, err := event.Decode(m.Headers, m.Payload)
	if err != nil {
		w.t.Fatalf("a message of our own can't be read: %v", err)
	}
	switch topic {
	case event.TopicEvents:
		return nil
	case event.TopicReports:
		err := w.coordinator.Handle(ctx, e)
		if errors.Is(err, coordinator.ErrUnreadable) {
			w.t.Fatalf("a report of our own was rejected: %v", err)
		}
		return err
	case event.TopicTasks(dsar.Aggregator):
		answer, err := w.aggregator.Handle(ctx, e)
		if err != nil {
			return err
		}
		return w.answer(answer)
	default:
		for _, s := range w.systems {
			if topic != event.TopicTasks(s.manifest.System) {
				continue
			}
			if err := w.crash(); err != nil {
				return err
			}
			answers := w.workers[s.manifest.System].Handle(ctx, w.vault, []event.Event{e})
			return w.answer(answers[0])
		}
		w.t.Fatalf("a message on the topic %s, which nobody reads", topic)
		return nil
	}
}

func (w *world) answer(e event.Event) error {
	if e.Type != event.TypeReport {
		w.t.Fatalf("a worker answered with %q: %s", e.Type, e.Data)
	}
	if err := w.crash(); err != nil { // done, but nobody is told
		return err
	}
	for range 1 + w.rng.IntN(8)/7 {
		w.publish(journal.Message{Topic: event.TopicReports, Key: e.Subject, Headers: e.Headers(), Payload: e.Data})
	}
	return nil
}

// restartAfter starts everything again where a process died.
func (w *world) restartAfter(err error) {
	if errors.Is(err, errCrash) {
		w.note("a process died")
		w.startServices()
	}
}

// timePasses moves the clock on to the next timer, or a little, and has the
// coordinator look at its timers; a person looks at what needs attention.
func (w *world) timePasses(ctx context.Context) {
	w.clock.t = w.clock.t.Add(time.Duration(w.rng.IntN(5000)) * time.Millisecond)
	if wake := w.nextTimer(ctx); !wake.IsZero() && wake.After(w.clock.t) && (w.calm || w.rng.IntN(3) == 0) {
		w.clock.t = wake
	}
	_, err := w.coordinator.Tick(ctx)
	w.restartAfter(err)
	for _, a := range w.asked {
		row, err := w.journal.Row(ctx, a.id)
		if err == nil && row.Status == string(dsar.StatusNeedsAttention) {
			w.note("a person retries " + a.id)
			_, err = w.requests.Do(ctx, a.id, dsar.Retry{By: "agent", Now: w.clock.now()})
		}
		w.restartAfter(err)
	}
}

func (w *world) nextTimer(ctx context.Context) time.Time {
	var wake time.Time
	for _, a := range w.asked {
		row, err := w.journal.Row(ctx, a.id)
		if err == nil && !row.WakeAt.IsZero() && (wake.IsZero() || row.WakeAt.Before(wake)) {
			wake = row.WakeAt
		}
	}
	return wake
}

func (w *world) note(text string) {
	w.history = append(w.history, w.clock.t.Format("15:04:05.000 ")+text)
}

// open tells how many requests have not ended.
func (w *world) open(ctx context.Context) int {
	n := 0
	for _, a := range w.asked {
		if row, err := w.journal.Row(ctx, a.id); err != nil || !dsar.Status(row.Status).Ended() {
			n++
		}
	}
	return n
}
