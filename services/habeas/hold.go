package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/links"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/terminal"
)

type holdCommand struct {
	installationFlags
	ID      string `arg:"" optional:"" help:"The request: its id, or enough of its first letters to tell it from others."`
	Email   string `help:"Instead of a request: all requests of the person with this address (- reads it from standard input; it goes through a keyed hash, and that you searched is written down: habeas searches)." placeholder:"ADDRESS"`
	System  string `help:"Only this system." placeholder:"NAME"`
	Dataset string `help:"Only this dataset." placeholder:"NAME"`
	Lift    bool   `help:"Lift the hold of that reach instead."`
	Reason  string `help:"Why, for the trace: a file number, no personal data." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (holdCommand) Help() string {
	return "A legal hold keeps records from being erased, whatever their retention, until it is lifted; what it alone kept is then erased. " +
		"It can be put on at any time: before an erasure reaches a system, or on what an answered one had to keep. " +
		"It passes on to new requests of the same person, and is lifted on each: those in which it goes on are named.\n\n" +
		"Examples:\n  habeas hold ID --system billing --reason \"case 2026-17\"\n  habeas hold --email - --reason \"case 2026-17\"\n  habeas hold ID --system billing --lift --reason settled"
}

func (c *holdCommand) Run(ctx context.Context) error {
	if (c.ID == "") == (c.Email == "") {
		return errors.New("hold what? name a request, or a person with --email")
	}
	in, err := c.openToAct(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	ids, err := c.requests(ctx, in)
	if err != nil {
		return err
	}
	done := 0
	for _, id := range ids {
		switch err := c.do(ctx, in, id); {
		case err == nil:
			done++
		case c.Email != "" && errors.Is(err, core.ErrNoSuchHold): // one that it was never on
		default:
			return err
		}
	}
	if done == 0 {
		return errors.New("the person has no request here that this hold could be on; a hold needs one")
	}
	word := "put on"
	if c.Lift {
		word = "lifted from"
	}
	if _, err = terminal.Printf(os.Stdout, "The hold is %s %d request(s).\n", word, done); err != nil || !c.Lift {
		return err
	}
	return c.goesOn(ctx, os.Stdout, in, ids)
}

// goesOn says in which requests the hold goes on that was lifted on these, each with the
// command that lifts it there.
func (c *holdCommand) goesOn(ctx context.Context, out io.Writer, in *installation.Installation, lifted []string) error {
	var still []string
	for _, id := range lifted {
		s, err := in.Requests.State(ctx, id)
		if err != nil {
			return about(id, err)
		}
		others, err := links.GoesOn(ctx, in.Requests.State, in.Journal, prints.Prints{Vault: in.Vault}, s)
		if err != nil {
			return fmt.Errorf("the hold is lifted, and where else it goes on isn't known: %w", about(id, err))
		}
		for _, other := range others {
			if slices.Contains(other.Holds, core.Held{System: c.System, Dataset: c.Dataset}) {
				still = append(still, other.RequestID)
			}
		}
	}
	slices.Sort(still)
	for _, id := range slices.Compact(still) {
		if _, err := terminal.Printf(out, "The same hold is on in request %s, and what it keeps stays there until:\n  %s\n", id[:shortID], c.liftIn(id)); err != nil {
			return err
		}
	}
	return nil
}

// liftIn returns the command that lifts the same hold on another request.
func (c *holdCommand) liftIn(id string) string {
	line := "habeas hold " + id
	for _, flag := range []struct{ name, value string }{{"system", c.System}, {"dataset", c.Dataset}, {"reason", c.Reason}, {"config", c.Config}, {"data", c.Data}} {
		if flag.value != "" {
			line += " --" + flag.name + "=" + quoted(flag.value) // a value may begin with a dash
		}
	}
	return line + " --lift"
}

func (c *holdCommand) do(ctx context.Context, in *installation.Installation, id string) error {
	var command core.Command = core.Hold{By: who(ctx), Reason: c.Reason, System: c.System, Dataset: c.Dataset, Now: now()}
	if c.Lift {
		command = core.Lift{By: who(ctx), Reason: c.Reason, System: c.System, Dataset: c.Dataset, Now: now()}
	}
	_, err := do(ctx, in, id, command)
	return err
}

// requests returns those that the hold is about.
func (c *holdCommand) requests(ctx context.Context, in *installation.Installation) ([]string, error) {
	if c.ID != "" {
		id, err := findRequest(ctx, in.Journal, c.ID)
		return []string{id}, err
	}
	rows, err := searchFor(ctx, in, c.Email, func(f journal.Filter) ([]journal.Row, error) {
		f.Limit = journal.MaxList
		return in.Journal.List(ctx, f)
	})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.RequestID)
	}
	return ids, nil
}
