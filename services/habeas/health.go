package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"habeas.dev/services/habeas/node"
)

type healthCommand struct {
	URL string `arg:"" optional:"" help:"What to ask." default:"http://127.0.0.1:8429/readyz" env:"HABEAS_HEALTH" placeholder:"URL"`
}

const (
	// askTime is longer than the checks of one call may take.
	askTime = node.CheckTime + time.Second
	// maxHealth bounds what is read of an answer.
	maxHealth = 64 << 10
)

// Help returns what habeas health --help says beyond its flags.
func (healthCommand) Help() string {
	return `For a container's health check, whose image has neither a shell nor curl. Exit
status 0: well; 1: one line says what isn't, or that nothing answers.

  habeas health
  habeas health http://127.0.0.1:8429/healthz`
}

// Run asks a service of this machine how it is.
func (c *healthCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct{ Problems []string }
	_ = json.NewDecoder(io.LimitReader(res.Body, maxHealth)).Decode(&answer) // it is the status that counts
	switch {
	case res.StatusCode == http.StatusOK:
		return nil
	case len(answer.Problems) > 0:
		return errors.New(strings.Join(answer.Problems, "; "))
	default:
		return fmt.Errorf("%s: %s", c.URL, res.Status)
	}
}
