package main

import (
	"context"

	"habeas.dev/services/habeas/node"
)

type lettersCommand struct{ serviceFlags }

// Run writes to people.
func (c *lettersCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "letters", node.Roles{Letters: true})
}
