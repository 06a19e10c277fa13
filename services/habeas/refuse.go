package main

import (
	"context"
	"fmt"

	"habeas.dev/services/internal/core"
)

type refuseCommand struct {
	requestFlags
	Ground string `help:"The ground, one that the law of the request knows." placeholder:"GROUND" required:""`
	Reason string `help:"Why, for the trace: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (refuseCommand) Help() string {
	return "A refusal ends the request without an answer and writes the person why, by which law, and where to complain. " +
		"The grounds depend on the law (services/internal/policy/jurisdictions); identity-not-proven is known to all, and a wrong one lists the others. " +
		"It comes too late once something was erased or the answer is being written.\n\n" +
		"Example: habeas refuse ID --ground excessive --reason \"the sixth in a month\""
}

func (c *refuseCommand) Run(ctx context.Context) error {
	if _, err := c.act(ctx, core.Refuse{By: who(ctx), Ground: c.Ground, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := fmt.Println("Refused. The person is told the ground, and where to complain.")
	return err
}
