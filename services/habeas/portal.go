package main

import (
	"context"
	"errors"
	"os"
	"time"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/terminal"
)

type portalCommand struct {
	Config  string `help:"The configuration file." env:"HABEAS_CONFIG" placeholder:"FILE" type:"path" required:""`
	Listen  string `help:"Where its pages are; else as configured under portal:." placeholder:"HOST:PORT"`
	Monitor string `help:"Where /healthz, /readyz and /metrics are; else as configured." placeholder:"HOST:PORT"`
}

// Help implements kong.HelpProvider.
func (portalCommand) Help() string {
	return "People ask for their data here, follow their request, and receive the answer. It opens nothing itself, and needs the journal, the outbox, a mail server, and intake's door (see docs/portal.md). " +
		"Any number of portals may run behind one address."
}

// Run serves the portal's pages.
func (c *portalCommand) Run(ctx context.Context) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	if c.Listen != "" {
		cfg.Portal.Listen = c.Listen
	}
	if cfg.Portal.Listen == "" {
		return errors.New("where? name an address with --listen, or under portal: in the configuration")
	}
	if c.Monitor != "" {
		cfg.Monitor.Listen = c.Monitor
	}
	began := time.Now()
	n, err := node.Start(ctx, cfg, nodeOptions(), node.Roles{Portal: true})
	if err != nil {
		return err
	}
	defer n.Stop()
	if cfg.Log.Format == jsonLogs {
		n.Up("portal", time.Since(began), n.URLs()...)
		return n.Wait(ctx)
	}
	health := ""
	if n.MonitorAddress != "" {
		health = ", health " + n.MonitorURL()
	}
	terminal.Printf(os.Stdout, "habeas portal is up: %s%s\n", n.PortalURL(), health)
	return n.Wait(ctx)
}
