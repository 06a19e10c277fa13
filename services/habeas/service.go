package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"habeas.dev/services/internal/config"
)

// servicePlace is what each service that runs by itself is told.
type servicePlace struct {
	Config string `help:"The configuration file." env:"HABEAS_CONFIG" placeholder:"FILE" type:"path" required:""`
	Listen string `help:"Where the door of intake listens, and /healthz, /readyz and /metrics of every service; without it only intake listens, as configured." placeholder:"HOST:PORT"`
}

type intakeCommand struct{ servicePlace }

// Run serves both doors.
func (c *intakeCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "intake", roles{intake: true})
}

type coordinatorCommand struct{ servicePlace }

// Run applies reports and timers, and carries the outbox.
func (c *coordinatorCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "coordinator", roles{coordinator: true})
}

type aggregatorCommand struct{ servicePlace }

// Run writes bundles.
func (c *aggregatorCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "aggregator", roles{aggregator: true})
}

type lettersCommand struct{ servicePlace }

// Run writes to people.
func (c *lettersCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "letters", roles{letters: true})
}

type workerCommand struct {
	servicePlace
	System []string `arg:"" help:"The systems to serve, by their names in the configuration."`
}

// Run serves systems.
func (c *workerCommand) Run(ctx context.Context) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	for _, name := range c.System {
		if _, ok := cfg.Systems[name]; !ok {
			return fmt.Errorf("no system %q under systems: in %s", name, c.Config)
		}
	}
	return c.serve(ctx, "worker "+strings.Join(c.System, ", "), roles{worker: func(system string) bool { return slices.Contains(c.System, system) }})
}

// serve runs the services of some roles until the context is over.
func (p servicePlace) serve(ctx context.Context, name string, r roles) error {
	cfg, err := config.Load(p.Config)
	if err != nil {
		return err
	}
	switch {
	case p.Listen != "":
		cfg.Listen = p.Listen
	case !r.intake:
		cfg.Listen = ""
	}
	began := time.Now()
	n, err := startNode(ctx, cfg, outlets{logs: os.Stderr}, r)
	if err != nil {
		return err
	}
	defer n.stop()
	at := ""
	if n.address != "" {
		at = ", HTTP " + n.url()
	}
	fmt.Printf("habeas %s is up after %s: broker %s%s\n", name, time.Since(began).Round(time.Millisecond), strings.Join(n.brokers, ","), at)
	return n.wait(ctx)
}
