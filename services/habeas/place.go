package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
)

// place says which installation a command is about.
type place struct {
	Data   string `help:"The data folder of a demo or of habeas up." env:"HABEAS_DATA" placeholder:"DIR" type:"path"`
	Config string `help:"The configuration file." env:"HABEAS_CONFIG" placeholder:"FILE" type:"path"`
}

func (p place) config() (config.Config, error) {
	switch {
	case p.Config != "":
		return config.Load(p.Config)
	case p.Data != "":
		return config.ForData(p.Data)
	default:
		return config.Config{}, errors.New("which installation? name its folder with --data DIR, or its configuration with --config FILE (or in HABEAS_DATA, HABEAS_CONFIG)")
	}
}

func (p place) open(ctx context.Context) (*installation.Installation, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	return installation.Open(ctx, c)
}

// explain turns the core's refusals into a line with a cure.
func explain(err error, requestID string) error {
	switch {
	case errors.Is(err, core.ErrUnknown):
		return fmt.Errorf("no request %s here; habeas requests lists them", requestID)
	case errors.Is(err, core.ErrEnded):
		return fmt.Errorf("request %s has ended; habeas trace %s tells how", requestID, requestID)
	case errors.Is(err, core.ErrNothingToRetry):
		return fmt.Errorf("request %s has nothing to retry: no task of it has failed; habeas trace %s tells what it waits for", requestID, requestID)
	default:
		return explainMore(err, requestID)
	}
}

// who names the person at the keyboard for the journal.
func who() string {
	for _, name := range []string{"HABEAS_USER", "USER", "LOGNAME"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return "command line"
}
