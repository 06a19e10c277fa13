package main

import (
	"context"
	"fmt"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
)

type forgetCommand struct {
	requestFlags
	Reason string `required:"" help:"Why, for the trace." placeholder:"TEXT"`
	All    bool   `help:"Also whom it was about: identifiers, plans, letters, receipt. Without, records and answer."`
}

// Help implements kong.HelpProvider.
func (forgetCommand) Help() string {
	return `Destroys what Habeas itself holds of an ended request, before its time: the keys, then
what they opened, and then tries to open it. What was done, and that it was done, stays
in the journal and verifies as before. It can't be undone.

  habeas forget 3cf5cf5f --reason "asked by the person"
  habeas forget 3cf5cf5f --reason "asked by the person" --all`
}

// Run forgets.
func (c *forgetCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	mirror, err := installation.OpenMirror(ctx, in.Config)
	if err != nil {
		return err
	}
	defer func() { _ = mirror.Close() }()
	k := node.NewKeeper(in, mirror)
	parts := []core.Part{core.PartRecords}
	if c.All {
		parts = append(parts, core.PartSubject)
	}
	for _, part := range parts {
		if err := k.Forget(ctx, id, part, who(ctx), c.Reason); err != nil {
			return about(id, err)
		}
	}
	_, err = fmt.Printf("Forgotten. habeas trace %s tells it.\n", id)
	return err
}
