package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/vendorapi/ledger"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/relay"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/internal/transport"
	"habeas.dev/services/letters"
)

const (
	// timersAtOnce is how many timers share a commit of the journal: about as many
	// as one takes in while the one before it reaches the disk.
	timersAtOnce = 16
	// topicTime bounds how long the brokers, and the topics, may take to be there
	// at the start.
	topicTime = 30 * time.Second
	// reachInterval is how often a system that is down is tried at least.
	reachInterval = 10 * time.Second
)

// roles are the services that a process runs.
type roles struct {
	intake, coordinator, aggregator, letters, console bool
	// worker tells whether the process runs a system's worker; nil: none.
	worker func(system string) bool
	// whole processes have the embedded broker and the sandbox, where the
	// configuration has no other broker, and asks for a sandbox.
	whole bool
}

// everything is one process with every service.
func everything() roles {
	return roles{intake: true, coordinator: true, aggregator: true, letters: true, console: true, worker: func(string) bool { return true }, whole: true}
}

// node is a process with some of Habeas' services, or all.
type node struct {
	*process
	cfg       config.Config
	in        *installation.Installation
	manifests []*manifest.Manifest
	brokers   []string
	bus       bus.Config
	health    *health
	address   string // of the HTTP door or the health endpoints; empty without
	console   string // the console's address; empty without

	vendorCalls func() int64 // of the sandbox's stand-ins; nil without them
}

// startNode starts the services of some roles on what the configuration names.
// On an error nothing is left running.
func startNode(ctx context.Context, cfg config.Config, out outlets, r roles) (_ *node, err error) {
	p, err := newProcess(ctx, cfg, out)
	if err != nil {
		return nil, err
	}
	n := &node{process: p, health: newHealth(p.log)}
	defer func() {
		if err != nil {
			n.stop()
		}
	}()
	serve, err := n.listenHTTP(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if r.whole {
		cfg = withSandbox(cfg)
	}
	if n.manifests, err = loadManifests(cfg); err != nil {
		return nil, err
	}
	catalogue, err := manifest.Catalogue(n.manifests)
	if err != nil {
		return nil, err
	}
	if err := n.startBroker(ctx, cfg, r); err != nil {
		return nil, err
	}
	if r.whole {
		if cfg, err = n.startSandbox(ctx, cfg); err != nil {
			return nil, err
		}
	}
	n.cfg = cfg
	if n.in, err = installation.Make(ctx, cfg, r.parts(), lifecycle.WithMeter(n.tel.Meters())); err != nil {
		return nil, err
	}
	n.onStop(n.in.Close)
	door, err := n.startServices(ctx, r, catalogue)
	if err != nil {
		return nil, err
	}
	if err := n.health.measure(n.tel.Meters()); err != nil {
		return nil, err
	}
	serve(door)
	return n, nil
}

// parts are what the services of the roles stand on.
func (r roles) parts() installation.Parts {
	return installation.Parts{
		Journal: r.intake || r.coordinator || r.letters || r.console,
		Vault:   r.intake || r.aggregator || r.letters || r.console || r.worker != nil,
		Outbox:  r.aggregator || r.letters,
	}
}

// listenHTTP takes the address of the door; what it returns serves the door, and
// the health endpoints beside it.
func (n *node) listenHTTP(ctx context.Context, cfg config.Config) (serve func(door http.Handler), err error) {
	if cfg.Listen == "" {
		return func(http.Handler) {}, nil
	}
	l, err := n.listen(ctx, cfg.Listen)
	if err != nil {
		return nil, err
	}
	n.address = l.Addr().String()
	return func(door http.Handler) {
		mux := http.NewServeMux()
		if door != nil {
			mux.Handle("/", door)
		}
		mux.Handle("GET /healthz", n.health.handler())
		mux.Handle("GET /readyz", n.health.handler())
		mux.Handle("GET /metrics", n.scrape)
		n.serve("http", intake.Server(mux), l)
	}, nil
}

// startBroker has a broker with all topics: the configured one, where they are
// checked, or the embedded, where they are made.
func (n *node) startBroker(ctx context.Context, cfg config.Config, r roles) error {
	if len(cfg.Kafka.Brokers) == 0 {
		if !r.whole {
			return errors.New("a service by itself needs a Kafka cluster: name its brokers under kafka: in the configuration (the embedded broker is for habeas up)")
		}
		specs, err := topics.Wanted(taskTopics(n.manifests), topics.Deviation{})
		if err != nil {
			return err
		}
		names := make([]string, len(specs))
		for i, s := range specs {
			names[i] = s.Name
		}
		b, err := broker.Start(ctx, broker.Config{Dir: cfg.Room(config.RoomBroker), Topics: names, Logger: n.log})
		if err != nil {
			return err
		}
		n.onStop(func() error { b.Close(); return nil })
		n.brokers = []string{b.Addr()}
		n.bus = bus.Config{Brokers: n.brokers}
		return nil
	}
	var err error
	if n.bus, err = cfg.Kafka.Config(); err != nil {
		return err
	}
	n.brokers = cfg.Kafka.Brokers
	want, err := topics.Wanted(taskTopics(n.manifests), cfg.Topics)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, topicTime)
	defer cancel()
	return checkTopics(ctx, n.busConfig("topics"), r.reaches(want), n.log)
}

