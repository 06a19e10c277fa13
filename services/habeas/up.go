package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/terminal"
)

type upCommand struct {
	installationFlags
	Listen  string `help:"Where the HTTP door listens; else as configured." placeholder:"HOST:PORT"`
	Monitor string `help:"Where /healthz, /readyz and /metrics are; else as configured." placeholder:"HOST:PORT"`
	Faults  string `help:"What goes wrong with the sandbox's stand-ins; habeas sandbox --help explains it." name:"sandbox-faults" placeholder:"FAULTS"`
}

// Help implements kong.HelpProvider.
func (upCommand) Help() string {
	return `Everything in one process: what is not in the configuration is embedded, below the
data folder (a broker, a journal in SQLite, a vault in files). It stops at Ctrl-C or
SIGTERM, and goes on at its next start where it was.

  habeas up --config habeas.yaml
  habeas up --data ./habeas-data      with the configuration that lies in it`
}

func (c *upCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if c.Listen != "" {
		cfg.Listen = c.Listen
	}
	if c.Monitor != "" {
		cfg.Monitor.Listen = c.Monitor
	}
	if c.Faults != "" {
		if cfg.Sandbox == nil {
			return fmt.Errorf("--sandbox-faults without a sandbox: ask for one by sandbox: in the configuration")
		}
		cfg.Sandbox.Faults = c.Faults
	}
	if err := node.CheckSystems(ctx, cfg); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w; name another one with --data", err)
	}
	began := time.Now()
	n, err := node.Start(ctx, cfg, nodeOptions(), node.Everything())
	if err != nil {
		return err
	}
	defer n.Stop()
	if cfg.Log.Format == jsonLogs {
		n.Up("up", time.Since(began), n.URLs()...)
		return n.Wait(ctx)
	}
	terminal.Printf(os.Stdout, "Habeas is up after %s: %d systems, data in %s, broker %s, HTTP %s\n", time.Since(began).Round(time.Millisecond), len(n.Manifests), filepath.Clean(cfg.Data), n.Brokers[0], n.URL())
	terminal.Printf(os.Stdout, "Who comes from outside, as a worker elsewhere, signs in to the broker by a file of their own in %s\n", n.Config.Room(config.RoomUsers))
	if n.ConsoleAddress != "" {
		terminal.Printf(os.Stdout, "The console is at %s\n", n.ConsoleURL())
	}
	if n.PortalAddress != "" {
		terminal.Printf(os.Stdout, "The portal is at %s\n", n.PortalURL())
	}
	if len(cfg.Callers) == 0 {
		terminal.Printf(os.Stdout, "No callers are configured: the door listens on this machine only, and believes whoever is on it (callers: in the configuration lets others in)\n")
	}
	return n.Wait(ctx)
}
