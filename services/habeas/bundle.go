package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"habeas.dev/services/aggregator"
)

type bundleCommand struct {
	Get bundleGetCommand `cmd:"" help:"Decrypt the answer of a request into a ZIP file."`
}

type bundleGetCommand struct {
	requestFlags
	Output string `short:"o" required:"" help:"Where the ZIP goes; - writes it to standard output." placeholder:"FILE"`
	Force  bool   `help:"Replace the file where it exists."`
}

// Help implements kong.HelpProvider.
func (bundleGetCommand) Help() string {
	return `The answer is encrypted for its person; this opens it with the installation's own key.
What comes out is personal data in the clear.

  habeas bundle get 3cf5cf5f -o answer.zip`
}

func (c *bundleGetCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	row, err := in.Journal.Row(ctx, id)
	if err != nil {
		return about(id, err)
	}
	if row.Status != "completed" {
		return fmt.Errorf("request %s has no answer: it is %s; habeas trace %s tells what it waits for", id, row.Status, id)
	}
	r, err := aggregator.OpenBundle(ctx, in.Vault, in.Outbox, id)
	if err != nil {
		return err
	}
	defer r.Close()
	if c.Output == "-" {
		_, err = io.Copy(os.Stdout, r)
		return err
	}
	n, err := save(c.Output, c.Force, r)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s: %d bytes. It holds personal data in the clear: unzip it and open data/index.html, and delete it when done.\n", c.Output, n)
	return err
}
