package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/policy"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/relay"
	"habeas.dev/services/internal/transport"
)

const (
	// stopTime bounds a graceful stop: what is in flight is finished within it,
	// or comes again after the next start.
	stopTime = 15 * time.Second
	// topicTime bounds how long the brokers may take to be there at the start.
	topicTime = 30 * time.Second
	// reachInterval is how often a system that is down is tried at least.
	reachInterval = 10 * time.Second
	// externalPartitions is how many a topic gets on a broker of one's own; the
	// embedded one has its own number.
	externalPartitions = 6
)

// node is every service in this process.
type node struct {
	cfg       config.Config
	log       *slog.Logger
	in        *installation.Installation
	manifests []*manifest.Manifest
	brokers   []string
	address   string
	failed    chan error // the first service that ended by itself

	vendorCalls func() int64 // of the sandbox's stand-ins; nil without them

	ctx     context.Context // ends the services
	cancel  context.CancelFunc
	running sync.WaitGroup
	closers []func() error // in the order of opening
}

// outlets are where a node tells what it does, beside what is configured.
type outlets struct {
	logs  io.Writer
	spans []sdktrace.SpanProcessor
}

// startNode starts everything that the configuration names. On an error nothing
// is left running.
func startNode(ctx context.Context, cfg config.Config, out outlets) (_ *node, err error) {
	n := &node{failed: make(chan error, 1)}
	n.ctx, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			n.stop()
		}
	}()
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return nil, err
	}
	if n.log, err = telemetry.NewLogger(out.logs, telemetry.LogConfig{Format: cfg.Log.Format, Level: level}); err != nil {
		return nil, err
	}
	tel, err := telemetry.Setup(ctx, telemetry.Config{Service: "habeas", Version: version, Endpoint: cfg.Telemetry.OTLP, Processors: out.spans})
	if err != nil {
		return nil, err
	}
	n.onStop(func() error { return tel.Shutdown(context.WithoutCancel(ctx)) })

	// The door's port is taken first: a port that is in use is the commonest
	// mistake, and nothing has been made yet.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("can't listen on %s: %w; choose another address with --listen", cfg.Listen, err)
	}
	n.onStop(func() error { _ = listener.Close(); return nil })
	n.address = listener.Addr().String()

	cfg = withSandbox(cfg)
	if n.manifests, err = loadManifests(cfg); err != nil {
		return nil, err
	}
	catalogue, err := manifest.Catalogue(n.manifests)
	if err != nil {
		return nil, err
	}
	if err := n.startBroker(ctx, cfg); err != nil {
		return nil, err
	}
	if cfg, err = n.startSandbox(ctx, cfg); err != nil {
		return nil, err
	}
	n.cfg = cfg
	if n.in, err = installation.Make(ctx, cfg, lifecycle.WithMeter(tel.Meters())); err != nil {
		return nil, err
	}
	n.onStop(n.in.Close)
	return n, n.startServices(ctx, cfg, tel, catalogue, listener)
}

// startBroker has a broker with all topics: the configured one, or the embedded.
func (n *node) startBroker(ctx context.Context, cfg config.Config) error {
	topics := []string{event.TopicRequests, event.TopicReports, event.TopicEvents, event.TopicRejected, event.TopicTasks(dsar.Aggregator)}
	for _, m := range n.manifests {
		topics = append(topics, event.TopicTasks(m.System))
	}
	if len(cfg.Kafka.Brokers) == 0 {
		b, err := broker.Start(ctx, broker.Config{Dir: cfg.Room(config.RoomBroker), Topics: topics, Logger: n.log})
		if err != nil {
			return err
		}
		n.onStop(func() error { b.Close(); return nil })
		n.brokers = []string{b.Addr()}
		return nil
	}
	n.brokers = cfg.Kafka.Brokers
	specs := make([]bus.TopicSpec, len(topics))
	for i, t := range topics {
		specs[i] = bus.TopicSpec{Name: t, Partitions: externalPartitions}
	}
	ctx, cancel := context.WithTimeout(ctx, topicTime)
	defer cancel()
	err := bus.EnsureTopics(ctx, n.busConfig("topics"), specs)
	if mismatch := (*bus.MismatchError)(nil); errors.As(err, &mismatch) {
		n.log.Warn("topics differ from what habeas would create", "error", err)
		return nil
	}
	return err
}

func (n *node) busConfig(client string) bus.Config {
	return bus.Config{Brokers: n.brokers, ClientID: "habeas-" + client}
}

