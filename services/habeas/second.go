package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
)

type secondCommand struct {
	requestFlags
	Asked   int    `arg:"" optional:"" help:"Which of them, by its number, where there are several."`
	Agree   bool   `help:"It is to be done." xor:"verdict"`
	Decline bool   `help:"It isn't to be done. Who asked takes it back so." xor:"verdict"`
	Reason  string `help:"Why, for the trace: no personal data in it. It may be left out where you agree." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (secondCommand) Help() string {
	return "Where the configuration says so (four_eyes), a refusal, a plan that is larger than expected, or a look at what identifies the person " +
		"is done once a second person agrees. This lists what waits for that, and agrees or declines. Who asked doesn't agree to it; " +
		"what was agreed to is done in their name, and to look they have a day. Both have signed in (habeas login): nobody vouches for a user of a machine.\n\n" +
		"Examples:\n  habeas second ID\n  habeas second ID --agree\n  habeas second ID 7 --decline --reason \"these are four people\""
}

// Run lists what waits for a second person, or judges it.
func (c *secondCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	s, err := in.Requests.State(ctx, id)
	if err != nil {
		return err
	}
	if !c.Agree && !c.Decline {
		return printSeconds(s)
	}
	waiting := s.Unjudged()
	if c.Asked == 0 && len(waiting) == 1 {
		c.Asked = waiting[0].Asked
	}
	if c.Asked == 0 && len(waiting) > 1 {
		return fmt.Errorf("%d acts wait for a second person: habeas second %s lists them, and a number says which", len(waiting), id[:shortID])
	}
	book, err := in.Laws()
	if err != nil {
		return err
	}
	if _, err = do(ctx, in, id, core.JudgeSecond{By: who(ctx), Asked: c.Asked, Agreed: c.Agree, Reason: c.Reason, Calendar: book, Now: now()}); err != nil {
		return err
	}
	said := "Declined: it isn't done."
	if c.Agree {
		said = "Agreed. It is done; to look, who asked has a day."
	}
	_, err = terminal.Printf(os.Stdout, "%s\n", said)
	return err
}

// printSeconds lists what waits for a second person.
func printSeconds(s core.State) error {
	waiting := s.Unjudged()
	if len(waiting) == 0 {
		_, err := terminal.Printf(os.Stdout, "Nothing of this request waits for a second person.\n")
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	terminal.Printf(w, "NO.\tWHO\tWANTS\tWHY\n")
	for _, one := range waiting {
		terminal.Printf(w, "%d\t%s\t%s\t%s\n", one.Asked, core.ActorName(one.By), timeline.Say(timeline.English).Wanted(one.Matter), one.Reason)
	}
	return w.Flush()
}

// askSecond asks a second person to agree to an act that needs one, and says so: it isn't done
// yet.
func askSecond(ctx context.Context, in *installation.Installation, id string, c core.Command) error {
	if _, err := in.Requests.Do(ctx, id, core.AskSecond{Act: c}); err != nil {
		return err
	}
	return errors.New("it isn't done yet: a second person is asked to agree (habeas second " + id[:shortID] + ", or at the console); to look, ask again then")
}
