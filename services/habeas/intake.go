package main

import (
	"context"

	"habeas.dev/services/habeas/node"
)

type intakeCommand struct{ serviceFlags }

// Help implements kong.HelpProvider.
func (intakeCommand) Help() string {
	return `Requests come in by HTTP and by the topic dsar.requests. Any number may run; each
needs the journal, the vault and Kafka.

  habeas intake --config habeas.yaml`
}

// Run serves both doors.
func (c *intakeCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "intake", node.Roles{Intake: true})
}
