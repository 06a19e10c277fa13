package main

import (
	"context"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type decideCommand struct {
	requestFlags
	Finding core.Finding `help:"What was found: upheld, partly-upheld or dismissed." placeholder:"FINDING" required:"" enum:"upheld,partly-upheld,dismissed"`
	Give    []string     `help:"Upheld in part: a refused part of the copy that is given. Again for more." placeholder:"SYSTEM/DATASET" sep:"none"`
	Reason  string       `help:"Why. The person reads it: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (decideCommand) Help() string {
	return "An appeal or a complaint is about the answer to an earlier request; habeas review shows what the person wrote. " +
		"Who refused that request, or a part of it, doesn't decide it. Where it is upheld, in part or wholly, the refused request is taken up again; " +
		"of a copy that was refused in part, the parts are given, all or those that --give names, and the answer is written anew.\n\n" +
		"Examples:\n  habeas decide ID --finding upheld --reason \"the permission was complete\"\n" +
		"  habeas decide ID --finding partly-upheld --give support/messages --reason \"the other party agreed\""
}

func (c *decideCommand) Run(ctx context.Context) error {
	state, err := c.act(ctx, core.DecideGrievance{By: who(ctx), Finding: c.Finding, Give: c.Give, Reason: c.Reason, Now: now()})
	if err != nil {
		return err
	}
	text := "Decided. The person is told what was found, and why."
	if state.Decision.Reopened {
		text += " Request " + state.Accepted.About.RequestID + " is taken up again."
	}
	_, err = terminal.Printf(os.Stdout, "%s\n", text)
	return err
}
