package main

import (
	"errors"
	"fmt"
	"io/fs"

	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/signkey"
)

type keysCommand struct {
	Init keysInitCommand `cmd:"" help:"Make the keys that are missing."`
	Show keysShowCommand `cmd:"" help:"Print the public keys by which others verify what is signed."`
}

type keysInitCommand struct{ installationFlags }

// Help implements kong.HelpProvider.
func (keysInitCommand) Help() string {
	return `Makes each key whose file is missing, readable by its owner only, and replaces none.
The keys that sign answers and receipts are named in the configuration by receipts:
their public parts lie beside them in files that end in .pub.

  habeas keys init --config habeas.yaml`
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
			fmt.Printf("%s is there\n", k.Path)
		case err != nil:
			return err
		default:
			fmt.Printf("%s made; others verify by %s\n", k.Path, key.Verifier)
		}
	}
	return nil
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
		fmt.Println(key.Verifier)
	}
	return nil
}
