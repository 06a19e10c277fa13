package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/links"
	"habeas.dev/services/internal/signkey"
	"habeas.dev/services/internal/terminal"
)

type keysCommand struct {
	Init   keysInitCommand   `cmd:"" help:"Make the keys that are missing."`
	Show   keysShowCommand   `cmd:"" help:"Print the public keys by which others verify what is signed."`
	Rotate keysRotateCommand `cmd:"" help:"Move link keys on by one, or wrap all keys by a new master key."`

	Sealing keysSealingCommand `cmd:"" help:"Make what intake has instead of the master key."`
}

type keysInitCommand struct {
	installationFlags
	Systems []string `arg:"" optional:"" name:"system" help:"The systems whose link keys are made; none: those of the configuration, and the aggregator's."`
}

// Help implements kong.HelpProvider.
func (keysInitCommand) Help() string {
	return `Makes each key whose file is missing, readable by its owner only, and replaces none.
The keys that sign answers and receipts are named in the configuration by receipts:
their public parts lie beside them in files that end in .pub. A link key for each worker,
SYSTEM.json in the folder that links: names, seals what goes between it and the
coordinator: give each worker its own file and no other, and the coordinator all of them.

  habeas keys init --config habeas.yaml
  habeas keys init --config habeas.yaml billing`
}

// Run makes what is missing.
func (c *keysInitCommand) Run() error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	for _, k := range installation.SigningKeys(cfg.Receipts) {
		key, err := signkey.Create(k.Path, k.Name)
		switch {
		case errors.Is(err, fs.ErrExist):
			terminal.Printf(os.Stdout, "%s is there\n", k.Path)
		case err != nil:
			return err
		default:
			terminal.Printf(os.Stdout, "%s made; others verify by %s\n", k.Path, key.Verifier)
		}
	}
	if cfg.Portal.Listen != "" {
		identity, err := installation.MakeUploadsKey(cfg)
		if err != nil {
			return err
		}
		terminal.Printf(os.Stdout, "%s is there, for the console; a portal elsewhere has portal.uploads_recipient: %s\n", cfg.Portal.UploadsKey, identity.Recipient())
	}
	return eachLink(cfg, c.Systems, func(folder *links.Folder, system string) error {
		path := folder.Path(system)
		made, err := link.Create(path)
		if err != nil {
			return err
		}
		if made {
			terminal.Printf(os.Stdout, "%s made; its worker and the coordinator need it, and nobody else\n", path)
		} else {
			terminal.Printf(os.Stdout, "%s is there\n", path)
		}
		return nil
	})
}

// eachLink does something with each link key: of some systems, or of all of a configuration
// and the aggregator. What fails for one keeps no other from it.
func eachLink(cfg config.Config, systems []string, do func(folder *links.Folder, system string) error) error {
	if len(systems) == 0 {
		manifests, err := node.Manifests(node.WithSandbox(cfg))
		if err != nil {
			return err
		}
		systems = []string{dsar.Aggregator}
		for _, m := range manifests {
			systems = append(systems, m.System)
		}
	}
	folder := links.NewFolder(cfg.Links, false)
	var failed []error
	for _, system := range systems {
		if err := do(folder, system); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) <= 1 {
		return errors.Join(failed...)
	}
	for _, err := range failed {
		terminal.Printf(os.Stderr, "%v\n", err)
	}
	return fmt.Errorf("%d of %d link keys are as they were", len(failed), len(systems))
}

type keysRotateCommand struct {
	installationFlags
	Links   bool     `xor:"which" required:"" help:"The link keys of workers."`
	Master  bool     `xor:"which" required:"" help:"The master key: docs/keys.md has the steps of which this is one."`
	Again   bool     `help:"With --links, move on also what was moved on within the hour: every worker concerned MUST have that file."`
	Systems []string `arg:"" optional:"" name:"system" help:"The systems whose link keys are moved on; none: those of the configuration, and the aggregator's."`
}

// Help implements kong.HelpProvider.
func (keysRotateCommand) Help() string {
	return `--links moves each link key on by one: the key that was made to come next seals, the one that
sealed only opens, the one before that is destroyed, and another is made to come next.
Everything goes on running: whoever has the file as it was opens what is sealed by the new
one, and the other way round. Files are read again by themselves. Before the next rotation
each worker and the coordinator MUST have this one's file; once a week is often. So a
key that was moved on within the hour is left as it is: broken off, it can be run again.

--master wraps every request's keys by the new master key, while everything runs: first
every process learns the new key as one that opens, then as the one that wraps, then
this, and then the old one is taken out (docs/keys.md).

  habeas keys rotate --links --config habeas.yaml
  habeas keys rotate --master --config habeas.yaml`
}

// Validate refuses systems where the master key is rotated.
func (c *keysRotateCommand) Validate() error {
	if c.Master && len(c.Systems) > 0 {
		return errors.New("--master wraps every request's keys: name no systems")
	}
	if c.Master && c.Again {
		return errors.New("--again is about link keys: --master can be run again as it is")
	}
	return nil
}

// Run moves the keys on.
func (c *keysRotateCommand) Run(ctx context.Context) error {
	if c.Master {
		return c.rotateMaster(ctx)
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	before := now().Add(-links.Settles)
	if c.Again {
		before = now().Add(time.Hour) // whatever their clocks say
	}
	return links.NewFolder(cfg.Links, false).Locked(func() error {
		return eachLink(cfg, c.Systems, func(folder *links.Folder, system string) error {
			moved, err := folder.Rotate(system, before)
			switch {
			case err != nil:
				return err
			case moved:
				terminal.Printf(os.Stdout, "%s moved on; its worker and the coordinator need the new file before the next rotation\n", folder.Path(system))
			default:
				terminal.Printf(os.Stdout, "%s was made or moved on within the hour, and is left as it is; --again moves it on, once its worker and the coordinator have that file\n", folder.Path(system))
			}
			return nil
		})
	})
}

// rotateMaster wraps all keys by the new master key.
func (c *keysRotateCommand) rotateMaster(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	if len(in.Config.Vault.OldKeys) == 0 {
		return errors.New("vault.old_keys names no old master key: docs/keys.md has the steps of a rotation")
	}
	mirror, err := installation.OpenMirror(ctx, in.Config)
	if err != nil {
		return err
	}
	defer func() { _ = mirror.Close() }()
	rewrapped, all, err := keeper.Rotate(ctx, in.Vault, keeper.NewList(mirror), keeper.JournalledBy(in.Requests), now())
	if errors.Is(err, vault.ErrUnopened) {
		return fmt.Errorf("vault.key wraps %d keys more, and not all: keep the old key: %w", rewrapped, err)
	}
	if err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "vault.key wraps all %d keys, %d of them since now. Once it is the new key in every process, take the old one out of vault.old_keys everywhere, and destroy it.\n", all, rewrapped)
	return err
}

type keysShowCommand struct{ installationFlags }

// Help implements kong.HelpProvider.
func (keysShowCommand) Help() string {
	return `Prints a line for each key that signs: what others verify answers and receipts by.
Publish them where people can find them. They are no secret.

  habeas keys show --data ./habeas-data > habeas.pub
  habeas verify answer.zip --key habeas.pub`
}

// Run prints the public keys.
func (c *keysShowCommand) Run() error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	for _, k := range installation.SigningKeys(cfg.Receipts) {
		key, err := signkey.Read(k.Path)
		if err != nil {
			return err
		}
		terminal.Printf(os.Stdout, "%s\n", key.Verifier)
	}
	return nil
}
