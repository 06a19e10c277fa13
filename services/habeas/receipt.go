package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
	"habeas.dev/services/internal/terminal"
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
		_, err := terminal.Printf(os.Stdout, "%s\n", terminal.Written(r.Document))
		return err
	}
	return saveReceipt(c.Output, c.Force, r, page)
}

// saveReceipt writes a receipt, its proof and its page under one name, and says so.
func saveReceipt(name string, force bool, r receipt.Receipt, page []byte) error {
	for _, f := range []struct {
		end  string
		text []byte
	}{{".json", r.Document}, {".tlog-proof", r.Proof}, {".html", page}} {
		if _, err := save(name+f.end, force, bytes.NewReader(f.text)); err != nil {
			return err
		}
	}
	_, err := terminal.Printf(os.Stdout, "%s.html is for the person; %s.json is the receipt, %s.tlog-proof the proof that it is leaf %d of the log.\n", name, name, name, r.Index)
	return err
}

// putReceiptBeside writes the receipt beside an answer that was written to a file: answer.zip
// gets answer.receipt.html. Where there is none yet it says so, and how to have it later.
func putReceiptBeside(ctx context.Context, answer string, force bool, in *installation.Installation, id string) error {
	name := strings.TrimSuffix(answer, filepath.Ext(answer)) + ".receipt"
	r, page, err := openReceipt(ctx, in, id)
	switch {
	case errors.Is(err, receipt.ErrNone), errors.Is(err, errNoLogKey):
		_, err := terminal.Printf(os.Stdout, "Its receipt isn't beside it: %v. Later: habeas receipt %s -o %s\n", err, id, name)
		return err
	case err != nil:
		return fmt.Errorf("the answer was written, and its receipt wasn't: %w", err)
	}
	return saveReceipt(name, force, r, page)
}

// errNoLogKey says that receipts aren't signed here.
var errNoLogKey = errors.New("there is no key for the log of receipts")

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
		return none, nil, fmt.Errorf("%w at %s; make one with habeas keys init", errNoLogKey, in.Config.Receipts.LogKey)
	}
	key, err := installation.OpenSigningKey(in.Config, signkey.Log, false)
	if err != nil {
		return none, nil, err
	}
	languages, err := words.Load(in.Config.Languages...)
	if err != nil {
		return none, nil, err
	}
	book, err := in.Laws()
	if err != nil {
		return none, nil, err
	}
	languages = languages.Naming(book.Named())
	r, page, err := receipt.Handing{Requests: in.Requests, Journal: in.Journal, Vault: in.Vault, Log: log, Key: key.Verifier, Policy: book, Languages: languages}.Page(ctx, id)
	if errors.Is(err, receipt.ErrNone) {
		return r, nil, fmt.Errorf("request %s: %w; a coordinator that runs makes it soon after", id, err)
	}
	return r, page, err
}
