package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"habeas.dev/services/internal/core"
)

type retryCommand struct {
	place
	ID         string   `arg:"" help:"The request's id."`
	System     []string `help:"Only these systems; else every one whose task failed." placeholder:"NAME"`
	AcceptPlan bool     `help:"Erase what was counted, though it is more than the manifest expects of one person."`
	Reason     string   `help:"Why, for the trace." placeholder:"TEXT"`
}

func (c *retryCommand) Run(ctx context.Context) error {
	state, err := act(ctx, c.place, c.ID, core.Retry{By: who(), Reason: c.Reason, Systems: c.System, AcceptPlan: c.AcceptPlan, Now: now()})
	if err != nil {
		return err
	}
	if waits := core.Waiting(state); state.Status != core.StatusNeedsAttention {
		_, err = fmt.Printf("Taken up again; the request waits for %s.\n", strings.Join(waits, ", "))
		return err
	}
	_, err = fmt.Printf("Still needs attention: %s\n", state.Attention.Reason)
	return err
}

type cancelCommand struct {
	place
	ID     string `arg:"" help:"The request's id."`
	Reason string `help:"Why, for the trace." placeholder:"TEXT" required:""`
}

func (c *cancelCommand) Run(ctx context.Context) error {
	if _, err := act(ctx, c.place, c.ID, core.Cancel{By: who(), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := fmt.Println("Cancelled. What systems still report of it is dropped; what they have done stays done.")
	return err
}

type assignCommand struct {
	place
	ID     string `arg:"" help:"The request's id."`
	To     string `help:"Who has it in hand from now on, by the name that they sign in with; without it, nobody has." placeholder:"NAME"`
	Reason string `help:"Why, for the trace." placeholder:"TEXT"`
}

func (c *assignCommand) Run(ctx context.Context) error {
	if _, err := act(ctx, c.place, c.ID, core.Assign{By: who(), To: c.To, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	text := "Nobody has it in hand now."
	if c.To != "" {
		text = "It is in the hands of " + c.To + "."
	}
	_, err := fmt.Println(text)
	return err
}

func act(ctx context.Context, p place, id string, c core.Command) (core.State, error) {
	in, err := p.open(ctx)
	if err != nil {
		return core.State{}, err
	}
	defer in.Close()
	state, err := in.Requests.Do(ctx, strings.ToLower(id), c)
	return state, explain(err, id)
}

// now is the time as the journal keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