func (n *node) startServices(ctx context.Context, cfg config.Config, tel *telemetry.Telemetry, catalogue []dsar.System, listener net.Listener) error {
	publisher, err := bus.NewPublisher(bus.PublisherConfig{Config: n.busConfig("publisher")})
	if err != nil {
		return err
	}
	n.onStop(publisher.Close)
	carrier := transport.NewCarrier(publisher)
	book, err := policy.Load()
	if err != nil {
		return err
	}
	validator, err := event.NewValidator()
	if err != nil {
		return err
	}
	doors, err := intake.New(intake.Config{Requests: n.in.Requests, Rows: n.in.Journal, Vault: n.in.Vault, Policy: book, Validator: validator,
		Catalogue: catalogue, Rejected: carrier, Tracers: tel.Tracers(), Now: now, Log: n.log})
	if err != nil {
		return err
	}
	answers, err := aggregator.New(aggregator.Config{Vault: n.in.Vault, Outbox: n.in.Outbox, Manifests: n.manifests,
		Policy: aggregator.FromBook(book, cfg.Controller), Software: "habeas " + version, Tracers: tel.Tracers(), Now: now, Log: n.log})
	if err != nil {
		return err
	}
	if err := n.startWorkers(ctx, cfg, tel, publisher); err != nil {
		return err
	}
	if err := n.consume(aggregator.Group, func(ctx context.Context, s transport.Subscriber) error { return answers.Run(ctx, s, carrier) }); err != nil {
		return err
	}
	coord := coordinator.New(coordinator.Config{Requests: n.in.Requests, Timers: n.in.Journal, Now: now, Log: n.log})
	if err := n.consume(coordinator.Group, func(ctx context.Context, s transport.Subscriber) error { return coord.Run(ctx, s, carrier) }); err != nil {
		return err
	}
	if err := n.consume(intake.Group, doors.Consume); err != nil {
		return err
	}
	carry := relay.New(relay.Config{Outbox: n.in.Journal, Publisher: carrier, Log: n.log})
	n.run("relay", carry.Run)
	n.serve(intake.Server(doors.Handler()), listener)
	return nil
}

// consume runs a service on a subscriber of its own group.
func (n *node) consume(group string, run func(context.Context, transport.Subscriber) error) error {
	s, err := bus.NewSubscriber(bus.SubscriberConfig{Config: n.busConfig(group), Group: group, Logger: n.log})
	if err != nil {
		return err
	}
	n.onStop(s.Close)
	n.run(group, func(ctx context.Context) error { return run(ctx, s) })
	return nil
}

// startWorkers starts the workers of all systems that aren't served elsewhere.
func (n *node) startWorkers(ctx context.Context, cfg config.Config, tel *telemetry.Telemetry, publisher *bus.Publisher) error {
	link := worker.Share(n.busConfig("worker"), publisher, n.log)
	for _, m := range n.manifests {
		if cfg.Systems[m.System].Elsewhere {
			continue
		}
		connect := func(ctx context.Context) (func(context.Context) error, error) {
			impl, closer, err := openSystem(ctx, cfg.Systems[m.System], m)
			if err != nil {
				return nil, err
			}
			w, err := worker.New(m, impl, worker.WithLogger(n.log), worker.WithTracer(tel.Tracers()), worker.WithMeter(tel.Meters()))
			if err != nil {
				return nil, errors.Join(err, closer())
			}
			return func(ctx context.Context) error {
				err := w.Run(ctx, worker.Config{Connection: link, Vault: n.in.Vault, BatchSize: batchOf(impl)})
				return errors.Join(err, closer())
			}, nil
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

func (n *node) serve(server *http.Server, listener net.Listener) {
	n.run("http", func(ctx context.Context) error {
		stopped := context.AfterFunc(ctx, func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
			defer cancel()
			_ = server.Shutdown(ctx)
		})
		defer stopped()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

// run runs a service until the node is stopped. One that ends before fails the
// node.
func (n *node) run(name string, service func(context.Context) error) {
	n.running.Go(func() {
		err := service(n.ctx)
		if n.ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("it ended")
		}
		n.fail(fmt.Errorf("%s: %w", name, err))
	})
}

// fail has wait return the error, unless another came before.
func (n *node) fail(err error) {
	select {
	case n.failed <- err:
	default:
	}
}

// wait blocks until the context is over (nil) or a service has failed.
func (n *node) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.failed:
		return err
	}
}

func (n *node) onStop(f func() error) { n.closers = append(n.closers, f) }

// stop ends the services, lets them finish what is in flight, and closes what
// they stood on. Stopping twice is harmless.
func (n *node) stop() {
	n.cancel()
	done := make(chan struct{})
	go func() {
		n.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(stopTime):
		n.log.Warn("some services did not stop in time")
	}
	for i := len(n.closers) - 1; i >= 0; i-- {
		if err := n.closers[i](); err != nil && n.log != nil {
			n.log.Warn("stopping", "error", err)
		}
	}
	n.closers = nil
}

// calls is how many calls the sandbox's vendors have answered.
func (n *node) calls() int64 {
	if n.vendorCalls == nil {
		return 0
	}
	return n.vendorCalls()
}

func (n *node) url() string { return "http://" + n.address }
