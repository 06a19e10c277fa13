package main

import (
	"context"
	"fmt"
	"strings"

	"habeas.dev/services/internal/core"
)

type retryCommand struct {
	requestFlags
	System     []string `help:"Only these systems; else every one whose task failed." placeholder:"NAME"`
	AcceptPlan bool     `help:"Erase what was planned, though it is more than the manifest expects of one person."`
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
		_, err = fmt.Printf("Taken up again; the request waits for %s.\n", strings.Join(waits, ", "))
		return err
	}
	_, err = fmt.Printf("Still needs attention: %s\n", state.Attention.Reason)
	return err
}
