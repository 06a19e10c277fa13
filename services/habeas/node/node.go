// Package node runs Habeas' services in one process: all of them for `habeas up`
// and the demo, or those of some roles, as each service's own command does. What
// they stand on is as the configuration says: an embedded broker or a cluster of
// Kafka, SQLite or PostgreSQL, the sandbox or real systems.
package node

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/telemetry"
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
	"habeas.dev/services/internal/links"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/reconcile"
	"habeas.dev/services/internal/relay"
	"habeas.dev/services/internal/servertls"
	"habeas.dev/services/internal/signkey"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/internal/transport"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/letters"
)

const (
	// timersAtOnce is how many timers share a commit of the journal: about as many
	// as one takes in while the one before it reaches the disk.
	timersAtOnce = 16
	// sealsAtOnce is how many grants are written at once: a bucket answers slowly, and many
	// at a time.
	sealsAtOnce = 16
	// confirmsAtOnce is how many requests are compared with what the journal's queue has at
	// once: fewer than the journal has connections.
	confirmsAtOnce = 4
	// topicTime bounds how long topics may take to be there once the brokers answer.
	topicTime = 30 * time.Second
	// answerTime bounds how long a start waits for brokers that don't answer: what has a
	// journal takes work on without them.
	answerTime = 3 * time.Second
	// reachInterval is how often a system that is down is tried at least.
	reachInterval = 10 * time.Second
)

// Options are what a node is told beside its configuration.
type Options struct {
	Logs     io.Writer
	Spans    []sdktrace.SpanProcessor // get every span, beside the configured exporter
	Version  string                   // the program's, for bundles and telemetry
	Operator string                   // who uses a console that nobody signs in at
}

// Node is a process with some of Habeas' services, or all. Its fields are set by
// Start and don't change afterwards.
type Node struct {
	*process
	Config         config.Config // what it runs by: with a sandbox, its systems too
	Installation   *installation.Installation
	Manifests      []*manifest.Manifest
	Brokers        []string
	Address        string // of the HTTP door; empty without
	MonitorAddress string // of /healthz, /readyz and /metrics; empty without
	ConsoleAddress string // empty without a console
	PortalAddress  string // empty without a portal

	options        Options
	mirror         *blob.Bucket // what lies outside of journal and vault; nil without a coordinator
	languages      *words.Languages
	bus            bus.Config
	users          map[string]bus.SASL       // of the embedded broker; nil with a cluster
	publishers     map[string]*bus.Publisher // by the broker's user
	health         *health
	due            atomic.Pointer[reconcile.DueError] // why nothing may be decided; nil: it may
	reconciled     chan struct{}                      // closed as soon as the journal is known to be the newest; of a coordinator
	portalListener net.Listener
	doorTLS        *servertls.TLS // nil: the door is plain text
	vendorCalls    func() int64   // of the sandbox's stand-ins; nil without them
}

// Start starts the services of some roles on what the configuration names. Where
// it fails, nothing is left running. The node doesn't end with the context: Stop
// ends it.
func Start(ctx context.Context, cfg config.Config, o Options, r Roles) (_ *Node, err error) {
	p, err := newProcess(ctx, cfg, o, r.service(cfg))
	if err != nil {
		return nil, err
	}
	languages, err := words.Load(cfg.Languages...)
	if err != nil {
		return nil, err
	}
	n := &Node{process: p, options: o, languages: languages, health: newHealth(p.log, now), publishers: map[string]*bus.Publisher{}}
	defer func() {
		if err != nil {
			n.Stop()
		}
	}()
	serve, err := n.listenHTTP(ctx, cfg, r)
	if err != nil {
		return nil, err
	}
	if err := n.listenPortal(ctx, &cfg, r); err != nil {
		return nil, err
	}
	if err := n.serveMonitor(ctx, cfg); err != nil {
		return nil, err
	}
	if n.Address != "" || n.portalListener != nil || r.Console {
		n.health.takesWork()
	}
	if r.Embedded {
		cfg = WithSandbox(cfg)
	}
	if n.Manifests, err = Manifests(cfg); err != nil {
		return nil, err
	}
	catalogue, err := manifest.Catalogue(n.Manifests)
	if err == nil {
		err = refusedBy(cfg, n.Manifests)
	}
	if err != nil {
		return nil, err
	}
	if err := n.startBroker(ctx, cfg, r); err != nil {
		return nil, err
	}
	if r.Embedded {
		if cfg, err = n.startSandbox(ctx, cfg); err != nil {
			return nil, err
		}
	}
	n.Config = cfg
	decides := []lifecycle.Option{lifecycle.WithMeter(n.tel.Meters()), lifecycle.WithTracer(n.tel.Tracers()), lifecycle.WithGate(n.mayDecide)}
	if r.Coordinator {
		decides = append(decides, lifecycle.WithConfirming(confirmsAtOnce))
	}
	if n.Installation, err = installation.Make(ctx, cfg, r.parts(cfg), decides...); err != nil {
		return nil, err
	}
	n.onStop(n.Installation.Close)
	if err := n.endAgain(ctx, r); err != nil {
		return nil, err
	}
	door, err := n.startServices(ctx, r, catalogue)
	if err != nil {
		return nil, err
	}
	if err := n.health.register(n.tel.Meters()); err != nil {
		return nil, err
	}
	serve(door)
	return n, nil
}

