package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/policy"
)

type extendCommand struct {
	place
	ID     string `arg:"" help:"The request's id."`
	Reason string `help:"Why, as the person is told: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (extendCommand) Help() string {
	return "The law lets most answers be extended once (EEA: by two months), if the person is told the reason before the first due date. " +
		"Habeas works out the new date, holds it against the law, and writes the letter.\n\n" +
		"Example: habeas extend ID --reason \"records of nine years in six systems\""
}

func (c *extendCommand) Run(ctx context.Context) error {
	book, err := policy.Load()
	if err != nil {
		return err
	}
	state, err := act(ctx, c.place, c.ID, core.Extend{By: who(), Reason: c.Reason, Calendar: book, Now: now()})
	if err != nil {
		return err
	}
	_, err = fmt.Printf("Extended: the answer is due by %s.\n", state.DueAt.Format(time.RFC3339))
	return err
}

type refuseCommand struct {
	place
	ID     string `arg:"" help:"The request's id."`
	Ground string `help:"The ground, one that the law of the request knows." placeholder:"GROUND" required:""`
	Reason string `help:"Why, for the trace: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (refuseCommand) Help() string {
	return "A refusal ends the request without an answer and writes the person why, by which law, and where to complain. " +
		"The grounds depend on the law (services/internal/policy/jurisdictions); identity-not-proven is known to all, and a wrong one lists the others. " +
		"It comes too late once something was erased or the answer is being written.\n\n" +
		"Example: habeas refuse ID --ground excessive --reason \"the sixth in a month\""
}

func (c *refuseCommand) Run(ctx context.Context) error {
	if _, err := act(ctx, c.place, c.ID, core.Refuse{By: who(), Ground: c.Ground, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := fmt.Println("Refused. The person is told the ground, and where to complain.")
	return err
}

type mergeCommand struct {
	place
	ID     string `arg:"" help:"The request's id."`
	Into   string `help:"The request that answers it." placeholder:"ID" required:""`
	Reason string `help:"Why, for the trace." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (mergeCommand) Help() string {
	return "For a person who asked twice for the same: this request ends, the other one answers it. habeas trace says of a request which open one is the same."
}

func (c *mergeCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	into := strings.ToLower(c.Into)
	other, err := in.Requests.State(ctx, into)
	if err != nil {
		return err
	}
	if !other.Exists() || other.Status.Ended() && other.Status != core.StatusCompleted {
		return fmt.Errorf("request %s answers nothing: it isn't there, or has ended without an answer", c.Into)
	}
	if _, err := in.Requests.Do(ctx, strings.ToLower(c.ID), core.Merge{By: who(), Into: into, Reason: c.Reason, Now: now()}); err != nil {
		return explain(err, c.ID)
	}
	_, err = fmt.Printf("Merged into %s.\n", into)
	return err
}

type identityCommand struct {
	place
	ID     string       `arg:"" help:"The request's id."`
	Ask    bool         `help:"Ask the person for proof, and wait for it." xor:"what" required:""`
	Accept bool         `help:"The proof is good: go on." xor:"what" required:""`
	Reject bool         `help:"The proof is not good." xor:"what" required:""`
	Check  []dsar.Check `help:"With --ask, what is to be proven: identity (else), agent, organisation, guardian." placeholder:"CHECK" enum:"identity,agent,organisation,guardian"`
	Reason string       `help:"Why, for the trace: no personal data in it." placeholder:"TEXT"`
}

// Help implements kong.HelpProvider.
func (identityCommand) Help() string {
	return "While proof is awaited no system is asked for anything more; where the law says so, the clock stands meanwhile. " +
		"A proof that is rejected refuses the request; in California, who asked for a copy is told the categories instead. " +
		"An agent's power, a guardian's or an organisation's consent are proven the same way.\n\n" +
		"Example: habeas identity ID --ask --check guardian --reason \"the account is a minor's\""
}

func (c *identityCommand) Run(ctx context.Context) error {
	book, err := policy.Load()
	if err != nil {
		return err
	}
	var do core.Command = core.JudgeProof{By: who(), Accepted: c.Accept, Reason: c.Reason, Calendar: book, Now: now()}
	if c.Ask {
		do = core.AskProof{By: who(), Reason: c.Reason, Checks: c.Check, Now: now()}
	}
	state, err := act(ctx, c.place, c.ID, do)
	if err != nil {
		return err
	}
	switch {
	case c.Ask:
		_, err = fmt.Println("Asked. The request waits for the proof; judge it with --accept or --reject.")
	case state.Right != state.Accepted.Right:
		_, err = fmt.Printf("Rejected. The person is answered %s instead.\n", state.Right)
	case c.Reject:
		_, err = fmt.Println("Rejected: the request is refused.")
	default:
		_, err = fmt.Printf("Accepted. The answer is due by %s.\n", state.DueAt.Format(time.RFC3339))
	}
	return err
}

type clarifyCommand struct {
	place
	ID     string `arg:"" help:"The request's id."`
	Ask    bool   `help:"Ask the person what is meant, and wait for it." xor:"what" required:""`
	Answer bool   `help:"The person has answered: go on." xor:"what" required:""`
	Reason string `help:"What is asked, or what was said, for the trace: no personal data in it." placeholder:"TEXT"`
}

func (c *clarifyCommand) Run(ctx context.Context) error {
	book, err := policy.Load()
	if err != nil {
		return err
	}
	var do core.Command = core.Clarify{By: who(), Reason: c.Reason, Calendar: book, Now: now()}
	if c.Ask {
		do = core.AskClarification{By: who(), Reason: c.Reason, Now: now()}
	}
	state, err := act(ctx, c.place, c.ID, do)
	if err != nil {
		return err
	}
	if c.Ask {
		_, err = fmt.Println("Asked. The request waits for the person; go on with --answer.")
		return err
	}
	_, err = fmt.Printf("It goes on. The answer is due by %s.\n", state.DueAt.Format(time.RFC3339))
	return err
}

// explainMore says what to do about what the core refuses, where explain doesn't.
func explainMore(err error, requestID string) error {
	switch {
	case errors.Is(err, core.ErrAwaited):
		return fmt.Errorf("request %s waits for the person already; habeas identity and habeas clarify go on with it", requestID)
	case errors.Is(err, core.ErrNotAwaited):
		return fmt.Errorf("request %s doesn't wait for that; ask first, with --ask", requestID)
	case errors.Is(err, core.ErrNothingToAttest):
		return fmt.Errorf("request %s: no one task of that system waits for a person; habeas trace %s tells which do (name one with --action)", requestID, requestID)
	case errors.Is(err, core.ErrNoSuchHold):
		return fmt.Errorf("request %s: no such hold is on; habeas trace %s lists them", requestID, requestID)
	default:
		return err
	}
}
