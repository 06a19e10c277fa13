package main

import (
	"context"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type extendCommand struct {
	requestFlags
	Reason   string `help:"Why, for the trace: no personal data in it." placeholder:"TEXT" required:""`
	ToPerson string `help:"Why, as the person is told it, in their language; else as the trace has it." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (extendCommand) Help() string {
	return "The law lets most answers be extended once (EEA: by two months), if the person is told the reason before the first due date. " +
		"Habeas works out the new date, holds it against the law, and writes the letter.\n\n" +
		"Example: habeas extend ID --reason \"records of nine years in six systems\""
}

func (c *extendCommand) Run(ctx context.Context) error {
	book, err := c.laws()
	if err != nil {
		return err
	}
	state, err := c.act(ctx, core.Extend{By: who(ctx), Reason: c.Reason, ToPerson: c.ToPerson, Calendar: book, Now: now()})
	if err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Extended: the answer is due by %s.\n", dueBy(book, state))
	return err
}