// startBroker has a broker with all topics: the configured one, where they are
// checked, or the embedded, where they are made.
func (n *Node) startBroker(ctx context.Context, cfg config.Config, r Roles) error {
	if !r.onBus() {
		return nil
	}
	if len(cfg.Kafka.Brokers) == 0 {
		if !r.Embedded {
			return errors.New("a service by itself needs a Kafka cluster: name its brokers under kafka: in the configuration (the embedded broker is for habeas up)")
		}
		specs, err := Topics(n.Manifests, topics.Deviation{})
		if err != nil {
			return err
		}
		names := make([]string, len(specs))
		for i, s := range specs {
			names[i] = s.Name
		}
		users, err := brokerUsers(cfg, n.Manifests)
		if err != nil {
			return err
		}
		b, err := broker.Start(ctx, broker.Config{Dir: cfg.Room(config.RoomBroker), Topics: names, Users: users, Logger: n.log})
		if err != nil {
			return err
		}
		n.onStop(func() error { b.Close(); return nil })
		n.Brokers = []string{b.Addr()}
		n.bus, n.users = bus.Config{Brokers: n.Brokers}, map[string]bus.SASL{}
		for _, u := range users {
			n.users[u.Name] = u.SignIn()
		}
		return n.writeWays(cfg, users)
	}
	var err error
	if n.bus, err = cfg.Kafka.Config(); err != nil {
		return err
	}
	n.Brokers = cfg.Kafka.Brokers
	n.health.watch("kafka files", func(context.Context) error { return cfg.Kafka.Check(now()) })
	want, err := Topics(n.Manifests, cfg.Topics)
	if err != nil {
		return err
	}
	return n.awaitTopics(ctx, n.As(topics.UserTopics), r.topics(want, Systems(n.Manifests)))
}

// startServices starts the services of the roles. The door is intake's; nil
// without it.
func (n *Node) startServices(ctx context.Context, r Roles, catalogue []dsar.System) (door http.Handler, err error) {
	book, err := n.Installation.Laws()
	if err != nil {
		return nil, err
	}
	if err := n.Config.CallersAsk(book.Rights()); err != nil {
		return nil, err
	}
	n.languages = n.languages.Naming(book.Named())
	if n.Installation.Journal != nil {
		n.health.mustAnswer("journal", n.journalAnswers)
	}
	if err := n.startWorkers(ctx, r); err != nil {
		return nil, err
	}
	if r.Aggregator {
		if err := n.startAggregator(book, r.Embedded); err != nil {
			return nil, err
		}
	}
	if r.Coordinator {
		if err := n.startCoordinator(ctx, book, r.Embedded); err != nil {
			return nil, err
		}
		if err := n.startNotify(book); err != nil {
			return nil, err
		}
	}
	if r.Letters {
		if err := n.startLetters(book); err != nil {
			return nil, err
		}
	}
	if r.Console && n.Config.Console.Listen != "" {
		if err := n.startConsole(ctx, book, catalogue); err != nil {
			return nil, err
		}
	}
	var doors *intake.Intake
	if r.Intake {
		if r.byItself() && n.Installation.Vault != nil {
			n.log.Warn("this intake holds the master key: whoever takes it over opens everything that isn't forgotten; give it vault.sealing_key instead (habeas keys sealing)")
		}
		if doors, err = n.startIntake(book, catalogue); err != nil {
			return nil, err
		}
		door = doors.Handler()
	}
	if n.portalListener != nil {
		if err := n.startPortal(ctx, book, doors); err != nil {
			return nil, err
		}
	}
	return door, nil
}

