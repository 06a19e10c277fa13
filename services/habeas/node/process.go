package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/otlp"
)

const (
	// stopTime bounds a graceful stop: what is in flight is finished within it,
	// or comes again after the next start.
	stopTime = 15 * time.Second
	// headerTime bounds how long a caller may take for a request's headers.
	headerTime = 10 * time.Second
	// monitorTime bounds how long a caller may take for a monitor's answer, and keep a
	// connection between two: Prometheus asks every minute at the latest.
	monitorTime = 2 * time.Minute
)

// process runs services until it is stopped, or until one of them fails.
type process struct {
	log    *slog.Logger
	tel    *otlp.Providers
	scrape http.Handler // answers /metrics; nil where nothing listens
	failed chan error   // the first service that ended by itself

	ctx     context.Context // ends the services
	cancel  context.CancelFunc
	running sync.WaitGroup
	closers []func() error // in the order of opening
}

// newProcess sets up logs and telemetry. The process doesn't end with ctx: it
// ends when it is stopped.
func newProcess(ctx context.Context, cfg config.Config, o Options, service string) (*process, error) {
	p := &process{failed: make(chan error, 1)}
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return nil, err
	}
	var err error
	if p.log, err = telemetry.NewLogger(o.Logs, telemetry.LogConfig{Format: cfg.Log.Format, Level: level, Fold: true}); err != nil {
		return nil, err
	}
	about := otlp.Config{Service: service, Version: o.Version, Endpoint: cfg.Telemetry.OTLP, Processors: o.Spans}
	if cfg.Monitor.Listen != "" {
		reader, scrape, err := newScrape()
		if err != nil {
			return nil, err
		}
		about.Readers, p.scrape = append(about.Readers, reader), scrape
	}
	if p.tel, err = otlp.Setup(ctx, about); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	p.onStop(func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		return p.tel.Shutdown(ctx)
	})
	return p, nil
}

// Up logs that the process is up: for logs that are read by programs, in place of a line on
// standard output.
func (p *process) Up(service string, took time.Duration, listens ...string) {
	p.log.Info("up", "service", service, "took", took.Round(time.Millisecond), "listen", strings.Join(listens, ","))
}

// listen takes an address. A port that is in use is the commonest mistake, so
// it is taken before anything else is made.
func (p *process) listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("can't listen on %s: %w; choose another address (--listen, --monitor, or in the configuration)", address, err)
	}
	p.onStop(func() error { _ = l.Close(); return nil })
	return l, nil
}

// serve serves HTTP until the process is stopped; requests that are under way
// are answered.
func (p *process) serve(name string, server *http.Server, l net.Listener) {
	p.run(name, func(ctx context.Context) error {
		stopped := context.AfterFunc(ctx, func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
			defer cancel()
			_ = server.Shutdown(ctx)
		})
		defer stopped()
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

// run runs a service until the process is stopped. One that ends before fails
// the process.
func (p *process) run(name string, service func(context.Context) error) {
	p.running.Go(func() {
		err := service(p.ctx)
		if p.ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("it ended")
		}
		p.fail(fmt.Errorf("%s: %w", name, err))
	})
}

// fail has Wait return the error, unless another came before.
func (p *process) fail(err error) {
	select {
	case p.failed <- err:
	default:
	}
}

// Failed returns a channel on which the error of the first service that ended by
// itself comes.
func (p *process) Failed() <-chan error { return p.failed }

// Wait blocks until the context is over (nil) or a service has failed.
func (p *process) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-p.failed:
		return err
	}
}

// onStop has f called when the process is stopped, after what was opened later
// is closed.
func (p *process) onStop(f func() error) { p.closers = append(p.closers, f) }

// Stop ends the services, lets them finish what is in flight, and closes what
// they stood on. Stopping twice is harmless.
func (p *process) Stop() {
	p.cancel()
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(stopTime):
		p.log.Warn("some services did not stop in time")
	}
	for i := len(p.closers) - 1; i >= 0; i-- {
		if err := p.closers[i](); err != nil {
			p.log.Warn("stopping", "error", err)
		}
	}
	p.closers = nil
}
