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

type consoleCommand struct {
	Config  string `help:"The configuration file." env:"HABEAS_CONFIG" placeholder:"FILE" type:"path" required:""`
	Listen  string `help:"Where its pages are; else as configured under console:." placeholder:"HOST:PORT"`
	Monitor string `help:"Where /healthz, /readyz and /metrics are; else as configured." placeholder:"HOST:PORT"`
}

// Help implements kong.HelpProvider.
func (consoleCommand) Help() string {
	return "Support agents find requests, follow them and act on them here. Who they are is said by a provider of OpenID Connect, configured under console: (see docs/support.md). " +
		"Any number of consoles may run behind one address."
}

// Run serves the console's pages.
func (c *consoleCommand) Run(ctx context.Context) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	if c.Listen != "" {
		cfg.Console.Listen = c.Listen
	}
	if cfg.Console.Listen == "" {
		return errors.New("where? name an address with --listen, or under console: in the configuration")
	}
	if c.Monitor != "" {
		cfg.Monitor.Listen = c.Monitor
	}
	began := time.Now()
	n, err := node.Start(ctx, cfg, nodeOptions(), node.Roles{Console: true})
	if err != nil {
		return err
	}
	defer n.Stop()
	if cfg.Log.Format == jsonLogs {
		n.Up("console", time.Since(began), n.URLs()...)
		return n.Wait(ctx)
	}
	health := ""
	if n.MonitorAddress != "" {
		health = ", health " + n.MonitorURL()
	}
	terminal.Printf(os.Stdout, "habeas console is up: %s%s\n", n.ConsoleURL(), health)
	return n.Wait(ctx)
}