// said returns what the operator has said, with the languages of the installation.
func (n *Node) said() operator.Operator {
	c := n.Config
	return operator.Operator{Name: c.Controller, Controllers: c.Controllers, Declarations: c.Declarations, Languages: n.languages}
}

// journalAnswers looks for a request that there isn't: however many there are, it
// costs the same.
func (n *Node) journalAnswers(ctx context.Context) error {
	if _, err := n.Installation.Journal.Row(ctx, uuid.Nil.String()); !errors.Is(err, journal.ErrNotFound) {
		return err
	}
	return nil
}

// bundleSigner returns what signs answers; nil where there is no key, which is said.
func (n *Node) bundleSigner(create bool) (note.Signer, error) {
	key, err := installation.OpenSigningKey(n.Config, signkey.Bundles, create)
	if err != nil {
		return nil, err
	}
	if key == nil {
		n.log.Warn("answers aren't signed: there is no key; make one with habeas keys init, and name it by receipts.bundle_key", "file", telemetry.Safe(n.Config.Receipts.BundleKey))
		return nil, nil
	}
	return key, nil
}

func (n *Node) startAggregator(book *policy.Book, embedded bool) error {
	w := letter.NewWriter(book, n.said()).WithPortal(n.Config.Portal.URL)
	signer, err := n.bundleSigner(embedded)
	if err != nil {
		return err
	}
	full, err := outboxRefused(n.tel.Meters(), "aggregator")
	if err != nil {
		return err
	}
	retired, err := Retired(n.Config)
	if err != nil {
		return err
	}
	a, err := aggregator.New(aggregator.Config{Signer: signer, Refused: full, Outbox: n.Installation.Outbox, Manifests: slices.Concat(n.Manifests, retired),
		Policy: aggregator.FromBook(book, n.said(), n.purposes()), Language: w.Language, Letter: aggregator.LetterFrom(w), Portal: n.Config.Portal.URL, Software: "habeas " + n.options.Version, Now: now})
	if err != nil {
		return err
	}
	serves, err := aggregator.NewWorker(a, worker.WithLogger(n.log), worker.WithTracer(n.tel.Tracers()), worker.WithMeter(n.tel.Meters()))
	if err != nil {
		return err
	}
	access, err := n.access(dsar.Aggregator)
	if err != nil {
		return err
	}
	publisher, err := n.publisher(topics.UserAggregator)
	if err != nil {
		return err
	}
	shared := worker.Share(n.As(topics.UserAggregator), publisher, n.log)
	n.health.watch(aggregator.Group, serves.Check)
	n.run("aggregator", func(ctx context.Context) error {
		return serves.Run(ctx, worker.Config{Connection: shared, Access: access, Group: aggregator.Group})
	})
	return nil
}

// startCoordinator starts a coordinator, and the relay that carries what follows
// from its decisions.
func (n *Node) startCoordinator(ctx context.Context, book *policy.Book, embedded bool) error {
	carrier, err := n.carrier(topics.UserCoordinator)
	if err != nil {
		return err
	}
	if err := n.lookForRestored(ctx); err != nil {
		return err
	}
	keep, err := n.keeper(ctx, book, embedded)
	if err != nil {
		return err
	}
	for _, m := range append([]*manifest.Manifest{{System: dsar.Aggregator}}, n.Manifests...) {
		if _, err := n.Installation.Links.Make(m.System); err != nil {
			return err
		}
	}
	holds := links.NewHolds(n.Installation.Requests, n.Installation.Journal, prints.Prints{Vault: n.Installation.Vault}, n.Manifests)
	formers := links.Formers{Requests: n.Installation.Requests, Journal: n.Installation.Journal, Prints: prints.Prints{Vault: n.Installation.Vault, Index: n.Installation.Journal}, Now: now}
	hub := link.NewHub(n.Installation.Vault, n.Installation.Links, now, link.WithHolds(holds), link.WithFormers(formers), link.WithBefore(links.Before{Requests: n.Installation.Requests}))
	c := coordinator.New(coordinator.Config{Requests: n.Installation.Requests, Timers: n.Installation.Journal, Links: hub, Manifests: n.Manifests, Keeper: keep,
		Now: now, Log: n.log, Parallel: timersAtOnce, Meters: n.tel.Meters()})
	if err := (&requestGauges{journal: n.Installation.Journal, systems: taskTopics(n.Manifests), now: now}).register(n.tel.Meters()); err != nil {
		return err
	}
	if err := (&silence{notes: n.Installation.Journal, systems: taskTopics(n.Manifests), now: now}).register(n.tel.Meters()); err != nil {
		return err
	}
	if err := (&relayGauges{journal: n.Installation.Journal, now: now}).register(n.tel.Meters()); err != nil {
		return err
	}
	var configured []string
	for _, m := range n.Manifests {
		configured = append(configured, m.System)
	}
	missing, err := coordinator.NewMissing(coordinator.MissingConfig{Requests: n.Installation.Requests, Open: n.Installation.Journal, Configured: configured, Now: now, Log: n.log, Meters: n.tel.Meters()})
	if err != nil {
		return err
	}
	n.onceReconciled("missing systems", missing.Run)
	carry := relay.New(relay.Config{Queue: n.Installation.Journal, Publisher: links.Sealing{Hub: hub, Next: reconcile.Vouching{Vault: n.Installation.Vault, Next: carrier}, AtOnce: sealsAtOnce}, Refused: refused,
		Confirm: n.Installation.Requests.Confirm, Dropped: c.Dropped, Log: n.log, Tracers: n.tel.Tracers()})
	n.onceReconciled("relay", carry.Run)
	n.onceReconciled("timers", n.mendTimers)
	n.onceReconciled("needs", func(ctx context.Context) error {
		if err := lifecycle.FindNeeds(ctx, n.Installation.Journal); err != nil && ctx.Err() == nil {
			n.log.Warn("why open requests need a person is found out at the next start", "error", err)
		}
		<-ctx.Done()
		return nil
	})
	return n.consume(topics.UserCoordinator, coordinator.Group, func(ctx context.Context, s transport.Subscriber) error { return c.Run(ctx, s, carrier) })
}

