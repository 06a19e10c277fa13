package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/identifier"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/journal"
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
	return `Every search for a person at the console is written down: who, when, how many requests
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
		text, err := io.ReadAll(io.LimitReader(os.Stdin, 4<<10))
		if err != nil {
			return err
		}
		f.Hash = console.SearchHash(in.Vault, identifier.Trim(strings.TrimRight(string(text), "\r\n")))
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
	fmt.Fprintln(out, "AT\tBY\tFOUND\tHASH")
	for _, s := range list {
		fmt.Fprintf(out, "%s\t%s\t%d\t%.12s\n", s.At.Format(time.RFC3339), s.By, s.Found, s.Hash)
	}
	return out.Flush()
}
