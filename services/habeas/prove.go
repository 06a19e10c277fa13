package main

import (
	"context"
	"os"
	"strings"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type proveCommand struct {
	requestFlags
	System []string `help:"Only these systems; else each in which something was planned." placeholder:"NAME"`
	Erase  bool     `help:"Erase again what has come back, without waiting for a person."`
	Reason string   `help:"Why, for the trace: no personal data in it." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (proveCommand) Help() string {
	return `Asks the systems again, by the keys of an answered erasure's plans, whether anything has come back:
after a backup was restored, or when the person doubts it. It is done by itself after prove_again (30 days).
What is found waits for a person, who has it erased once more (habeas retry) or leaves it (habeas answer
ID SYSTEM --outcome incomplete), unless --erase says so at once. What the person has given anew isn't
looked for, and isn't erased. It ends in an addendum to the certificate, and a letter.

  habeas prove 3cf5cf5f
  habeas prove 3cf5cf5f --system billing --erase --reason "billing was restored"
  habeas bundle get 3cf5cf5f --addendum 1 -o addendum.json`
}

// Run asks again.
func (c *proveCommand) Run(ctx context.Context) error {
	state, err := c.act(ctx, core.ProveAgain{By: who(ctx), Reason: c.Reason, Systems: c.System, Erase: c.Erase, Now: now()})
	if err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Asked again; the request waits for %s.\n", strings.Join(core.Waiting(state), ", "))
	return err
}
