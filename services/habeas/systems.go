package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/terminal"
)

type systemsCommand struct {
	Rename systemsRenameCommand `cmd:"" help:"Have a system be asked under its new name, in all requests that may still ask it."`
	Retire systemsRetireCommand `cmd:"" help:"Take a system that is out of use out of all requests that may still ask it."`
}

// systemsFlags are those of what is done to a system in all requests.
type systemsFlags struct {
	installationFlags
	Yes    bool   `help:"Do it; else it is said how many requests it concerns."`
	Reason string `required:"" help:"Why, for the trace of each request: no personal data in it." placeholder:"TEXT"`
}

type systemsRenameCommand struct {
	Old string `arg:"" help:"The name that the system had."`
	New string `arg:"" help:"The name that it has in the configuration now."`
	systemsFlags
}

// Help implements kong.HelpProvider.
func (systemsRenameCommand) Help() string {
	return `Change the configuration of all services first, and start the worker under its new name. Then what is
open in the system is asked under that; an erasure goes on by the plan that was made; and what may be
asked of it later, when a retention has ended, is too. Where the vault keeps systems apart, the worker
reads what lies in objects/OLD/ as well, until no request has a plan there.

  habeas systems rename billing invoicing --reason "billing is called invoicing" --config habeas.yaml
  habeas systems rename billing invoicing --reason "billing is called invoicing" --config habeas.yaml --yes

It may be called again: a request that has it already is left alone.`
}

type systemsRetireCommand struct {
	Name string `arg:"" help:"The system."`
	systemsFlags
	On string `required:"" help:"Since when it is out of use: a day, or a time as 2026-11-20T04:00:00Z." placeholder:"DAY"`
}

// Help implements kong.HelpProvider.
func (systemsRetireCommand) Help() string {
	return `Take the system out of the configuration of all services first. Then what is still to be asked of it
ends unasked, in each open request; what it has answered stays; and the answer says of the system that
it is out of use since that day, and whether it was ever asked. An answered erasure isn't taken up again
for what had to stay there. It can't be taken back.

  habeas systems retire shop --on 2026-11-01 --reason "the shop was closed" --config habeas.yaml
  habeas systems retire shop --on 2026-11-01 --reason "the shop was closed" --config habeas.yaml --yes

It may be called again: a request that has it already is left alone.`
}

// Run renames.
func (c *systemsRenameCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if _, there := cfg.Systems[c.New]; !there {
		return fmt.Errorf("the configuration has no system %s: give it its new name there first, in all services", c.New)
	}
	return c.each(ctx, c.Old, func(by string) core.Command {
		return core.RenameSystem{By: by, Reason: c.Reason, System: c.Old, To: c.New, Now: now()}
	}, fmt.Sprintf("%s is asked as %s", c.Old, c.New))
}

// Run retires.
func (c *systemsRetireCommand) Run(ctx context.Context) error {
	on, err := instant(c.On)
	if err != nil {
		return err
	}
	return c.each(ctx, c.Name, func(by string) core.Command {
		return core.RetireSystem{By: by, Reason: c.Reason, System: c.Name, On: on, Now: now()}
	}, fmt.Sprintf("%s isn't asked any more: it is out of use since %s", c.Name, on.Format(time.DateOnly)))
}

// each gives a command to each request that may still ask a system, and says what that does.
func (c *systemsFlags) each(ctx context.Context, system string, command func(by string) core.Command, what string) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if _, there := cfg.Systems[system]; there {
		return fmt.Errorf("the configuration has a system %s still, which new requests will ask: take it out first, in all services", system)
	}
	if ctx, err = c.signedIn(ctx); err != nil {
		return err
	}
	in, err := c.openToAct(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	progress := newProgressLine(os.Stderr)
	ids, open, err := asking(ctx, in, system, progress.count)
	if err != nil {
		progress.end()
		return err
	}
	var done, again, refused int
	for i, id := range ids {
		if !c.Yes {
			break
		}
		_, err := in.Requests.Do(ctx, id, command(who(ctx)))
		if errors.Is(err, core.ErrNotAllowed) {
			progress.end()
			terminal.Printf(os.Stdout, "%s\n", about(id, err))
			refused++
			continue
		}
		if err != nil {
			progress.end()
			return fmt.Errorf("%w; what was done stays, and calling this again goes on", about(id, err))
		}
		if i < open {
			done++
		} else {
			again++
		}
		progress.count("requests done", done+again)
	}
	progress.end()
	switch {
	case len(ids) == 0:
		_, err = terminal.Printf(os.Stdout, "No request may still ask a system %s.\n", system)
	case !c.Yes:
		_, err = terminal.Printf(os.Stdout, "%s in %d open requests, and in %d answered erasures that may be taken up again. Nothing is done yet; --yes does it.\n", what, open, len(ids)-open)
	default:
		_, err = terminal.Printf(os.Stdout, "Done: %s in %d open requests, and in %d answered erasures that may be taken up again; %d refused.\n", what, done, again, refused)
	}
	if err == nil && refused > 0 {
		return errSilent
	}
	return err
}

// asking returns the requests that may still ask a system, and how many of them are open,
// which come first.
func asking(ctx context.Context, in *installation.Installation, system string, progress func(string, int)) (ids []string, open int, err error) {
	looked := 0
	for i, filter := range []journal.Filter{{Statuses: core.OpenStatuses()}, {Statuses: []core.Status{core.StatusCompleted}, Right: dsar.Erasure}} {
		filter.Limit = journal.MaxList
		for {
			rows, err := in.Journal.List(ctx, filter)
			if err != nil {
				return nil, 0, err
			}
			for _, row := range rows {
				s, err := in.Requests.State(ctx, row.RequestID)
				if err != nil {
					return nil, 0, err
				}
				if s.Asks(system) {
					ids = append(ids, row.RequestID)
				}
				looked++
				progress("requests looked at", looked)
			}
			if len(rows) < filter.Limit {
				break
			}
			filter.After = rows[len(rows)-1].Cursor()
		}
		if i == 0 {
			open = len(ids)
		}
	}
	return ids, open, nil
}
