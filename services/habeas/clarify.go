package main

import (
	"context"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type clarifyCommand struct {
	requestFlags
	Ask      bool   `help:"Ask the person what is meant, and wait for it." xor:"what" required:""`
	Answer   bool   `help:"The person has answered: go on." xor:"what" required:""`
	Question string `help:"The question, as the person reads it, in their language: no personal data in it." placeholder:"TEXT"`
	Reason   string `help:"Why, or what was said, for the trace; the person isn't told: no personal data in it." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (clarifyCommand) Help() string {
	return `While the person is asked no system is asked for anything more; where the law says
so, the clock stands meanwhile.

  habeas clarify 3cf5cf5f --ask --question "all accounts, or the company's alone?"
  habeas clarify 3cf5cf5f --answer --reason "the company's alone"`
}

func (c *clarifyCommand) Run(ctx context.Context) error {
	book, err := c.laws()
	if err != nil {
		return err
	}
	var do core.Command = core.Clarify{By: who(ctx), Reason: c.Reason, Calendar: book, Now: now()}
	if c.Ask {
		do = core.AskClarification{By: who(ctx), Reason: c.Reason, ToPerson: c.Question, Now: now()}
	}
	state, err := c.act(ctx, do)
	if err != nil {
		return err
	}
	if c.Ask {
		_, err = terminal.Printf(os.Stdout, "Asked. The request waits for the person; go on with --answer.\n")
		return err
	}
	_, err = terminal.Printf(os.Stdout, "It goes on. The answer is due by %s.\n", dueBy(book, state))
	return err
}
