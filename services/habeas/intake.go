package main

import (
	"context"

	"habeas.dev/services/habeas/node"
)

type intakeCommand struct{ serviceFlags }

// Run serves both doors.
func (c *intakeCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "intake", node.Roles{Intake: true})
}
