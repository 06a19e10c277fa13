package main

import (
	"context"
	"fmt"

	"habeas.dev/services/internal/core"
)

type cancelCommand struct {
	requestFlags
	Reason string `help:"Why, for the trace." placeholder:"TEXT" required:""`
}

func (c *cancelCommand) Run(ctx context.Context) error {
	if _, err := c.act(ctx, core.Cancel{By: who(), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := fmt.Println("Cancelled. What systems still report of it is dropped; what they have done stays done.")
	return err
}
