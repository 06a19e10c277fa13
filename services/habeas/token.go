package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/terminal"
)

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token of a caller, and show it this once."`
	List   tokenListCommand   `cmd:"" help:"List tokens: whose, since when, until when."`
	Revoke tokenRevokeCommand `cmd:"" help:"End a token now."`
}

type tokenCreateCommand struct {
	installationFlags
	Name string        `arg:"" help:"The caller, as under callers: in the configuration."`
	For  time.Duration `help:"How long it is good." default:"2160h" placeholder:"TIME"`
}

// maxTokenLife is the longest that a token may be good: a secret that nobody renews is
// one that nobody can revoke without fear.
const maxTokenLife = 366 * 24 * time.Hour

// Help implements kong.HelpProvider.
func (tokenCreateCommand) Help() string {
	return `The token opens the HTTP door as the caller, which the configuration has with what it
may do. It is printed this once; Habeas keeps its hash, with the end date, in the
journal's database. To renew one: make another, hand it over, revoke the old one.

  habeas token create signup-page --config habeas.yaml
  curl -H "Authorization: Bearer $TOKEN" …`
}

// Run makes a token. It alone goes to standard output.
func (c *tokenCreateCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if _, ok := cfg.Callers[c.Name]; !ok {
		return fmt.Errorf("there is no caller %q in the configuration%s; name it under callers: first", c.Name, otherCallers(cfg))
	}
	if c.For < time.Minute || c.For > maxTokenLife {
		return fmt.Errorf("--for %s: from a minute to a year, as 2160h for ninety days", c.For)
	}
	in, err := c.openJournal(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	token, made, err := callers.CreateToken(ctx, in.Journal, c.Name, who(ctx), now(), now().Add(c.For))
	if err != nil {
		return err
	}
	terminal.Printf(os.Stderr, "Token %s of %s, good until %s. It is shown this once:\n", made.ID, made.Caller, made.Ends.Format(time.DateOnly))
	_, err = terminal.Printf(os.Stdout, "%s\n", token)
	return err
}

// otherCallers names those that there are.
func otherCallers(cfg config.Config) string {
	if len(cfg.Callers) == 0 {
		return ", which names none"
	}
	return ", which has " + strings.Join(slices.Sorted(maps.Keys(cfg.Callers)), ", ")
}

type tokenListCommand struct {
	installationFlags
	JSON bool `help:"Print JSON, one token a line."`
}

// Run lists all tokens.
func (c *tokenListCommand) Run(ctx context.Context) error {
	in, err := c.openJournal(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	all, err := callers.ListTokens(ctx, in.Journal)
	if err != nil {
		return err
	}
	if c.JSON {
		lines := json.NewEncoder(os.Stdout)
		for _, t := range all {
			t.Hash = nil // of no use to anyone
			if err := lines.Encode(t); err != nil {
				return err
			}
		}
		return nil
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	terminal.Printf(out, "TOKEN\tCALLER\tMADE\tBY\tENDS\tSTATE\n")
	for _, t := range all {
		state := "good"
		switch {
		case !t.Revoked.IsZero():
			state = "revoked " + t.Revoked.Format(time.DateOnly)
		case !t.Good(now()):
			state = "ended"
		}
		terminal.Printf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Caller, t.Made.Format(time.DateOnly), t.By, t.Ends.Format(time.DateOnly), state)
	}
	return out.Flush()
}

type tokenRevokeCommand struct {
	installationFlags
	ID string `arg:"" help:"The token, by its first column in habeas token list."`
}

// Run ends a token.
func (c *tokenRevokeCommand) Run(ctx context.Context) error {
	in, err := c.openJournal(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	t, err := callers.RevokeToken(ctx, in.Journal, c.ID, now())
	if err != nil {
		return fmt.Errorf("%s: %w; habeas token list has those that there are", c.ID, err)
	}
	_, err = terminal.Printf(os.Stdout, "Token %s of %s opens nothing any more; doors that are running know it within five seconds.\n", t.ID, t.Caller)
	return err
}
