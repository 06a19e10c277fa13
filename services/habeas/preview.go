package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/correction"
	"habeas.dev/services/internal/terminal"
)

type previewCommand struct {
	requestFlags
	Reason string `help:"Why you look, for the trace: no personal data in it." placeholder:"TEXT" default:"preview of corrections"`
}

// Help implements kong.HelpProvider.
func (previewCommand) Help() string {
	return `Asks the systems of a correction what they hold now, and prints it beside what the person wants it to
be: system, dataset, field, old, new. Nothing is changed, and nothing of it is kept: it is printed in the
clear, apart from what no answer shows, and that you looked is a fact of the trace. While a proof or an answer of the person is awaited,
it is what will happen; afterwards old and new are alike. Systems that run elsewhere aren't asked.

  habeas preview 3cf5cf5f`
}

// previewTime bounds a preview, and systemTime how long one system is asked.
const (
	previewTime = 10 * time.Minute
	systemTime  = time.Minute
)

// Run prints what a correction changes.
func (c *previewCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	cfg, err := c.config()
	if err != nil {
		return err
	}
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	state, err := in.Requests.State(ctx, id)
	if err != nil {
		return err
	}
	if state.Exists() && state.Right != dsar.Rectification {
		return fmt.Errorf("request %s corrects nothing: it is for %s", id, state.Right)
	}
	if _, err := do(ctx, in, id, core.Reveal{By: who(ctx), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	all, err := node.Preview(ctx, in, node.WithSandbox(cfg), state, systemTime)
	if err != nil {
		return fmt.Errorf("request %s: %w", id, err)
	}
	return printFields(os.Stdout, all)
}

// printFields writes a line for each field, with what is never shown masked.
func printFields(w io.Writer, all []correction.System) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	terminal.Printf(t, "SYSTEM\tDATASET\tFIELD\tOLD\tNEW\n")
	for _, s := range all {
		switch {
		case s.Err != nil:
			terminal.Printf(t, "%s\t\t\tnot asked: %s: %s\t\n", s.Name, s.Why, strings.ReplaceAll(s.Err.Error(), "\n", "; "))
		case s.Why != "":
			terminal.Printf(t, "%s\t\t\tnot asked: %s\t\n", s.Name, s.Why)
		case s.Unknown:
			terminal.Printf(t, "%s\t\t\tnot asked: nothing is known yet by which it knows people\t\n", s.Name)
		}
		for _, f := range s.Fields {
			was, is := cmp.Or(f.Was, "-"), cmp.Or(f.Is, "-")
			if f.Secret != "" {
				was, is = "held, not shown", "not shown"
			}
			if f.Stays {
				is = "stays as it was recorded"
			}
			terminal.Printf(t, "%s\t%s\t%s\t%s\t%s\n", f.System, f.Dataset, f.Column, was, is)
		}
	}
	return t.Flush()
}
