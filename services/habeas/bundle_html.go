package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"habeas.dev/services/internal/handover"
	"habeas.dev/services/internal/onefile"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/words"
)

type bundleHTMLCommand struct {
	requestFlags
	Output string `short:"o" required:"" help:"Where the HTML file goes." placeholder:"FILE"`
	Force  bool   `help:"Replace the file where it exists."`
}

// Help implements kong.HelpProvider.
func (bundleHTMLCommand) Help() string {
	return `One file, for who is sent the answer by another way than the portal: it opens in any
browser, without a connection, by the passphrase that is printed here and kept nowhere. Give
that by another way than the file. Whoever has the file can try passphrases for as long as
they like: this one has 80 random bits. Answers of more than 20 MB become no such file.
The receipt goes beside it, as answer.receipt.html.

  habeas bundle html 3cf5cf5f -o answer.html`
}

func (c *bundleHTMLCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	state, err := completed(ctx, in, id)
	if err != nil {
		return err
	}
	if err := kept(state, id); err != nil {
		return err
	}
	if state.Bundle.Bytes > onefile.Limit {
		return fmt.Errorf("the answer to request %s has %d bytes; one file holds %d: use habeas bundle get %s", id, state.Bundle.Bytes, onefile.Limit, id)
	}
	var zip, page bytes.Buffer
	if err := readAnswer(ctx, in, id, state.Bundle, &zip); err != nil {
		return err
	}
	passphrase := handover.Passphrase()
	languages, err := words.Load(in.Config.Languages...)
	if err != nil {
		return err
	}
	if err := onefile.Write(&page, zip.Bytes(), passphrase, languages.For(state.Accepted.Locale)); err != nil {
		return err
	}
	n, err := save(c.Output, c.Force, &page)
	if err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "%s: %d bytes. It opens by the passphrase\n\n  %s\n\nwhich is kept nowhere: give it to the person by another way than the file.\n", c.Output, n, passphrase)
	if err != nil {
		return err
	}
	return putReceiptBeside(ctx, c.Output, c.Force, in, id)
}
