package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/reconcile"
	"habeas.dev/services/internal/terminal"
)

type reconcileCommand struct {
	installationFlags
	Yes      bool   `help:"Do it; else it is said what would be done."`
	Since    string `help:"Read the topics from then on only: a day, or a time as 2026-11-20T04:00:00Z. Without, from an hour before the journal was last known to be whole." placeholder:"TIME"`
	All      bool   `help:"Read all that is on the topics."`
	NoTopics bool   `help:"Leave Kafka out: it is gone as well."`
	Anyway   bool   `help:"Also where the journal isn't known to come from a backup. What is on its way then counts as lost: stop everything first."`
	Output   string `help:"table or json." enum:"table,json" default:"table"`
}

// Help implements kong.HelpProvider.
func (reconcileCommand) Help() string {
	return `After the journal was restored from a backup it lacks what was done since. This holds it against
what lies elsewhere, and takes up again what can be: facts that are still on dsar.events, where the
vault's secret vouches for them and they follow the journal's by their hashes; and requests that are
still on dsar.requests. A request whose answer lies in the outbox is not answered again: it ends
with that, and needs a person who looks. What can't be taken up is named, with who sent it, so that
they send it again. Each thing that is done to a request is a fact of it.

Without --yes nothing is done. It can be stopped at any moment and called again. Coordinators wait
for it, and go on by themselves when it is done.

  habeas reconcile --config habeas.yaml
  habeas reconcile --config habeas.yaml --yes --output json

Its user reads dsar.requests and dsar.events (habeas-reconciler in habeas topics access), and is the
owner of the journal's tables. Exit status 1: there are requests to be sent again, or to be looked at.`
}

// sinceMargin is how much earlier the topics are read than the journal was last known to be
// whole: clocks differ, and messages leave late.
const sinceMargin = time.Hour

// Run reconciles.
func (c *reconcileCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	due := (*reconcile.DueError)(nil)
	switch err := node.DueNow(ctx, in); {
	case errors.As(err, &due):
	case err != nil:
		return err
	case !c.Anyway:
		terminal.Printf(os.Stdout, "The journal is the newest that there was: nothing is to be reconciled. (--anyway looks all the same.)\n")
		return nil
	}
	r := node.Reconciliation{Plan: !c.Yes, By: who(ctx), NoTopics: c.NoTopics}
	switch {
	case c.Since != "":
		if r.Since, err = instant(c.Since); err != nil {
			return err
		}
	case !c.All && due != nil && !due.Since.IsZero():
		r.Since = due.Since.Add(-sinceMargin)
	}
	progress := newProgressLine(os.Stderr)
	r.Progress = progress.count
	report, err := node.Reconcile(ctx, in, nodeOptions(), r)
	progress.end()
	if err != nil {
		return fmt.Errorf("%w; what was done stays, and calling this again goes on", err)
	}
	if c.Output == "json" {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		err = writeReconciled(os.Stdout, report)
	}
	if err == nil && (report.Count(reconcile.Lost)+report.Count(reconcile.NoKeys)+report.Count(reconcile.Answered)+report.Count(reconcile.Parted) > 0) {
		return errSilent
	}
	return err
}

// writeReconciled prints what became of each request, or would.
func writeReconciled(w io.Writer, r reconcile.Report) error {
	if len(r.Items) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		terminal.Printf(t, "REQUEST\tCALLER\tWHAT\tFACTS\tLETTERS\tSTATUS\tWHY\n")
		for _, i := range r.Items {
			terminal.Printf(t, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", i.Request, cmp.Or(i.Caller, "unknown"), i.What, i.Facts, i.Letters, cmp.Or(string(i.Status), "-"), i.Why)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		terminal.Printf(w, "\n")
	}
	did := "Done"
	if r.Plan {
		did = "Nothing is done yet; --yes does it"
	}
	_, err := terminal.Printf(w, "%s: of %d facts read, requests taken up again %d, taken in again %d, ended with the answer that had gone out %d, letters noted %d; to be sent again %d, without keys %d, to be looked at %d.\n",
		did, r.Facts, r.Count(reconcile.TakenUp)+r.Count(reconcile.Cut), r.Count(reconcile.TakenIn), r.Count(reconcile.Answered), r.Count(reconcile.Told), r.Count(reconcile.Lost), r.Count(reconcile.NoKeys),
		r.Count(reconcile.Answered)+r.Count(reconcile.Parted))
	return err
}

// progressLine shows on one line of a terminal what is being looked at.
type progressLine struct {
	w    io.Writer
	on   bool
	said bool
}

func newProgressLine(f *os.File) *progressLine {
	info, err := f.Stat()
	return &progressLine{w: f, on: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (c *progressLine) count(what string, n int) {
	if c.on {
		terminal.Printf(c.w, "\r\x1b[K%d %s", n, what)
		c.said = true
	}
}

func (c *progressLine) end() {
	if c.said {
		terminal.Printf(c.w, "\r\x1b[K")
	}
}
