package main

import (
	"context"
	"fmt"

	"habeas.dev/services/internal/core"
)

type assignCommand struct {
	requestFlags
	To     string `help:"Who has it in hand from now on, by the name that they sign in with; without it, nobody has." placeholder:"NAME"`
	Reason string `help:"Why, for the trace." placeholder:"TEXT"`
}

func (c *assignCommand) Run(ctx context.Context) error {
	if _, err := c.act(ctx, core.Assign{By: who(), To: c.To, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	text := "Nobody has it in hand now."
	if c.To != "" {
		text = "It is in the hands of " + c.To + "."
	}
	_, err := fmt.Println(text)
	return err
}
