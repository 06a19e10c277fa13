package main

import (
	"context"
	"os"
	"strings"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type retryCommand struct {
	requestFlags
	System     []string `help:"Only these systems; else every one whose task failed." placeholder:"NAME"`
	AcceptPlan bool     `help:"Accept what is more than the manifest expects of one person: what was planned is erased; what was erased beside a plan stays as it was done."`
	Reason     string   `help:"Why, for the trace." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (retryCommand) Help() string {
	return `For a request that needs attention once its cause is gone: a permission was given, a
column is back. Only tasks that failed are sent again.

  habeas retry 3cf5cf5f
  habeas retry 3cf5cf5f --system salesforce --reason "the permission is back"`
}

func (c *retryCommand) Run(ctx context.Context) error {
	state, err := c.act(ctx, core.Retry{By: who(ctx), Reason: c.Reason, Systems: c.System, AcceptPlan: c.AcceptPlan, Now: now()})
	if err != nil {
		return err
	}
	if waits := core.Waiting(state); state.Status != core.StatusNeedsAttention {
		_, err = terminal.Printf(os.Stdout, "Taken up again; the request waits for %s.\n", strings.Join(waits, ", "))
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Still needs attention: %s\n", state.Attention.Reason)
	return err
}