// access returns what a system's worker has of its own.
func (n *Node) access(system string) (worker.Access, error) {
	key, err := n.Installation.Links.Make(system)
	return worker.Access{Link: key, Objects: n.Installation.Objects}, err
}

// refused reports whether a message can never be carried: Kafka takes none so large, or
// its system has no link.
func refused(err error) bool {
	var one kafka.MessageTooLargeError
	return errors.Is(err, link.ErrNoKey) || errors.Is(err, kafka.MessageSizeTooLarge) || errors.As(err, &one)
}

// writer returns what writes letters to people.
func (n *Node) writer(book *policy.Book) *letter.Writer {
	return letter.NewWriter(book, n.said()).WithPortal(n.Config.Portal.URL).WithReceipts(n.Config.SignsReceipts())
}

func (n *Node) startLetters(book *policy.Book) error {
	c := letters.Config{Requests: n.Installation.Requests, Writer: n.writer(book), Outbox: n.Installation.Outbox, Earlier: n.Installation.Journal, Vault: n.Installation.Vault, Now: now, Log: n.log, Tracers: n.tel.Tracers()}
	var err error
	if c.Refused, err = outboxRefused(n.tel.Meters(), "letters"); err != nil {
		return err
	}
	if s := n.Config.Letters; s.SMTP != "" {
		mailer, err := letters.NewMailer(letters.SMTP{Address: s.SMTP, From: s.From, User: s.User, PasswordFile: s.PasswordFile, Plain: s.Plain, Brand: mailBrand(n.Config)}, n.Installation.Vault, now)
		if err != nil {
			return err
		}
		c.Mailer = mailer
	}
	return n.consume(topics.UserLetters, letters.Group, letters.New(c).Run)
}

// carrier returns what carries messages as a user.
func (n *Node) carrier(user string) (transport.Carrier, error) {
	p, err := n.publisher(user)
	return transport.NewCarrier(p), err
}

// consume runs a service, as its user, on a subscriber of its own group.
func (n *Node) consume(user, group string, run func(context.Context, transport.Subscriber) error) error {
	s, err := bus.NewSubscriber(bus.SubscriberConfig{Config: n.As(user), Group: group, Logger: n.log, Meters: n.tel.Meters()})
	if err != nil {
		return err
	}
	n.onStop(s.Close)
	n.health.watch(group, s.Check)
	start := n.run
	if n.reconciled != nil && user != topics.UserIntake {
		start = n.onceReconciled
	}
	start(group, func(ctx context.Context) error { return run(ctx, s) })
	return nil
}

// VendorCalls returns how many calls the sandbox's vendors have answered.
func (n *Node) VendorCalls() int64 {
	if n.vendorCalls == nil {
		return 0
	}
	return n.vendorCalls()
}
