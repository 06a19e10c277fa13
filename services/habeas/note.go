package main

import (
	"context"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type noteCommand struct {
	requestFlags
	Reason string `help:"The note: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (noteCommand) Help() string {
	return `It stands in the trace under your name; the person never reads it.

  habeas note 3cf5cf5f --reason "they like to be called in the morning"`
}

func (c *noteCommand) Run(ctx context.Context) error {
	if _, err := c.act(ctx, core.Note{By: who(ctx), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := terminal.Printf(os.Stdout, "It is noted.\n")
	return err
}
