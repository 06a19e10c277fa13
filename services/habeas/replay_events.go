package main

import (
	"context"
	"fmt"
	"os"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/terminal"
)

type replayCommand struct {
	installationFlags
	Since       string `help:"From when on facts are told again: a day, or a time as 2026-11-20T04:00:00Z." placeholder:"TIME" xor:"what" required:""`
	Projections bool   `help:"Make the rows that lists and timers go by anew from the facts." xor:"what" required:""`
	Yes         bool   `help:"Do it; else it is said how much would be done."`
}

// Help implements kong.HelpProvider.
func (replayCommand) Help() string {
	return `Tells the facts of the journal on dsar.events again, from a moment on: after Kafka was lost or
emptied, or for a follower that has lost what it had. Each fact has the id and the hash that it had, so
that who has it drops it. Letters aren't written again, and no task is sent.

  habeas replay --config habeas.yaml --since 2026-11-20T04:00:00Z
  habeas replay --config habeas.yaml --since 2026-11-20 --yes

Its user writes dsar.events (habeas-reconciler in habeas topics access).

With --projections nothing is told: each request's row, by which lists, pages, counts and timers find it, is
held against its facts, and made anew where it differs, as habeas audit has named it. Services may run
meanwhile. It connects as the owner of the journal's tables. Exit status 1: rows differ, without --yes.

  habeas replay --config habeas.yaml --projections
  habeas replay --config habeas.yaml --projections --yes`
}

// Run replays.
func (c *replayCommand) Run(ctx context.Context) error {
	if c.Projections {
		return c.rebuild(ctx)
	}
	since, err := instant(c.Since)
	if err != nil {
		return err
	}
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	progress := newProgressLine(os.Stderr)
	facts, requests, err := node.Replay(ctx, in, since, c.Yes, progress.count)
	progress.end()
	if err != nil {
		return err
	}
	if !c.Yes {
		_, err = terminal.Printf(os.Stdout, "%d facts of %d requests would be told again; --yes does it.\n", facts, requests)
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Told again: %d facts of %d requests.\n", facts, requests)
	return err
}

// rebuild makes rows anew.
func (c *replayCommand) rebuild(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	progress := newProgressLine(os.Stderr)
	looked, differed, set, err := lifecycle.Rebuild(ctx, in.Journal, !c.Yes, progress.count)
	progress.end()
	switch {
	case err != nil:
		return fmt.Errorf("%w; what was done stays, and calling this again goes on", err)
	case c.Yes:
		_, err = terminal.Printf(os.Stdout, "Of %d rows %d differed from their facts; %d are made anew.\n", looked, differed, set)
	case differed == 0:
		_, err = terminal.Printf(os.Stdout, "All %d rows are what their facts amount to.\n", looked)
	default:
		_, err = terminal.Printf(os.Stdout, "Of %d rows %d differ from their facts; --yes makes them anew.\n", looked, differed)
	}
	if err == nil && differed > set {
		return errSilent
	}
	return err
}
