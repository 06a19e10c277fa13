package main

import (
	"context"
	"fmt"

	"habeas.dev/services/internal/core"
)

type cancelCommand struct {
	installationFlags
	ID     string `arg:"" help:"The request's id."`
	Reason string `help:"Why, for the trace." placeholder:"TEXT" required:""`
}

func (c *cancelCommand) Run(ctx context.Context) error {
	if _, err := act(ctx, c.installationFlags, c.ID, core.Cancel{By: who(), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := fmt.Println("Cancelled. What systems still report of it is dropped; what they have done stays done.")
	return err
}
