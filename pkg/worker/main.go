package worker

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/telemetry"
)

// Main runs a worker's whole program: it reads the configuration that Habeas reads
// (--config FILE among the arguments, else HABEAS_CONFIG), opens the
// implementation, takes the system's tasks, and returns when it was told to stop,
// by the context, by SIGTERM or by an interrupt.
//
//	func main() {
//		m, err := manifest.Load("library.yaml")
//		if err == nil {
//			err = worker.Main(context.Background(), os.Args[1:], m, open)
//		}
//		if err != nil {
//			log.Fatal(err)
//		}
//	}
//
// open makes the implementation; what it returns is closed at the end where it is an
// io.Closer. Everything can be had otherwise: options are those of [New], and with
// [WithConfig] a program brings its own link key, objects, connection or batch sizes.
func Main(ctx context.Context, args []string, m *manifest.Manifest, open func(context.Context, Settings) (any, error), opts ...Option) error {
	flags := flag.NewFlagSet("worker "+m.System, flag.ContinueOnError)
	file := flags.String("config", os.Getenv("HABEAS_CONFIG"), "Habeas' configuration")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *file == "" {
		return errors.New("worker: which configuration? name it with --config, or in HABEAS_CONFIG")
	}
	s, err := ReadSettings(*file, m.System)
	if err != nil {
		return err
	}
	log, err := s.logger()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	impl, err := open(ctx, s)
	if err != nil {
		return fmt.Errorf("worker: %s: %w", m.System, err)
	}
	if c, ok := impl.(interface{ Close() error }); ok {
		defer c.Close() //nolint:errcheck // the program ends
	}
	w, err := New(m, impl, append([]Option{WithLogger(log)}, opts...)...)
	if err != nil {
		return err
	}
	return w.main(ctx, s)
}

// main runs the worker by its settings, and what the program made of them.
func (w *Worker) main(ctx context.Context, s Settings) error {
	c := Config{Kafka: s.Kafka}
	for _, change := range w.configs {
		change(&c)
	}
	if c.Connection == nil && len(c.Kafka.Brokers) == 0 {
		return errors.New("worker: configuration: no kafka.brokers: a worker in a process of its own needs a Kafka that it shares with Habeas; or start habeas up first, on the same data folder")
	}
	if c.Link == nil && c.Objects == nil {
		access, closing, err := s.access(ctx, w.system)
		if err != nil {
			return err
		}
		defer closing() //nolint:errcheck // the program ends
		c.Access = access
	}
	return w.Run(ctx, c)
}

// logger writes to standard error what is free of personal data.
func (s Settings) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.Log.Level)); err != nil {
		return nil, fmt.Errorf("worker: configuration: log.level %q is none of debug, info, warn, error", s.Log.Level)
	}
	log, err := telemetry.NewLogger(os.Stderr, telemetry.LogConfig{Level: level, Format: s.Log.Format})
	if err != nil {
		return nil, fmt.Errorf("worker: configuration: %w", err)
	}
	return log, nil
}
