package main

import (
	"context"
	"errors"
	"os"

	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/handover"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/terminal"
)

type deliverCommand struct {
	requestFlags
	Reason     string `help:"Why, for the trace: no personal data in it." placeholder:"TEXT" required:""`
	Told       bool   `help:"You have told the person yourself, as the reason says how: no letter goes, and the request is completed if it waited for that."`
	Passphrase bool   `help:"Make another passphrase by which the person opens the answer at the portal, and print it once: give it to them by another way than mail."`
	Revoke     bool   `help:"Have the answer served to nobody any more, until another passphrase is made."`
}

// Help implements kong.HelpProvider.
func (deliverCommand) Help() string {
	return `For a person whom the letter never reached, or who has lost it: it is sent once more.
For one who has no passphrase for the answer, or has lost it: another one is made.

  habeas deliver 3cf5cf5f --reason "the mail came back"
  habeas deliver 3cf5cf5f --reason "by post, registered" --told
  habeas deliver 3cf5cf5f --reason "they called, and were called back" --passphrase`
}

func (c *deliverCommand) Run(ctx context.Context) error {
	switch {
	case c.Passphrase && c.Revoke, c.Told && (c.Passphrase || c.Revoke):
		return errors.New("one of --told, --passphrase and --revoke")
	case c.Passphrase, c.Revoke:
		return c.changeKey(ctx)
	}
	if _, err := c.act(ctx, core.DeliverAgain{By: who(ctx), Reason: c.Reason, ByHand: c.Told, Now: now()}); err != nil {
		return err
	}
	said := "The person is written to once more."
	if c.Told {
		said = "It is noted that you have told the person."
	}
	_, err := terminal.Printf(os.Stdout, "%s\n", said)
	return err
}

// changeKey makes another passphrase, or revokes the one that there is.
func (c *deliverCommand) changeKey(ctx context.Context) error {
	s, err := c.act(ctx, core.ChangeAnswerKey{By: who(ctx), Reason: c.Reason, Revoke: c.Revoke, Now: now()})
	if err != nil {
		return err
	}
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // what was done is durable
	if c.Revoke {
		if err := handover.Revoke(ctx, in.Outbox, s.Accepted.RequestID); err != nil {
			return err
		}
		_, err := terminal.Printf(os.Stdout, "The answer is served to nobody any more.\n")
		return err
	}
	passphrase, err := newPassphrase(ctx, in, s.Accepted.RequestID)
	if err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "%s\nIt is kept nowhere. Give it to the person by another way than mail.\n", passphrase)
	return err
}

// newPassphrase wraps the identity of an answer under another passphrase, and returns that.
func newPassphrase(ctx context.Context, in *installation.Installation, requestID string) (string, error) {
	identity, err := aggregator.OpenIdentity(ctx, in.Vault, in.Outbox, requestID)
	if err != nil {
		return "", err
	}
	return handover.Anew(ctx, in.Outbox, requestID, identity)
}
