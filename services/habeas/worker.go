package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
)

type workerCommand struct {
	serviceFlags
	System []string `arg:"" help:"The systems to serve, by their names in the configuration."`
}

// Help implements kong.HelpProvider.
func (workerCommand) Help() string {
	return `A system's worker gathers and erases what its manifest names. Any number of workers
may serve one system: they share its tasks.

  habeas worker billing events --config habeas.yaml --monitor :8425`
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
	return c.serve(ctx, "worker "+strings.Join(c.System, ", "), node.Roles{Worker: func(system string) bool { return slices.Contains(c.System, system) }})
}
