package main

import (
	"context"
	"fmt"

	"habeas.dev/services/internal/core"
)

type deliverCommand struct {
	requestFlags
	Reason string `help:"Why, for the trace: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (deliverCommand) Help() string {
	return `For a person whom the letter never reached, or who has lost it: it is sent once more.

  habeas deliver 3cf5cf5f --reason "the mail came back"`
}

func (c *deliverCommand) Run(ctx context.Context) error {
	if _, err := c.act(ctx, core.DeliverAgain{By: who(ctx), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := fmt.Println("The person is told again where the answer is.")
	return err
}
