package main

import (
	"context"
	"fmt"

	"habeas.dev/services/internal/core"
)

type decideCommand struct {
	requestFlags
	Finding core.Finding `help:"What was found: upheld, partly-upheld or dismissed." placeholder:"FINDING" required:"" enum:"upheld,partly-upheld,dismissed"`
	Reason  string       `help:"Why. The person reads it: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (decideCommand) Help() string {
	return "An appeal or a complaint is about the answer to an earlier request; habeas review shows what the person wrote. " +
		"Who refused that request doesn't decide it. Where it is upheld, in part or wholly, the refused request is taken up again.\n\n" +
		"Example: habeas decide ID --finding upheld --reason \"the permission was complete\""
}

func (c *decideCommand) Run(ctx context.Context) error {
	state, err := c.act(ctx, core.DecideGrievance{By: who(ctx), Finding: c.Finding, Reason: c.Reason, Now: now()})
	if err != nil {
		return err
	}
	text := "Decided. The person is told what was found, and why."
	if state.Decision.Reopened {
		text += " Request " + state.Accepted.About.RequestID + " is taken up again."
	}
	_, err = fmt.Println(text)
	return err
}
