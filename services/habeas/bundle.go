package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/terminal"
)

type bundleCommand struct {
	Get  bundleGetCommand  `cmd:"" help:"Decrypt the answer of a request into a ZIP file."`
	HTML bundleHTMLCommand `cmd:"" name:"html" help:"Write the answer of a request as one HTML file that a passphrase opens."`
}

type bundleGetCommand struct {
	requestFlags
	Output   string `short:"o" required:"" help:"Where the ZIP goes; - writes it to standard output." placeholder:"FILE"`
	Force    bool   `help:"Replace the file where it exists."`
	Addendum int    `help:"One of the addenda to a certificate of erasure, by its number, in the place of the answer; it is JSON." placeholder:"N"`
}

// Help implements kong.HelpProvider.
func (bundleGetCommand) Help() string {
	return `The answer is encrypted for its person; this opens it with the installation's own key.
What comes out is personal data in the clear. It is held against the journal: an answer
that was altered or exchanged in the outbox is refused. The receipt goes beside it, as
answer.receipt.html: a page for the person, which checks itself in a browser. It is no part
of the ZIP, since it proves the request's last fact, which names the ZIP. An addendum's
signature goes into a file beside it, which ends in .note.

  habeas bundle get 3cf5cf5f -o answer.zip
  habeas bundle get 3cf5cf5f --addendum 1 -o addendum.json`
}

func (c *bundleGetCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	state, err := completed(ctx, in, id)
	if err != nil {
		return err
	}
	if c.Addendum != 0 {
		return c.addendum(ctx, in, id, state)
	}
	if err := kept(state, id); err != nil {
		return err
	}
	if c.Output == "-" {
		// Looked at first as a whole: what has left through a pipe can't be called back.
		if err := readAnswer(ctx, in, id, state.Bundle, io.Discard); err != nil {
			return err
		}
		return readAnswer(ctx, in, id, state.Bundle, os.Stdout)
	}
	r, err := aggregator.OpenAnswer(ctx, in.Vault, in.Outbox, id, state.Bundle)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := save(c.Output, c.Force, r)
	if err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "%s: %d bytes. It holds personal data in the clear: unzip it and open READ ME FIRST.html, and delete it when done.\n", c.Output, n)
	if err != nil {
		return err
	}
	return putReceiptBeside(ctx, c.Output, c.Force, in, id)
}

// completed returns the state of a request that has an answer.
func completed(ctx context.Context, in *installation.Installation, id string) (core.State, error) {
	row, err := in.Journal.Row(ctx, id)
	if err != nil {
		return core.State{}, about(id, err)
	}
	if row.Status != "completed" {
		return core.State{}, fmt.Errorf("request %s has no answer: it is %s; habeas trace %s tells what it waits for", id, row.Status, id)
	}
	state, err := in.Requests.State(ctx, id)
	if err != nil {
		return state, about(id, err)
	}
	return state, nil
}

// kept returns an error where an answer was destroyed.
func kept(s core.State, id string) error {
	if s.RecordsForgotten.IsZero() {
		return nil
	}
	return fmt.Errorf("the answer to request %s was destroyed on %s; habeas trace %s tells it", id, s.RecordsForgotten.Format(time.DateOnly), id)
}

// readAnswer copies an answer in the clear, held against the journal.
func readAnswer(ctx context.Context, in *installation.Installation, id string, journalled dsar.Object, w io.Writer) error {
	r, err := aggregator.OpenAnswer(ctx, in.Vault, in.Outbox, id, journalled)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}

// addendum writes one of the addenda to a certificate.
func (c *bundleGetCommand) addendum(ctx context.Context, in *installation.Installation, id string, s core.State) error {
	if c.Addendum < 1 || c.Addendum > len(s.Addenda) {
		return fmt.Errorf("request %s has %d addenda; habeas prove %s has one made", id, len(s.Addenda), id)
	}
	r, err := aggregator.OpenAddendum(ctx, in.Vault, in.Outbox, id, s.Addenda[c.Addendum-1].Object)
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(r) // it holds counts, and no records
	if err != nil {
		return err
	}
	text, signature := bundle.SplitAddendum(text)
	if c.Output == "-" {
		_, err = os.Stdout.Write(text)
		return err
	}
	if _, err = save(c.Output, c.Force, bytes.NewReader(text)); err != nil || signature == nil {
		return err
	}
	_, err = save(c.Output+signatureEnd, c.Force, bytes.NewReader(signature))
	return err
}

// signatureEnd is what an addendum's signature ends in, beside the addendum.
const signatureEnd = ".note"
