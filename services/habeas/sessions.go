package main

import (
	"context"
	"errors"
	"os"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/terminal"
)

type sessionsCommand struct {
	End sessionsEndCommand `cmd:"" help:"End the sessions of somebody, or of everybody, at every console."`
}

type sessionsEndCommand struct {
	installationFlags
	Subject string `arg:"" optional:"" help:"Who: the subject (sub) that the provider of console.oidc knows them by; traces have it behind issuer#."`
	All     bool   `help:"Everybody's."`
}

// Help implements kong.HelpProvider.
func (sessionsEndCommand) Help() string {
	return `Consoles know it within five seconds. Whoever it is has to sign in again; to keep them
out, take their account or their role from them at the provider first.

  habeas sessions end 00u1abc --config habeas.yaml`
}

// Run ends them.
func (c *sessionsEndCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	id := ""
	switch {
	case c.All == (c.Subject != ""):
		return errors.New("whose? name a subject, or --all")
	case !c.All && cfg.Console.OIDC.Issuer == "":
		return errors.New("the configuration has no console.oidc: nobody signs in")
	case !c.All:
		id = cfg.Console.OIDC.Issuer + "#" + c.Subject
	}
	in, err := c.openJournal(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := console.EndSessions(ctx, in.Journal, id, now()); err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Ended. Who is still let in by the provider can sign in again.\n")
	return err
}
