package main

import (
	"context"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type approveCommand struct {
	requestFlags
	System []string `help:"Only in these systems; default: wherever it has stopped." placeholder:"SYSTEM"`
	Reason string   `help:"Why, for the trace: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (approveCommand) Help() string {
	return "Has a correction made that waits for a person: before anything is corrected, where the configuration says so " +
		"(corrections.review: always), or because it has stopped in doubt: what would be overwritten may be somebody else's, nobody has shown that the " +
		"new address is the person's, or the system writes the value in its own way. habeas preview says what it changes.\n\n" +
		"Onto an address or a number that leads to somebody else's records nothing is corrected, whoever approves it: " +
		"refuse that field (habeas refuse --field), and the rest goes on.\n\n" +
		"Examples:\n  habeas approve ID --reason \"called her back at the number we know\"\n" +
		"  habeas approve ID --system billing --reason \"40 characters will do\""
}

func (c *approveCommand) Run(ctx context.Context) error {
	if _, err := c.act(ctx, core.ApproveCorrection{By: who(ctx), Systems: c.System, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := terminal.Printf(os.Stdout, "Approved. The correction goes on.\n")
	return err
}
