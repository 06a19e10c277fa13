package main

import (
	"context"
	"errors"
	"os"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/terminal"
)

type forgetCommand struct {
	requestFlags
	Reason     string `help:"Why, for the trace." placeholder:"TEXT"`
	All        bool   `help:"Also whom it was about: identifiers, plans, letters, receipt. Without, records and answer."`
	NeverTaken bool   `help:"The journal has no such request: destroy the keys that were made when it came, which habeas audit names."`
}

// Help implements kong.HelpProvider.
func (forgetCommand) Help() string {
	return `Destroys what Habeas itself holds of an ended request, before its time: the keys, then
what they opened, and then tries to open it. What was done, and that it was done, stays
in the journal and verifies as before. It can't be undone.

  habeas forget 3cf5cf5f --reason "asked by the person"
  habeas forget 3cf5cf5f --reason "asked by the person" --all
  habeas forget 9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11 --never-taken`
}

// Run forgets.
func (c *forgetCommand) Run(ctx context.Context) error {
	if c.NeverTaken == (c.Reason != "") || c.NeverTaken && c.All {
		return errors.New("--reason says why, for the trace of the request; with --never-taken there is none, and neither --reason nor --all")
	}
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
	if c.NeverTaken {
		if err := k.ForgetNeverTaken(ctx, id); err != nil {
			return about(id, err)
		}
		_, err = terminal.Printf(os.Stdout, "Its keys are destroyed: its id can't be used again.\n")
		return err
	}
	parts := []core.Part{core.PartRecords}
	if c.All {
		parts = append(parts, core.PartSubject)
	}
	for _, part := range parts {
		if err := k.Forget(ctx, id, part, who(ctx), c.Reason); err != nil {
			return about(id, err)
		}
	}
	_, err = terminal.Printf(os.Stdout, "Forgotten. habeas trace %s tells it.\n", id)
	return err
}
