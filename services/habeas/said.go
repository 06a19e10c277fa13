package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"habeas.dev/pkg/link"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type saidCommand struct {
	requestFlags
	Reason string `help:"Why you look, for the trace: no personal data in it." placeholder:"TEXT" default:"what a worker said of a task that waits or failed"`
}

// Help implements kong.HelpProvider.
func (saidCommand) Help() string {
	return `Why a task waits or failed stands in the trace as a code and names: a table, a constraint, a
permission. What its worker said in its own words is sealed, since it may quote the person; this
command opens it, and that you looked is a fact of the trace.

  habeas said 3cf5cf5f --reason "what the trigger says"`
}

// Run prints what the workers said, once it is noted that somebody looks.
func (c *saidCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	state, err := in.Requests.State(ctx, id)
	if err != nil {
		return about(id, err)
	}
	tasks := slices.DeleteFunc(slices.Clone(state.Tasks), func(t *core.TaskState) bool { return len(t.Words) == 0 })
	switch {
	case !state.Exists():
		return about(id, core.ErrUnknown)
	case len(tasks) == 0:
		return fmt.Errorf("request %s: no worker said anything in its own words of how its tasks stand", id)
	}
	if err := c.opens(ctx, core.VerbReveal); err != nil {
		return err
	}
	if _, err := do(ctx, in, id, core.Reveal{By: who(ctx), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	keys, err := in.Vault.Keys(ctx, id)
	if err != nil {
		return about(id, err)
	}
	var failed error
	for _, t := range tasks {
		w, err := link.OpenWords(keys, t.Words)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s %s: %w", t.System, t.Action, err))
			continue
		}
		say := func(what, text string) {
			if text != "" {
				terminal.Printf(os.Stdout, "%s %s: %s%s\n", t.System, t.Action, what, terminal.Lines(text))
			}
		}
		say("", w.Reason)
		for _, dataset := range slices.Sorted(maps.Keys(w.Uncovered)) {
			say(dataset+": ", w.Uncovered[dataset])
		}
		for _, n := range w.Notes {
			say("note: ", n)
		}
		say("error: ", w.Error)
	}
	return failed
}
