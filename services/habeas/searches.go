package main

import (
	"context"
	"encoding/json"
	"os"
	"text/tabwriter"
	"time"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/terminal"
)

type searchesCommand struct {
	installationFlags
	For   bool          `help:"Only searches for what is read from standard input: an address, a number. It is in no argument, since those can be seen."`
	Since time.Duration `help:"How far back." default:"168h" placeholder:"TIME"`
	Limit int           `help:"At most so many." default:"50"`
	JSON  bool          `help:"Print JSON, one search a line."`
}

// Help implements kong.HelpProvider.
func (searchesCommand) Help() string {
	return `Every search for a person, at the console or by a command, is written down: who, when, how many requests
were found, and a keyed hash of what was searched for.

  habeas searches --since 24h
  habeas searches --for      who searched for the one that standard input has?`
}

// Run lists them.
func (c *searchesCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	f := journal.SearchFilter{Since: now().Add(-c.Since), Limit: c.Limit}
	if c.For {
		value, err := readValue(os.Stdin)
		if err != nil {
			return err
		}
		f.Hash = console.SearchHash(in.Vault, value)
	}
	list, err := in.Journal.Searches(ctx, f)
	if err != nil {
		return err
	}
	if c.JSON {
		lines := json.NewEncoder(os.Stdout)
		for _, s := range list {
			if err := lines.Encode(struct {
				At    time.Time `json:"at"`
				By    string    `json:"by"`
				Hash  string    `json:"hash"`
				Found int       `json:"found"`
			}{s.At, s.By, s.Hash, s.Found}); err != nil {
				return err
			}
		}
		return nil
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	terminal.Printf(out, "AT\tBY\tFOUND\tHASH\n")
	for _, s := range list {
		terminal.Printf(out, "%s\t%s\t%d\t%.12s\n", s.At.Format(time.RFC3339), s.By, s.Found, s.Hash)
	}
	return out.Flush()
}
