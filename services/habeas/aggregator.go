package main

import (
	"context"

	"habeas.dev/services/habeas/node"
)

type aggregatorCommand struct{ serviceFlags }

// Run writes bundles.
func (c *aggregatorCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "aggregator", node.Roles{Aggregator: true})
}
