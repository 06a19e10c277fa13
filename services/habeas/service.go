package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
)

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
	at := ""
	if n.Address != "" {
		at = ", HTTP " + n.URL()
	}
	if n.MonitorAddress != "" {
		at += ", health " + n.MonitorURL()
	}
	fmt.Printf("habeas %s is up after %s: broker %s%s\n", name, time.Since(began).Round(time.Millisecond), strings.Join(n.Brokers, ","), at)
	return n.Wait(ctx)
}
