package main

import (
	"context"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type cancelCommand struct {
	requestFlags
	Reason string `help:"Why, for the trace." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (cancelCommand) Help() string {
	return `For a request that was taken back, or should never have come in. Where the law gives
a reason not to answer, habeas refuse is right: it tells the person.

  habeas cancel 3cf5cf5f --reason "taken back by telephone"`
}

func (c *cancelCommand) Run(ctx context.Context) error {
	if _, err := c.act(ctx, core.Cancel{By: who(ctx), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := terminal.Printf(os.Stdout, "Cancelled. What systems still report of it is dropped; what they have done stays done.\n")
	return err
}
