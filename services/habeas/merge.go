package main

import (
	"context"
	"fmt"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type mergeCommand struct {
	requestFlags
	Into   string `help:"The request that answers it." placeholder:"ID" required:""`
	Reason string `help:"Why, for the trace." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (mergeCommand) Help() string {
	return "For a person who asked twice for the same: this request ends, the other one answers it. habeas trace says of a request which open one is the same."
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
	if !other.Exists() || other.Status.Ended() && other.Status != core.StatusCompleted {
		return fmt.Errorf("request %s answers nothing: it isn't there, or has ended without an answer", into)
	}
	if _, err := do(ctx, in, id, core.Merge{By: who(ctx), Into: into, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Merged into %s.\n", into)
	return err
}
