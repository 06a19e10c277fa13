package main

import (
	"context"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/duplicate"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/terminal"
)

type mergeCommand struct {
	requestFlags
	Into   string `help:"The request that answers it." placeholder:"ID" required:""`
	Reason string `help:"Why, for the trace." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (mergeCommand) Help() string {
	return "For a person who asked twice for the same: this request ends, the other one answers it. The other must ask for the same under the same law, be open or have been answered since this one came in, and surely be of the same person: what a household shares says nothing. habeas trace says of a request which open one is the same."
}

func (c *mergeCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	into, err := findRequest(ctx, in.Journal, c.Into)
	if err != nil {
		return err
	}
	other, err := in.Requests.State(ctx, into)
	if err != nil {
		return err
	}
	state, err := in.Requests.State(ctx, id)
	if err != nil {
		return err
	}
	merge := core.Merge{By: who(ctx), Into: into, Reason: c.Reason, Now: now()}
	if err := duplicate.Check(ctx, prints.Prints{Vault: in.Vault, Index: in.Journal}, state, merge, other); err != nil {
		return instead(ctx, in, id, err)
	}
	if _, err := do(ctx, in, id, merge); err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Merged into %s.\n", into)
	return err
}
