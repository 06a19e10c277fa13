package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/terminal"
)

// jsonLogs is the format of logs that programs read: all that a service says is in them
// then, from its first line to its last.
const jsonLogs = "json"

// logsEnd writes the error that ends a service as the last line of its logs, where these
// are JSON. It reports whether it did.
func logsEnd(call *kong.Context, err error) bool {
	command := call.Selected()
	if command == nil {
		return false
	}
	of, ok := command.Target.Addr().Interface().(interface{ configFile() string })
	if !ok || config.LogFormat(of.configFile()) != jsonLogs {
		return false
	}
	log, logErr := telemetry.NewLogger(os.Stderr, telemetry.LogConfig{Format: jsonLogs})
	if logErr != nil {
		return false
	}
	log.Error("the service ends", "service", command.Name, "error", telemetry.Vouch(errors.New(explain(err))))
	return true
}

func (p serviceFlags) configFile() string   { return p.Config }
func (c consoleCommand) configFile() string { return c.Config }
func (c portalCommand) configFile() string  { return c.Config }
func (c upCommand) configFile() string {
	if c.Config == "" {
		return filepath.Join(c.Data, config.File)
	}
	return c.Config
}

// serviceFlags is what each service that runs by itself is told.
type serviceFlags struct {
	Config  string `help:"The configuration file." env:"HABEAS_CONFIG" placeholder:"FILE" type:"path" required:""`
	Monitor string `help:"Where /healthz, /readyz and /metrics are; else as configured." placeholder:"HOST:PORT"`
}

// serve runs the services of some roles until the context is over.
func (p serviceFlags) serve(ctx context.Context, name string, r node.Roles) error {
	cfg, err := config.Load(p.Config)
	if err != nil {
		return err
	}
	return p.serveWith(ctx, name, cfg, r)
}

// serveWith runs the services of some roles by a configuration.
func (p serviceFlags) serveWith(ctx context.Context, name string, cfg config.Config, r node.Roles) error {
	if p.Monitor != "" {
		cfg.Monitor.Listen = p.Monitor
	}
	began := time.Now()
	n, err := node.Start(ctx, cfg, nodeOptions(), r)
	if err != nil {
		return err
	}
	defer n.Stop()
	if cfg.Log.Format == jsonLogs {
		n.Up(name, time.Since(began), n.URLs()...)
		return n.Wait(ctx)
	}
	at := ""
	if n.Address != "" {
		at = ", HTTP " + n.URL()
	}
	if n.MonitorAddress != "" {
		at += ", health " + n.MonitorURL()
	}
	terminal.Printf(os.Stdout, "habeas %s is up after %s: broker %s%s\n", name, time.Since(began).Round(time.Millisecond), strings.Join(n.Brokers, ","), at)
	return n.Wait(ctx)
}
