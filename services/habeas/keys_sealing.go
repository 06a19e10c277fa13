package main

import (
	"context"
	"encoding/json"
	"os"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/terminal"
)

type keysSealingCommand struct {
	installationFlags
	Anew bool   `help:"Make another sealing key: what was sealed by earlier ones opens as before."`
	File string `arg:"" help:"Where intake's file is written, in the place of one that is there; -: to standard output." type:"path"`
}

// Help implements kong.HelpProvider.
func (keysSealingCommand) Help() string {
	return `Makes the vault's sealing key where it has none, and writes its file: what an intake by
itself has instead of the master key, named by vault.sealing_key. It makes requests' keys
and seals by it, and opens nothing. Give intake that file and no master key.

It gives intake its part of the requests that there are, too. While intakes still run by
the master key, others come: run it once more when the last of them has stopped. It needs
the master key, and can be broken off and run again (docs/keys.md).

With --anew it only makes another one, by which intakes go on beside those that have the
earlier one. Without it, once every intake has that file, the earlier one finds nothing.

  habeas keys sealing sealing.key --config habeas.yaml`
}

// Run makes the sealing key, and writes its file.
func (c *keysSealingCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	mirror, err := installation.OpenMirror(ctx, in.Config)
	if err != nil {
		return err
	}
	defer func() { _ = mirror.Close() }()
	list, has := keeper.NewList(mirror), keeper.JournalledBy(in.Requests)
	if _, _, err := list.Again(ctx, in.Vault, has, now()); err != nil { // the keys may come from a backup
		return err
	}
	key, err := in.Vault.MakeSealingKey(ctx, c.Anew)
	if err != nil {
		return err
	}
	if err := c.write(key); err != nil {
		return err
	}
	if c.Anew {
		_, err = terminal.Printf(os.Stderr, "Another sealing key is written. Give it to every intake; then run this without --anew, and the earlier one finds nothing any more.\n")
		return err
	}
	given, all, err := keeper.GiveSealer(ctx, in.Vault, list, has, now())
	if err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stderr, "The sealing key is written, for intake alone. Its part of %d of %d keys was given to it now.\n", given, all)
	return err
}

func (c *keysSealingCommand) write(key vault.SealingKey) error {
	if c.File != "-" {
		return key.WriteFile(c.File)
	}
	text, err := json.Marshal(key)
	if err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "%s\n", text)
	return err
}
