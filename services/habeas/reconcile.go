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
	"habeas.dev/services/internal/installation"
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
	Confirm  bool   `help:"Note that you have looked for what was lost: holds put on or lifted, erasures. The audit says so from then on."`
	Reason   string `help:"What was looked for and found, with --confirm: no personal data in it." placeholder:"TEXT"`
	Output   string `help:"table or json." enum:"table,json" default:"table"`
}

// Help implements kong.HelpProvider.
func (reconcileCommand) Help() string {
	return `After the journal was restored from a backup it lacks what was done since. This holds it against
what lies elsewhere, and takes up again what can be: facts that are still on dsar.events, where the
vault's secret vouches for them and they follow the journal's by their hashes; and requests that are
still on dsar.requests. A request whose answer lies in the outbox is not answered again: it ends
with that, and needs a person who looks. What can't be taken up is named, with who sent it, so that
they send it again. Each thing that is done to a request is a fact of it. Where the mirror's list of
heads says that requests had facts which nobody has any more, those are named, too ("short"), as far as
the mirror can tell: holds put on or lifted since, and erasures, may be among what is lost. No erasure of
such a person goes on before somebody has noted that they looked, and the audit names the loss
until somebody has confirmed it.

Without --yes nothing is done. It can be stopped at any moment and called again. Coordinators wait
for it, and go on by themselves when it is done.

  habeas reconcile --config habeas.yaml
  habeas reconcile --config habeas.yaml --yes --output json
  habeas reconcile --config habeas.yaml --confirm --reason "no hold is missing"

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
	if c.Confirm {
		return c.confirm(ctx, in)
	}
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
	if err == nil && (report.Count(reconcile.Lost)+report.Count(reconcile.NoKeys)+report.Count(reconcile.Answered)+report.Count(reconcile.Parted) > 0 || report.Heads.Any()) {
		return errSilent
	}
	return err
}

// confirm notes that somebody has looked for what was lost.
func (c *reconcileCommand) confirm(ctx context.Context, in *installation.Installation) error {
	if c.Reason == "" {
		return errors.New("say what was looked for, by --reason")
	}
	n, err := node.ConfirmLost(ctx, in, who(ctx), c.Reason)
	if err != nil {
		return err
	}
	said := "Noted, signed by the log's key: habeas audit says who looked, and when."
	if n == 0 {
		said = "Nothing that was lost waits for that."
	}
	_, err = terminal.Printf(os.Stdout, "%s\n", said)
	return err
}

// writeReconciled prints what became of each request, or would.
func writeReconciled(w io.Writer, r reconcile.Report) error {
	if len(r.Items) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		terminal.Printf(t, "REQUEST\tCALLER\tWHAT\tFACTS\tLOST\tLETTERS\tSTATUS\tWHY\n")
		for _, i := range r.Items {
			terminal.Printf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\n", i.Request, cmp.Or(i.Caller, "unknown"), i.What, i.Facts, i.Lost, i.Letters, cmp.Or(string(i.Status), "-"), i.Why)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		terminal.Printf(w, "\n")
	}
	if h := r.Heads; h != nil {
		if err := writeLostHeads(w, *h); err != nil {
			return err
		}
	}
	did := "Done"
	if r.Plan {
		did = "Nothing is done yet; --yes does it"
	}
	_, err := terminal.Printf(w, "%s: of %d facts read, requests taken up again %d, taken in again %d, ended with the answer that had gone out %d, letters noted %d; to be sent again %d, without keys %d, to be looked at %d.\n",
		did, r.Facts, r.Count(reconcile.TakenUp)+r.Count(reconcile.Cut), r.Count(reconcile.TakenIn), r.Count(reconcile.Answered), r.Count(reconcile.Told), r.Count(reconcile.Lost), r.Count(reconcile.NoKeys),
		r.Count(reconcile.Answered)+r.Count(reconcile.Parted)+r.Count(reconcile.Short))
	return err
}

// writeLostHeads prints what is lost for good, as the mirrored list of heads says.
func writeLostHeads(w io.Writer, h reconcile.LostHeads) error {
	between := ""
	if !h.Any() {
		_, err := terminal.Printf(w, "The list of heads has %d places, and %d were signed: each request in those that are missing has its facts. What was journalled in the last ten seconds before the loss is in no list.\n\n", h.Has, h.Signed)
		return err
	}
	if !h.From.IsZero() && !h.Until.IsZero() {
		between = fmt.Sprintf(", journalled between %s and %s", h.From.UTC().Format(time.RFC3339), h.Until.UTC().Format(time.RFC3339))
	}
	unnamed := ""
	if h.Unread > 0 {
		unnamed = fmt.Sprintf(" Of %d places the mirror can't tell whose they are.", h.Unread)
	}
	_, err := terminal.Printf(w, "Facts are lost for good: the list of heads has %d places, and %d were signed%s; requests that lack facts: %d, named above.%s\n"+
		"Holds that were put on or lifted since, and erasures, may be among them: ask who puts holds on, look at what systems have erased, then call this with --confirm. What was journalled in the last ten seconds before the loss is in no list.\n\n",
		h.Has, h.Signed, between, h.Requests, unnamed)
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