func (n *node) busConfig(client string) bus.Config {
	c := n.bus
	c.ClientID = "habeas-" + client
	return c
}

// startServices starts the services of the roles. The door is intake's; nil
// without it.
func (n *node) startServices(ctx context.Context, r roles, catalogue []dsar.System) (door http.Handler, err error) {
	publisher, err := bus.NewPublisher(bus.PublisherConfig{Config: n.busConfig("publisher")})
	if err != nil {
		return nil, err
	}
	n.onStop(publisher.Close)
	carrier := transport.NewCarrier(publisher)
	book, err := policy.Load()
	if err != nil {
		return nil, err
	}
	if n.in.Journal != nil {
		n.health.mustAnswer("journal", n.journalAnswers)
	}
	if err := n.startWorkers(ctx, r, publisher); err != nil {
		return nil, err
	}
	if r.aggregator {
		if err := n.startAggregator(book, carrier); err != nil {
			return nil, err
		}
	}
	if r.coordinator {
		if err := n.startCoordinator(carrier); err != nil {
			return nil, err
		}
		if err := n.startNotify(); err != nil {
			return nil, err
		}
	}
	if r.letters {
		if err := n.startLetters(book); err != nil {
			return nil, err
		}
	}
	if r.console && n.cfg.Console.Listen != "" {
		if err := n.startConsole(ctx, book); err != nil {
			return nil, err
		}
	}
	if r.intake {
		return n.startIntake(book, catalogue, carrier)
	}
	return nil, nil
}

// journalAnswers looks for a request that there isn't: however many there are, it
// costs the same.
func (n *node) journalAnswers(ctx context.Context) error {
	if _, err := n.in.Journal.Row(ctx, uuid.Nil.String()); !errors.Is(err, journal.ErrNotFound) {
		return err
	}
	return nil
}

func (n *node) startAggregator(book *policy.Book, carrier transport.Carrier) error {
	w, err := letter.NewWriter(book, n.cfg.Controller)
	if err != nil {
		return err
	}
	a, err := aggregator.New(aggregator.Config{Vault: n.in.Vault, Outbox: n.in.Outbox, Manifests: n.manifests,
		Policy: aggregator.FromBook(book, n.cfg.Controller), Letter: aggregator.LetterFrom(w), Software: "habeas " + version, Tracers: n.tel.Tracers(), Now: now, Log: n.log})
	if err != nil {
		return err
	}
	return n.consume(aggregator.Group, func(ctx context.Context, s transport.Subscriber) error { return a.Run(ctx, s, carrier) })
}

// startCoordinator starts a coordinator, and the relay that carries what follows
// from its decisions.
func (n *node) startCoordinator(carrier transport.Carrier) error {
	c := coordinator.New(coordinator.Config{Requests: n.in.Requests, Timers: n.in.Journal, Now: now, Log: n.log, Parallel: timersAtOnce})
	if err := (&census{journal: n.in.Journal, systems: taskTopics(n.manifests), now: now}).measure(n.tel.Meters()); err != nil {
		return err
	}
	if err := (&backlog{journal: n.in.Journal, now: now}).measure(n.tel.Meters()); err != nil {
		return err
	}
	carry := relay.New(relay.Config{Outbox: n.in.Journal, Publisher: carrier, Refused: tooLarge, Log: n.log})
	n.run("relay", carry.Run)
	return n.consume(coordinator.Group, func(ctx context.Context, s transport.Subscriber) error { return c.Run(ctx, s, carrier) })
}

// tooLarge tells whether Kafka will never take a message.
func tooLarge(err error) bool {
	var one kafka.MessageTooLargeError
	return errors.Is(err, kafka.MessageSizeTooLarge) || errors.As(err, &one)
}

func (n *node) startLetters(book *policy.Book) error {
	w, err := letter.NewWriter(book, n.cfg.Controller)
	if err != nil {
		return err
	}
	c := letters.Config{Requests: n.in.Requests, Writer: w, Outbox: n.in.Outbox, Now: now, Log: n.log}
	if s := n.cfg.Letters; s.SMTP != "" {
		c.Mailer, err = letters.NewMailer(letters.SMTP{Address: s.SMTP, From: s.From, User: s.User, PasswordFile: s.PasswordFile, Plain: s.Plain}, n.in.Vault, now)
		if err != nil {
			return err
		}
	}
	return n.consume(letters.Group, letters.New(c).Run)
}

