package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
)

type earlierCommand struct {
	requestFlags
	Other   string `arg:"" optional:"" help:"Which of the other requests, by its id or its first letters, where there are several."`
	Same    bool   `help:"It is of the same person." xor:"verdict"`
	Another bool   `help:"It is another person's." xor:"verdict"`
	Reason  string `help:"Why, for the trace: no personal data in it." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (earlierCommand) Help() string {
	return "Where all that two requests have in common is what several people may have, such as a household's telephone, or where they know different accounts, " +
		"nobody knows whether they are of one person; nor where the vault has lost the other one's keys. A request to which that makes a difference waits until somebody has said. " +
		"This lists the other requests, and says it: of the same person, what that one had to keep, its holds and its answers are this one's, too; of another, nothing of it is shown, told or ended.\n\n" +
		"Examples:\n  habeas earlier ID\n  habeas earlier ID --same --reason \"she registered anew in May\"\n  habeas earlier ID 9f0d6c0e --another --reason \"two accounts of one household\""
}

// Run lists the other requests of which nobody knows, or judges one.
func (c *earlierCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	s, err := in.Requests.State(ctx, id)
	if err != nil {
		return err
	}
	doubts := s.InDoubt()
	if !c.Same && !c.Another {
		for _, d := range doubts {
			if _, err := terminal.Printf(os.Stdout, "%s  %s\n", d.RequestID, timeline.Say(timeline.English).Doubt(d.Why)); err != nil {
				return err
			}
		}
		if len(doubts) == 0 {
			_, err = terminal.Printf(os.Stdout, "Of no other request somebody has to say whether it is of the same person.\n")
		}
		return err
	}
	if c.Reason == "" {
		return errors.New("say why, by --reason")
	}
	switch {
	case c.Other != "":
		if c.Other, err = findRequest(ctx, in.Journal, c.Other); err != nil {
			return err
		}
	case len(doubts) == 1:
		c.Other = doubts[0].RequestID
	case len(doubts) > 1:
		return fmt.Errorf("%d other requests may be of the same person: habeas earlier %s lists them, and an id says which", len(doubts), id[:shortID])
	}
	if _, err = do(ctx, in, id, core.JudgeEarlier{By: who(ctx), Request: c.Other, Same: c.Same, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	said := "Noted: it is another person's, and nothing of it is shown, told or ended."
	if c.Same {
		said = "Noted: it is of the same person."
	}
	_, err = terminal.Printf(os.Stdout, "%s\n", said)
	return err
}
