package main

import (
	"context"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type assignCommand struct {
	requestFlags
	To     string `help:"Who has it in hand from now on, by the name that they sign in with; without it, nobody has." placeholder:"NAME"`
	Reason string `help:"Why, for the trace." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (assignCommand) Help() string {
	return `Lists and the console show who it is; the name is the one that they sign in with.

  habeas assign 3cf5cf5f --to lea
  habeas requests --of lea`
}

func (c *assignCommand) Run(ctx context.Context) error {
	if _, err := c.act(ctx, core.Assign{By: who(ctx), To: c.To, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	text := "Nobody has it in hand now."
	if c.To != "" {
		text = "It is in the hands of " + c.To + "."
	}
	_, err := terminal.Printf(os.Stdout, "%s\n", text)
	return err
}
