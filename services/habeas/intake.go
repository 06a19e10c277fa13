package main

import (
	"context"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
)

type intakeCommand struct {
	serviceFlags
	Listen string `help:"Where the HTTP door is; else as configured." placeholder:"HOST:PORT"`
}

// Help implements kong.HelpProvider.
func (intakeCommand) Help() string {
	return `Requests come in by HTTP and by the topic dsar.requests. Any number may run; each
needs the journal, the vault and Kafka.

  habeas intake --config habeas.yaml`
}

// Run serves both doors.
func (c *intakeCommand) Run(ctx context.Context) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	if c.Listen != "" {
		cfg.Listen = c.Listen
	}
	return c.serveWith(ctx, "intake", cfg, node.Roles{Intake: true})
}
