package main

import (
	"context"

	"habeas.dev/services/habeas/node"
)

type aggregatorCommand struct{ serviceFlags }

// Help implements kong.HelpProvider.
func (aggregatorCommand) Help() string {
	return `Makes of what workers have gathered the answer that the person gets. Any number may
run; each needs the vault and the outbox.

  habeas aggregator --config habeas.yaml --monitor :8423`
}

// Run writes bundles.
func (c *aggregatorCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "aggregator", node.Roles{Aggregator: true})
}
