package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/terminal"
)

type refuseCommand struct {
	requestFlags
	Ground string `help:"The ground, one that the law of the request knows." placeholder:"GROUND"`
	Part   string `help:"Only this dataset of a copy: the rest is given." placeholder:"SYSTEM/DATASET"`
	Field  string `help:"Only this field of a correction: the rest is corrected." placeholder:"SYSTEM/DATASET.COLUMN"`
	Give   bool   `help:"Give the part after all."`
	Reason string `help:"Why, for the trace: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (refuseCommand) Help() string {
	return "A refusal ends the request without an answer and writes the person why, by which law, and where to complain. " +
		"The grounds depend on the law (services/internal/policy/jurisdictions); identity-not-proven is known to all, and a wrong one lists the others. " +
		"It comes too late once something was erased or the answer is being written.\n\n" +
		"With --part a copy is refused of one dataset, on a ground that the law knows for a part: answer and letter name both, and the rest is given. " +
		"Where nothing waits for a person, an answer is written within seconds: ask the person or for proof first, if you need time.\n\n" +
		"With --field a correction is refused of one field of one system, on a ground that the law knows for it, as long as that system hasn't corrected it; " +
		"what had stopped for that field goes on without it.\n\n" +
		"Examples:\n  habeas refuse ID --ground excessive --reason \"the sixth in a month\"\n" +
		"  habeas refuse ID --part support/messages --ground rights-of-others --reason \"letters of the other party\"\n" +
		"  habeas refuse ID --part support/messages --give --reason \"the other party agrees\"\n" +
		"  habeas refuse ID --field account/users.email --ground not-correct --reason \"the address is somebody else's\""
}

func (c *refuseCommand) Run(ctx context.Context) error {
	switch {
	case c.Part != "" && c.Field != "":
		return errors.New("--part is of a copy, and --field of a correction: give one of them")
	case c.Part != "":
		return c.part(ctx)
	case c.Field != "":
		return c.field(ctx)
	}
	if c.Ground == "" || c.Give {
		return errors.New("--ground says on which ground; --give takes back what --part has refused")
	}
	if _, err := c.act(ctx, core.Refuse{By: who(ctx), Ground: c.Ground, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err := terminal.Printf(os.Stdout, "Refused. The person is told the ground, and where to complain.\n")
	return err
}

// field refuses to correct one field.
func (c *refuseCommand) field(ctx context.Context) error {
	system, rest, ok := strings.Cut(c.Field, "/")
	dataset, column, named := strings.Cut(rest, ".")
	if !ok || !named || c.Ground == "" || c.Give {
		return errors.New("--field is SYSTEM/DATASET.COLUMN, with --ground")
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if m, err := node.Manifest(node.WithSandbox(cfg), system); err == nil && (m.Dataset(dataset) == nil || m.Dataset(dataset).Column(column) == nil) {
		return fmt.Errorf("%s has no field %q", system, rest)
	}
	if _, err := c.act(ctx, core.RefuseField{By: who(ctx), System: system, Dataset: dataset, Column: column, Ground: c.Ground, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Refused. The answer names the field and the ground.\n")
	return err
}

// part refuses one dataset, or gives it after all.
func (c *refuseCommand) part(ctx context.Context) error {
	system, dataset, ok := strings.Cut(c.Part, "/")
	if !ok || (c.Ground == "") != c.Give {
		return errors.New("--part is SYSTEM/DATASET, with either --ground or --give")
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if m, err := node.Manifest(node.WithSandbox(cfg), system); err == nil && m.Dataset(dataset) == nil {
		return fmt.Errorf("%s has no dataset %q", system, dataset)
	}
	if _, err := c.act(ctx, core.RefusePart{By: who(ctx), System: system, Dataset: dataset, Ground: c.Ground, TakenBack: c.Give, Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	said := "Refused. The answer names the part and the ground."
	if c.Give {
		said = "Taken back. The part is given."
	}
	_, err = terminal.Printf(os.Stdout, "%s\n", said)
	return err
}
