package main

import (
	"context"
	"os"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type identityCommand struct {
	requestFlags
	Ask     bool         `help:"Ask the person for proof, and wait for it." xor:"what" required:""`
	Accept  bool         `help:"The proof is good: go on." xor:"what" required:""`
	Reject  bool         `help:"The proof is not good." xor:"what" required:""`
	Without bool         `help:"Go on with what is verified or proven already, and without the rest." xor:"what" required:""`
	Check   []dsar.Check `help:"With --ask, what is to be proven: identity (else), agent, organisation, guardian, heir. With --reject, what of that is not." placeholder:"CHECK" enum:"identity,agent,organisation,guardian"`
	Reason  string       `help:"Why, for the trace: no personal data in it." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (identityCommand) Help() string {
	return "While proof is awaited no system is asked for anything more; where the law says so, the clock stands meanwhile. " +
		"A proof that is rejected refuses the request; in California, who asked for a copy is told the categories instead. " +
		"An agent's power, a guardian's or an organisation's consent are proven the same way.\n\n" +
		"Example: habeas identity ID --ask --check guardian --reason \"the account is a minor's\""
}

func (c *identityCommand) Run(ctx context.Context) error {
	book, err := c.laws()
	if err != nil {
		return err
	}
	var do core.Command = core.JudgeProof{By: who(ctx), Accepted: c.Accept, Without: c.Without, Failed: c.failed(), Reason: c.Reason, Calendar: book, Now: now()}
	if c.Ask {
		do = core.AskProof{By: who(ctx), Reason: c.Reason, Checks: c.Check, Now: now()}
	}
	state, err := c.act(ctx, do)
	if err != nil {
		return err
	}
	switch {
	case c.Ask:
		_, err = terminal.Printf(os.Stdout, "Asked. The request waits for the proof; judge it with --accept or --reject.\n")
	case state.Right != state.Accepted.Right:
		_, err = terminal.Printf(os.Stdout, "Rejected. The person is answered %s instead.\n", state.Right)
	case c.Without:
		_, err = terminal.Printf(os.Stdout, "Gone on without what isn't proven. The answer is due by %s.\n", dueBy(book, state))
	case c.Reject:
		_, err = terminal.Printf(os.Stdout, "Rejected: the request is refused.\n")
	default:
		_, err = terminal.Printf(os.Stdout, "Accepted. The answer is due by %s.\n", dueBy(book, state))
	}
	return err
}

// failed returns what a rejected proof has not proven.
func (c *identityCommand) failed() []dsar.Check {
	if c.Reject {
		return c.Check
	}
	return nil
}
