package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
	"habeas.dev/services/internal/words"
)

type receiptCommand struct {
	requestFlags
	Output string `short:"o" help:"Where the receipt goes: NAME.html, which checks itself in a browser; NAME.json, and its proof NAME.tlog-proof." placeholder:"NAME"`
	Force  bool   `help:"Replace the files where they exist."`
}

// Help implements kong.HelpProvider.
func (receiptCommand) Help() string {
	return `The receipt of an ended request says what became of it in each system. Its proof shows
that it stands in the installation's transparency log, and that the log was mirrored:
anybody verifies it with the log's public key (habeas keys show) and nothing else. The
page has all three, in the person's language, and checks them in a browser without a
connection: it is what the person is given beside the answer or the certificate.
Without -o the receipt is printed.

  habeas receipt 3cf5cf5f -o receipt
  habeas verify receipt.tlog-proof --document receipt.json --key habeas.pub`
}

// Run hands the receipt out.
func (c *receiptCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	r, page, err := openReceipt(ctx, in, id)
	if err != nil {
		return err
	}
	if c.Output == "" {
		_, err := fmt.Fprintf(os.Stdout, "%s\n", r.Document)
		return err
	}
	if _, err := save(c.Output+".json", c.Force, bytes.NewReader(r.Document)); err != nil {
		return err
	}
	if _, err := save(c.Output+".tlog-proof", c.Force, bytes.NewReader(r.Proof)); err != nil {
		return err
	}
	if _, err := save(c.Output+".html", c.Force, bytes.NewReader(page)); err != nil {
		return err
	}
	_, err = fmt.Printf("%s.html is for the person; %s.json is the receipt, %s.tlog-proof the proof that it is leaf %d of the log.\n", c.Output, c.Output, c.Output, r.Index)
	return err
}

// openReceipt returns a request's receipt, whose proof was mirrored, and its page.
func openReceipt(ctx context.Context, in *installation.Installation, id string) (receipt.Receipt, []byte, error) {
	none := receipt.Receipt{}
	if _, err := in.Facts(ctx, id); err != nil {
		return none, nil, about(id, err)
	}
	mirror, err := installation.OpenMirror(ctx, in.Config)
	if err != nil {
		return none, nil, err
	}
	defer func() { _ = mirror.Close() }()
	log, err := installation.OpenLog(in.Config, in.Journal, mirror, false)
	if err != nil {
		return none, nil, err
	}
	if log == nil {
		return none, nil, fmt.Errorf("there is no key for the log of receipts at %s; make one with habeas keys init", in.Config.Receipts.LogKey)
	}
	key, err := installation.OpenSigningKey(in.Config, signkey.Log, false)
	if err != nil {
		return none, nil, err
	}
	languages, err := words.Load(in.Config.Languages...)
	if err != nil {
		return none, nil, err
	}
	book, err := policy.Load(in.Config.Laws...)
	if err != nil {
		return none, nil, err
	}
	r, page, err := receipt.Handing{Requests: in.Requests, Journal: in.Journal, Vault: in.Vault, Log: log, Key: key.Verifier, Policy: book, Languages: languages}.Page(ctx, id)
	if errors.Is(err, receipt.ErrNone) {
		return r, nil, fmt.Errorf("request %s has no receipt yet; a coordinator that runs makes it soon after the request has ended", id)
	}
	return r, page, err
}
