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
	Config string `help:"The configuration file." env:"HABEAS_CONFIG" placeholder:"FILE" type:"path" required:""`
	Listen string `help:"Where /healthz, /readyz and /metrics are, and the door of intake; without it intake alone listens, as configured." placeholder:"HOST:PORT"`
}

// serve runs the services of some roles until the context is over.
func (p serviceFlags) serve(ctx context.Context, name string, r node.Roles) error {
	cfg, err := config.Load(p.Config)
	if err != nil {
		return err
	}
	switch {
	case p.Listen != "":
		cfg.Listen = p.Listen
	case !r.Intake:
		cfg.Listen = ""
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
	fmt.Printf("habeas %s is up after %s: broker %s%s\n", name, time.Since(began).Round(time.Millisecond), strings.Join(n.Brokers, ","), at)
	return n.Wait(ctx)
}
