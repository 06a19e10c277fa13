package main

import (
	"context"

	"habeas.dev/services/habeas/node"
)

type lettersCommand struct{ serviceFlags }

// Help implements kong.HelpProvider.
func (lettersCommand) Help() string {
	return `Confirmations, questions, refusals: each letter lies in the outbox, and goes by mail
where the configuration names a server.

  habeas letters --config habeas.yaml --monitor :8424`
}

// Run writes to people.
func (c *lettersCommand) Run(ctx context.Context) error {
	return c.serve(ctx, "letters", node.Roles{Letters: true})
}
