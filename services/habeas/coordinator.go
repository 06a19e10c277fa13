package main

import (
	"context"

	"habeas.dev/services/habeas/node"
)

type coordinatorCommand struct{ serviceFlags }

// Run applies reports and timers, and carries the messages.
func (c *coordinatorCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "coordinator", node.Roles{Coordinator: true})
}
