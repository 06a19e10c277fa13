package main

import (
	"context"

	"habeas.dev/services/habeas/node"
)

type coordinatorCommand struct{ serviceFlags }

// Help implements kong.HelpProvider.
func (coordinatorCommand) Help() string {
	return `Turns reports and timers into facts, carries tasks and events to Kafka, and tells
people what waits for them. Any number may run.

  habeas coordinator --config habeas.yaml --monitor :8422`
}

// Run applies reports and timers, and carries the messages.
func (c *coordinatorCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "coordinator", node.Roles{Coordinator: true})
}
