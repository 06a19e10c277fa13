package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/terminal"
)

type planCommand struct {
	requestFlags
	System []string `help:"Only these systems." placeholder:"NAME"`
	Keys   bool     `help:"The key of each record instead, a line each: that you looked is a fact of the trace."`
	Reason string   `help:"With --keys, why you look, for the trace: no personal data in it." placeholder:"TEXT"`
	JSON   bool     `help:"Print JSON; with --keys an object a line."`
}

// Help implements kong.HelpProvider.
func (planCommand) Help() string {
	return `What an erasure is to touch in each system, and what must stay, by dataset, while it stops for a
person and after it is done; and the ways by which the database would take other rows along. The keys
of the records are sealed: --keys opens them. Where people sign in at the console, it takes the role
that the console wants for it, and habeas login first.

  habeas plan 3cf5cf5f
  habeas plan 3cf5cf5f --system billing --keys --reason "18 402 records of one person"`
}

// Run shows the plan.
func (c *planCommand) Run(ctx context.Context) error {
	if c.Keys {
		if err := c.opens(ctx, core.VerbOpenPlan); err != nil {
			return err
		}
	}
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	state, err := in.Requests.State(ctx, id)
	if err != nil {
		return about(id, err)
	}
	plans := slices.DeleteFunc(state.Plans(), func(p core.SystemPlan) bool { return len(c.System) > 0 && !slices.Contains(c.System, p.System) })
	switch {
	case !state.Exists():
		return about(id, core.ErrUnknown)
	case len(plans) == 0:
		return fmt.Errorf("request %s has no plan there: it is %s of right %s; habeas trace %[1]s tells what it waits for", id, state.Status, state.Right)
	case c.Keys:
		return c.keys(ctx, in, id, plans)
	case c.JSON:
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(plansJSON(id, plans))
	default:
		return writePlans(os.Stdout, id, plans)
	}
}

// Validate refuses a look that says no reason.
func (c *planCommand) Validate() error {
	if c.Keys && c.Reason == "" {
		return errors.New("--keys looks at the records' keys, which the trace notes: say why, by --reason")
	}
	return nil
}

// keys prints the keys, once it is noted that somebody looks.
func (c *planCommand) keys(ctx context.Context, in *installation.Installation, id string, plans []core.SystemPlan) error {
	if _, err := do(ctx, in, id, core.OpenPlan{By: who(ctx), Reason: c.Reason, Systems: c.System, Now: now()}); err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	for _, p := range plans {
		if p.Object == nil {
			continue
		}
		sealed, err := in.Vault.OpenObject(ctx, id, p.Object.Name)
		if err != nil {
			return about(id, err)
		}
		err = printKeys(out, p.System, sealed, c.JSON)
		_ = sealed.Close()
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

// planKey is a record of a plan in `habeas plan --keys --json`.
type planKey struct {
	System  string    `json:"system"`
	Dataset string    `json:"dataset"`
	Key     string    `json:"key"`
	Ground  string    `json:"ground,omitempty"` // it must stay
	Until   time.Time `json:"until,omitzero"`
}

func printKeys(w io.Writer, system string, plan io.Reader, asJSON bool) error {
	lines := json.NewEncoder(w)
	for e, err := range worker.ReadPlan(plan) {
		if err != nil {
			return err
		}
		if asJSON {
			if err := lines.Encode(planKey{system, e.Dataset, e.Key, e.Ground, e.Until}); err != nil {
				return err
			}
			continue
		}
		stays := ""
		if e.Keep {
			stays = "\tstays: " + e.Ground
			if !e.Until.IsZero() {
				stays += " until " + e.Until.Format(time.DateOnly)
			}
		}
		if _, err := terminal.Printf(w, "%s\t%s\t%s%s\n", system, e.Dataset, e.Key, stays); err != nil {
			return err
		}
	}
	return nil
}

// planOutput is `habeas plan --json`.
type planOutput struct {
	RequestID string       `json:"request_id"`
	Systems   []planSystem `json:"systems"`
}

type planSystem struct {
	System  string          `json:"system"`
	Status  core.TaskStatus `json:"status"`
	Outcome dsar.Outcome    `json:"outcome"`
	At      time.Time       `json:"at"`
	Code    string          `json:"code,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Counts  []dsar.Counts   `json:"datasets"`
	Ways    []string        `json:"ways,omitempty"`
	SHA256  string          `json:"sha256,omitempty"`
}

func plansJSON(id string, plans []core.SystemPlan) planOutput {
	out := planOutput{RequestID: id, Systems: []planSystem{}}
	for _, p := range plans {
		one := planSystem{System: p.System, Status: p.Status, Outcome: p.End.Outcome, At: p.End.At, Code: p.End.Code, Reason: p.End.Reason, Counts: p.End.Counts, Ways: p.Notes}
		if p.Object != nil {
			one.SHA256 = p.Object.SHA256
		}
		out.Systems = append(out.Systems, one)
	}
	return out
}

func writePlans(w io.Writer, id string, plans []core.SystemPlan) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	terminal.Printf(out, "Plan of erasure %s\n\nSYSTEM\tDATASET\tFOUND\tGOES\tSTAYS\n", id)
	for _, p := range plans {
		name := p.System
		for _, c := range p.End.Counts {
			terminal.Printf(out, "%s\t%s\t%d\t%d\t%s\n", name, c.Dataset, c.Found, c.Found-c.Kept(), stays(c))
			name = ""
		}
		if len(p.End.Counts) == 0 {
			terminal.Printf(out, "%s\t%s\t0\t0\t0\n", name, p.End.Outcome)
		}
		if p.Status == core.TaskIsFailed {
			terminal.Printf(out, "\tstopped (%s): %s\n", p.End.Code, p.End.Reason)
		}
		for _, way := range p.Notes {
			terminal.Printf(out, "\tnote: %s\n", way)
		}
		if p.Object != nil {
			terminal.Printf(out, "\tsealed: %d keys, SHA-256 %s\n", p.Object.Records, p.Object.SHA256)
		}
	}
	return out.Flush()
}