func (n *node) startIntake(book *policy.Book, catalogue []dsar.System, carrier transport.Carrier) (http.Handler, error) {
	validator, err := event.NewValidator()
	if err != nil {
		return nil, err
	}
	doors, err := intake.New(intake.Config{Requests: n.in.Requests, Rows: n.in.Journal, Vault: n.in.Vault, Policy: book, Validator: validator,
		Proof: intake.Proof(n.cfg.Proof), Earlier: n.in.Journal,
		Catalogue: catalogue, Lease: n.cfg.Lease, Rejected: carrier, Ready: n.health.isReady, Tracers: n.tel.Tracers(), Now: now, Log: n.log})
	if err != nil {
		return nil, err
	}
	return doors.Handler(), n.consume(intake.Group, doors.Consume)
}

// consume runs a service on a subscriber of its own group.
func (n *node) consume(group string, run func(context.Context, transport.Subscriber) error) error {
	s, err := bus.NewSubscriber(bus.SubscriberConfig{Config: n.busConfig(group), Group: group, Logger: n.log, Meters: n.tel.Meters()})
	if err != nil {
		return err
	}
	n.onStop(s.Close)
	n.health.watch(group, s.Check)
	n.run(group, func(ctx context.Context) error { return run(ctx, s) })
	return nil
}

// startWorkers starts the workers of the role that aren't served elsewhere.
func (n *node) startWorkers(ctx context.Context, r roles, publisher *bus.Publisher) error {
	link := worker.Share(n.busConfig("worker"), publisher, n.log)
	host, err := n.vendorHost(ctx, r)
	if err != nil {
		return err
	}
	for _, m := range n.manifests {
		system := n.cfg.Systems[m.System]
		if !r.works(m.System, system) {
			continue
		}
		connect := func(ctx context.Context) (func(context.Context) error, error) {
			return n.openWorker(ctx, system, m, link, host)
		}
		serve, err := connect(ctx)
		switch {
		case errors.Is(err, sqlsystem.ErrUnreachable):
			n.log.Warn("a system is down: requests wait for it", "system", m.System, "error", err)
			serve = whenReachable(connect)
		case err != nil:
			return fmt.Errorf("worker %s: %w", m.System, err)
		}
		n.run("worker "+m.System, serve)
	}
	return nil
}

// works tells whether a system's worker runs in this process.
func (r roles) works(name string, s config.System) bool {
	return r.worker != nil && r.worker(name) && !(r.whole && s.Elsewhere)
}

// vendorHost opens what the workers of vendors share with those of other
// processes, where this one has any.
func (n *node) vendorHost(ctx context.Context, r roles) (vendorapi.Host, error) {
	host := vendorapi.Host{Meters: n.tel.Meters(), Traces: n.tel.Tracers()}
	for name, s := range n.cfg.Systems {
		if s.URL == "" || !r.works(name, s) {
			continue
		}
		store, err := ledger.Open(ctx, n.cfg.Limits)
		if err != nil {
			return host, err
		}
		n.onStop(store.Close)
		host.Store = store
		break
	}
	return host, nil
}

// openWorker connects to a system; what it returns serves it.
func (n *node) openWorker(ctx context.Context, s config.System, m *manifest.Manifest, link *worker.Connection, host vendorapi.Host) (func(context.Context) error, error) {
	impl, closer, err := openSystem(ctx, s, m, host)
	if err != nil {
		return nil, err
	}
	w, err := worker.New(m, impl, worker.WithLogger(n.log), worker.WithTracer(n.tel.Tracers()), worker.WithMeter(n.tel.Meters()))
	if err != nil {
		return nil, errors.Join(err, closer())
	}
	n.health.watch("habeas.worker."+m.System, w.Check)
	return func(ctx context.Context) error {
		err := w.Run(ctx, worker.Config{Connection: link, Vault: n.in.Vault, BatchSize: batchOf(impl)})
		return errors.Join(err, closer())
	}, nil
}

// whenReachable connects to a system until it is there, and then serves it: one
// system that is down holds up requests that need it, and nothing else.
func whenReachable(connect func(context.Context) (func(context.Context) error, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		again := backoff.NewExponentialBackOff(backoff.WithMaxInterval(reachInterval), backoff.WithMaxElapsedTime(0))
		serve, err := backoff.RetryWithData(func() (func(context.Context) error, error) {
			serve, err := connect(ctx)
			if err != nil && !errors.Is(err, sqlsystem.ErrUnreachable) {
				err = backoff.Permanent(err)
			}
			return serve, err
		}, backoff.WithContext(again, ctx))
		if err != nil {
			return err
		}
		return serve(ctx)
	}
}

// calls is how many calls the sandbox's vendors have answered.
func (n *node) calls() int64 {
	if n.vendorCalls == nil {
		return 0
	}
	return n.vendorCalls()
}

func (n *node) url() string { return "http://" + n.address }
